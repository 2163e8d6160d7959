// Read-outs that only the reader's own browser can word: times, counts and sizes in the reader's locale and zone.
// And the page's keyboard shortcuts, which must not cost a round trip.
import { createElement, useEffect, useLayoutEffect, useRef, useState } from "react";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SPANS = [
  [45 * MINUTE, MINUTE, "minute"],
  [22 * HOUR, HOUR, "hour"],
  [26 * DAY, DAY, "day"],
  [320 * DAY, 30.44 * DAY, "month"],
  [Infinity, 365.25 * DAY, "year"],
];

const exactly = (date) =>
  new Intl.DateTimeFormat(undefined, {
    weekday: "short", day: "numeric", month: "short", year: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  }).format(date);

const ago = (date, now) => {
  const seconds = (date.getTime() - now) / 1000;
  const away = Math.abs(seconds);
  if (away < MINUTE) return "just now";
  const [, unit, name] = SPANS.find(([limit]) => away < limit);
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(seconds / unit), name);
};

// One clock for every time on the page.
const listeners = new Set();
let clock = null;
const listen = (listener) => {
  listeners.add(listener);
  clock ??= setInterval(() => listeners.forEach((call) => call(Date.now())), 10_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) { clearInterval(clock); clock = null; }
  };
};

export const When = ({ at, exact = false, ...rest }) => {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => { setNow(Date.now()); return listen(setNow); }, [at]);
  if (!at) return null;
  const date = new Date(at);
  const full = exactly(date);
  return createElement("time", { dateTime: at, title: exact ? undefined : full, ...rest }, exact ? full : ago(date, now));
};

export const Count = ({ value, estimated = false, signed = false, ...rest }) => {
  const text = new Intl.NumberFormat(undefined, signed ? { signDisplay: "exceptZero" } : {}).format(value ?? 0);
  const about = signed ? "about " : "~";
  return createElement("span", { title: estimated ? "About: PostgreSQL's own estimate" : undefined, ...rest },
    (estimated ? about : "") + text.replace("-", "\u2212"));
};

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
export const sized = (bytes) => {
  let value = Number(bytes ?? 0);
  let step = 0;
  while (value >= 999.5 && step < SIZES.length - 1) { value /= 1000; step += 1; }
  const digits = step > 0 && value < 100 ? 1 : 0;
  return new Intl.NumberFormat(undefined, {
    style: "unit", unit: SIZES[step], unitDisplay: step === 0 ? "long" : "short", maximumFractionDigits: digits,
  }).format(value);
};

export const Size = ({ bytes, whole, ...rest }) =>
  createElement("span", { title: whole ? `${sized(whole)} before compression` : undefined, ...rest }, sized(bytes));

// Commands stand between backticks in messages, as everywhere in rxbackup.
export const Words = ({ text, ...rest }) => createElement("p", rest,
  (text ?? "").split("`").map((part, index) => (index % 2 ? createElement("code", { key: index }, part) : part)));

// A name of many parts may break after a dot or an underscore, never within a word.
export const TableName = ({ name, ...rest }) => createElement("span", rest, (name ?? "").split(/(?<=[._])/).flatMap(
  (part, index) => (index ? [createElement("wbr", { key: index }), part] : [part])));

// A field that already holds a good name: when it is, by the reader's own clock.
export const NameInput = (props) => {
  const [name] = useState(() => "Backup " + new Intl.DateTimeFormat("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  }).format(new Date()));
  return createElement("input", { type: "text", required: true, maxLength: 255, autoComplete: "off", ...props, defaultValue: name });
};

// A checkbox with a third state. It shows at once what was pressed; the server's answer may correct it.
export const TickBox = ({ ticked, onTick, ...rest }) => {
  const [shown, setShown] = useState(ticked);
  const box = useRef(null);
  useEffect(() => setShown(ticked), [ticked]);
  useEffect(() => { box.current.indeterminate = shown === "some"; }, [shown]);
  const press = (event) => { setShown(event.target.checked ? "all" : "none"); onTick?.(event.target.checked); };
  return createElement("input", { ...rest, type: "checkbox", ref: box, checked: shown === "all", onChange: press });
};

// The heading of a step. It takes the focus when its step follows another one, as a page would that is loaded.
let stepBefore = null;
export const StepTitle = ({ step, children, ...rest }) => {
  const heading = useRef(null);
  useLayoutEffect(() => {
    if (stepBefore !== null && stepBefore !== step) {
      window.scrollTo(0, 0);
      heading.current.focus({ preventScroll: true });
    }
    stepBefore = step;
  }, [step]);
  return createElement("h2", { ...rest, ref: heading, tabIndex: -1 }, children);
};

const isTyping = (element) =>
  element && (element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName));

// `keys` maps a key to the CSS selector of what it focuses (fields) or presses (buttons).
export const Shortcuts = ({ keys }) => {
  useEffect(() => {
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector("[role=dialog],[role=alertdialog],[role=menu]")) return;
      const target = keys[event.key] && document.querySelector(keys[event.key]);
      if (!target) return;
      event.preventDefault();
      if (target.tagName === "INPUT") { target.focus(); target.select(); } else { target.focus(); target.click(); }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [keys]);
  return null;
};

const LAYERS = "[role=dialog],[role=alertdialog],[role=menu]";

// On a narrow screen the navigation is a row that scrolls: it begins where one is.
export const HereInView = () => {
  useEffect(() => {
    const link = document.querySelector(".rx-nav-link[aria-current]"), nav = link?.closest(".rx-nav");
    if (!nav) return;
    const left = link.getBoundingClientRect().left - nav.getBoundingClientRect().left;
    nav.scrollLeft += left - (nav.clientWidth - link.offsetWidth) / 2;
  }, []);
  return null;
};

// Dialogs here are opened by the server's answer and have no trigger, so Radix cannot know where the focus came from.
export const FocusKeeper = () => {
  useEffect(() => {
    let last = null;
    const remember = (event) => {
      const layer = event.target.closest?.(LAYERS);
      // A menu opened by mouse never focused its button, but knows it as its label.
      if (!layer) last = event.target;
      else if (layer.matches("[role=menu]")) last = document.getElementById(layer.getAttribute("aria-labelledby")) ?? last;
    };
    const giveBack = () => {
      if (document.activeElement !== document.body || document.querySelector(LAYERS)) return;
      (last?.isConnected ? last : document.getElementById("main"))?.focus({ preventScroll: true });
    };
    const observer = new MutationObserver((changes) => {
      const gone = changes.flatMap((change) => [...change.removedNodes]);
      if (gone.some((node) => node.matches?.(LAYERS) || node.querySelector?.(LAYERS))) setTimeout(giveBack, 60);
    });
    document.addEventListener("focusin", remember);
    observer.observe(document.body, { childList: true, subtree: true });
    return () => { document.removeEventListener("focusin", remember); observer.disconnect(); };
  }, []);
  return null;
};
