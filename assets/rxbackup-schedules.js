// What a schedule's form needs in the browser: it tells the server when something in it changed, knows the time zones,
// and shows moments both in the schedule's zone and in the reader's.
import { createElement, useEffect, useId, useRef, useState } from "react";

const PATIENCE_MS = 180;

// Tells its form's fields, as flat names and texts, now and after every change. The fields stay the browser's own.
export const FormWatch = ({ onForm }) => {
  const place = useRef(null);
  const tell = useRef(onForm);
  tell.current = onForm;
  useEffect(() => {
    const form = place.current.closest("form");
    let timer = null;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => tell.current?.(Object.fromEntries(new FormData(form))), PATIENCE_MS);
    };
    later();
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    return () => { clearTimeout(timer); form.removeEventListener("input", later); form.removeEventListener("change", later); };
  }, []);
  return createElement("span", { ref: place, hidden: true });
};

// A button that fills in several fields of its form at once.
export const FillIn = ({ values, children, ...rest }) => {
  const press = (event) => {
    const form = event.currentTarget.closest("form");
    for (const [name, value] of Object.entries(values)) if (form.elements[name]) form.elements[name].value = value;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return createElement("button", { type: "button", ...rest, onClick: press }, children);
};

const readersZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
const plain = (text) => text.toLowerCase().replaceAll("_", " ");
const nowIn = (zone) => {
  try {
    return new Intl.DateTimeFormat(undefined, { timeZone: zone, hour: "2-digit", minute: "2-digit", timeZoneName: "shortOffset" }).format(new Date());
  } catch { return ""; }
};
const MOST = 50;

// A field with a list of time zones that is narrowed while one types. With no value it begins with the reader's own.
// What the form gets is always a zone that was chosen, never half a word.
export const ZoneInput = ({ name, fieldId, value, zones, ...rest }) => {
  const [chosen, setChosen] = useState(() => value || readersZone());
  const [text, setText] = useState(chosen);
  const [open, setOpen] = useState(false);
  const [searching, setSearching] = useState(false);
  const [at, setAt] = useState(-1);
  const kept = useRef(null);
  const field = useRef(null);
  const list = useRef(null);
  const listId = useId();

  const words = searching ? plain(text.trim()).split(/[\s/]+/).filter(Boolean) : [];
  const first = [...new Set([readersZone(), "UTC"])];
  const found = [...first, ...zones.filter((zone) => !first.includes(zone))]
    .filter((zone) => words.every((word) => plain(zone).includes(word))).slice(0, MOST);

  // A value that a program sets makes no event by itself.
  useEffect(() => { kept.current.form?.dispatchEvent(new Event("input", { bubbles: true })); }, [chosen]);
  useEffect(() => { list.current?.children[at]?.scrollIntoView({ block: "nearest" }); }, [at]);
  // What stands there is replaced, not continued, by what is typed next.
  useEffect(() => { if (!open && document.activeElement === field.current) field.current.select(); }, [open]);
  const shut = () => { setOpen(false); setSearching(false); setAt(-1); };
  const take = (zone) => { setChosen(zone); setText(zone); shut(); };
  // Every zone that the browser knows may be written out; anything else gives way to what was chosen before.
  const leave = () => take(nowIn(text.trim()) && text.trim() ? text.trim() : chosen);
  // The dialog around it closes on Escape wherever the focus is; while the list is open the key belongs to the list.
  useEffect(() => {
    if (!open) return undefined;
    const onKey = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      event.preventDefault();
      take(chosen);
    };
    window.addEventListener("keydown", onKey, true);
    return () => window.removeEventListener("keydown", onKey, true);
  }, [open, chosen]);

  const onKeyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (!open) setOpen(true); else if (found.length) setAt((at + step + found.length) % found.length);
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      if (found.length) take(found[Math.max(at, 0)]); else leave();
    } else if (event.key === "Tab" && open && at >= 0 && found[at]) take(found[at]);
  };
  return createElement("div", { className: "rx-zone", onBlur: (event) => { if (!event.currentTarget.contains(event.relatedTarget)) leave(); } },
    createElement("input", { type: "hidden", name, value: chosen, ref: kept }),
    createElement("input", {
      ...rest, ref: field, id: fieldId, type: "text", role: "combobox", autoComplete: "off", spellCheck: false, value: text,
      "aria-expanded": open, "aria-controls": listId, "aria-autocomplete": "list",
      "aria-activedescendant": open && at >= 0 ? `${listId}-${at}` : undefined,
      onChange: (event) => { setText(event.target.value); setSearching(true); setOpen(true); setAt(0); },
      onFocus: (event) => event.target.select(),
      onClick: () => (open ? shut() : setOpen(true)),
      onKeyDown,
    }),
    createElement("ul", { id: listId, role: "listbox", "aria-label": "Time zones", ref: list, className: "rx-zone-list", hidden: !open || !found.length },
      open && found.map((zone, index) => createElement("li", {
        key: zone, id: `${listId}-${index}`, role: "option", "aria-selected": zone === chosen, "data-here": index === at || undefined,
        className: "rx-zone-one", onPointerDown: (event) => { event.preventDefault(); take(zone); },
      }, createElement("span", null, zone.replaceAll("_", " "), zone === readersZone() && createElement("span", { className: "rx-soft" }, " · yours")),
        createElement("span", { className: "rx-soft" }, nowIn(zone))))));
};

const moment = (date, zone, short) => new Intl.DateTimeFormat(undefined, {
  timeZone: zone, weekday: "short", day: "numeric", month: "short", ...(short ? {} : { year: "numeric" }),
  hour: "2-digit", minute: "2-digit", timeZoneName: "short",
}).format(date);
const clockOf = (date, zone) => new Intl.DateTimeFormat("en-GB", {
  timeZone: zone, day: "numeric", hour: "2-digit", minute: "2-digit",
}).format(date);

// A moment in a zone, which it names; and beneath it the reader's own time, where that is another.
export const InZone = ({ at, zone, short = false, yours = false, ...rest }) => {
  const [reader, setReader] = useState(null);
  useEffect(() => setReader(readersZone()), []);
  if (!at) return null;
  const date = new Date(at);
  let there;
  try { there = moment(date, zone, short); } catch { there = moment(date, "UTC", short); }
  const differs = yours && reader && clockOf(date, reader) !== clockOf(date, zone);
  return createElement("span", rest,
    createElement("time", { dateTime: at }, there),
    differs && createElement("span", { className: "rx-yours" }, ` ${moment(date, reader, true)} for you`));
};
