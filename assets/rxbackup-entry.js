// The forms before a session exists. They talk HTTP, not the page's websocket: only an HTTP answer can set a cookie
// that no script reads, and what is typed here never becomes part of the page's state.
import { createElement, useRef, useState } from "react";
import { CircleAlert } from "lucide-react";

const ownPath = (wanted) => {
  if (!wanted) return "/";
  const url = new URL(wanted, location.origin);
  return url.origin === location.origin && wanted.startsWith("/") ? url.pathname + url.search : "/";
};

const UNREACHABLE = {
  detail: "The server cannot be reached.",
  hint: "Check the connection and that rxbackup runs, then try again. What you typed is kept.",
};

const send = async (action, typed) => {
  const answer = await fetch(action, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Rxb": "1" },
    body: JSON.stringify(typed),
  });
  if (answer.ok) return null;
  return answer.json().catch(() => ({ detail: `The server answered ${answer.status}.`, hint: "Try again in a moment." }));
};

// Commands stand between backticks in messages, as everywhere in rxbackup.
const worded = (text) =>
  text.split("`").map((part, index) => (index % 2 ? createElement("code", { key: index }, part) : part));

const told = (problem) => createElement(
  "div", { className: "rx-notice rx-tone-bad" },
  createElement(CircleAlert, { size: 16, "aria-hidden": true, className: "rx-notice-icon" }),
  createElement("div", { className: "rx-notice-body" },
    createElement("p", { className: "rx-notice-title" }, worded(problem.detail)),
    problem.hint && createElement("p", null, worded(problem.hint))),
);

export const EntryForm = ({ action, children, ...rest }) => {
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (busy) return;
    const asked = new URLSearchParams(location.search);
    const typed = Object.fromEntries(new FormData(form.current));
    if (asked.has("token")) typed.token = asked.get("token");
    setBusy(true);
    setProblem(null);
    const found = await send(action, typed).catch(() => UNREACHABLE);
    if (found === null) {
      // A new tab identity as well: nothing of whoever used this tab before may show through.
      sessionStorage.clear();
      location.assign(ownPath(asked.get("next")));
      return;
    }
    setBusy(false);
    setProblem(found);
    form.current.querySelector("input[name=password]")?.select();
  };
  const alert = createElement("div", { role: "alert", key: "alert" }, problem && told(problem));
  return createElement(
    "form",
    { method: "post", action, onSubmit: submit, ref: form, "aria-busy": busy, className: "rx-entry", ...rest },
    alert, children,
  );
};

export const PasswordInput = (props) => {
  const [shown, setShown] = useState(false);
  return createElement(
    "div", { className: "rx-password" },
    createElement("input", { ...props, type: shown ? "text" : "password", className: "rx-input", spellCheck: false,
      autoCapitalize: "none" }),
    createElement("button", { type: "button", className: "rx-button rx-button-bare rx-password-toggle",
      "aria-pressed": shown, "aria-controls": props.id, "aria-label": "Show password",
      onClick: () => setShown(!shown) }, shown ? "Hide" : "Show"),
  );
};
