// The form that brings a file in. The file goes over HTTP in one stream, never through the page's websocket, and is
// held nowhere in the browser; a passphrase goes in a header of the same request and is part of no address.
import { createElement as h, useEffect, useRef, useState } from "react";
import { CircleAlert, FileInput, FileCheck2 } from "lucide-react";

const UNREACHABLE = {
  detail: "The file did not arrive.",
  hint: "Check the connection and that rxbackup runs, then try again. Nothing was imported.",
};

const sized = (bytes) => {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let value = bytes;
  let step = 0;
  while (value >= 999.5 && step < units.length - 1) { value /= 1000; step += 1; }
  return new Intl.NumberFormat(undefined, {
    style: "unit", unit: units[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: step && value < 100 ? 1 : 0,
  }).format(value);
};

const send = (request, action, file, fields, onProgress) => new Promise((resolve) => {
  const asked = new URLSearchParams({ file_name: file.name });
  for (const [name, value] of Object.entries(fields)) if (name !== "passphrase" && value) asked.set(name, value);
  request.open("PUT", `${action}?${asked}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("X-Rxb", "1");
  // Header values are bytes: words of any language travel percent-encoded.
  if (fields.passphrase) request.setRequestHeader("X-Rxb-Passphrase", encodeURIComponent(fields.passphrase));
  request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
  request.upload.onload = () => onProgress(1);
  request.onabort = () => resolve({ stopped: true });
  request.onerror = () => resolve({ problem: UNREACHABLE });
  request.onload = () => {
    let answer = null;
    try { answer = JSON.parse(request.responseText); } catch { /* not ours: a proxy's page */ }
    if (request.status >= 200 && request.status < 300) return resolve({ job: answer?.id ?? "" });
    return resolve({ problem: answer?.detail ? answer : { detail: `The server answered ${request.status}.`, hint: "Nothing was imported." } });
  };
  request.send(file);
});

const worded = (text) =>
  text.split("`").map((part, index) => (index % 2 ? h("code", { key: index }, part) : part));

const told = (problem) => h("div", { className: "rx-notice rx-tone-bad" },
  h(CircleAlert, { size: 16, "aria-hidden": true, className: "rx-notice-icon" }),
  h("div", { className: "rx-notice-body" },
    h("p", { className: "rx-notice-title" }, worded(problem.detail)),
    problem.hint && h("p", null, worded(problem.hint))));

const Zone = ({ file, onFile, disabled }) => {
  const [over, setOver] = useState(false);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    if (!disabled && event.dataTransfer.files.length > 0) onFile(event.dataTransfer.files[0]);
  };
  const icon = h(file ? FileCheck2 : FileInput, { size: 20, "aria-hidden": true });
  return h("label",
    { className: `rx-drop${over ? " rx-drop-over" : ""}`, onDragOver: (event) => { event.preventDefault(); setOver(true); },
      onDragLeave: () => setOver(false), onDrop: drop },
    h("input", { type: "file", className: "rx-hidden", accept: ".rxbackup,.json,.gz,application/json", disabled,
      "aria-label": "File to import", onChange: (event) => event.target.files[0] && onFile(event.target.files[0]) }),
    h("span", { className: "rx-empty-icon" }, icon),
    file
      ? h("span", { className: "rx-drop-name" }, h("span", { className: "rx-strong rx-wrap" }, file.name), h("span", { className: "rx-soft" }, ` ${sized(file.size)}`))
      : h("span", { className: "rx-drop-name" }, h("span", { className: "rx-strong" }, "Choose a file"), " or drop it here"),
    h("span", { className: "rx-soft" }, file ? "Press to choose another one" : "An archive (.rxbackup) or a JSON download (.json)"));
};

const Bar = ({ done }) => h("div", { className: "rx-lines" },
  h("div", { role: "progressbar", "aria-label": "Sending the file", "aria-valuemin": 0, "aria-valuemax": 100,
    "aria-valuenow": Math.round(done * 100), className: "rx-bar" },
    h("div", { className: "rx-bar-fill", style: { transform: `scaleX(${done})` } })),
  h("p", { className: "rx-run-numbers" }, done < 1 ? `${Math.round(done * 100)} % sent` : "Arrived. Looking whether it can be read."));

export const ImportForm = ({ action, children, onQueued, onClose, onBusy, ...rest }) => {
  const [file, setFile] = useState(null);
  const [done, setDone] = useState(-1);
  const [problem, setProblem] = useState(null);
  const form = useRef(null);
  const request = useRef(null);
  const busy = done >= 0;
  useEffect(() => () => request.current?.abort(), []);
  const choose = (chosen) => { setFile(chosen); setProblem(null); };
  const submit = async (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (busy || !file) return;
    const fields = Object.fromEntries(new FormData(form.current));
    setProblem(null);
    setDone(0);
    onBusy?.(true);
    request.current = new XMLHttpRequest();
    const answer = await send(request.current, action, file, fields, setDone);
    request.current = null;
    setDone(-1);
    onBusy?.(false);
    if (answer.stopped) return;
    if (answer.problem) setProblem(answer.problem); else onQueued?.(answer.job);
  };
  const quit = () => { if (busy) request.current?.abort(); else onClose?.(); };
  return h("form", { onSubmit: submit, ref: form, "aria-busy": busy, ...rest },
    h("div", { role: "alert" }, problem && told(problem)),
    h(Zone, { file, onFile: choose, disabled: busy }),
    h("div", { hidden: !file?.name.toLowerCase().endsWith(".rxbackup"), className: "rx-field" }, children?.[0] ?? children),
    Array.isArray(children) ? children.slice(1) : null,
    busy && h(Bar, { done }),
    h("div", { className: "rx-dialog-actions" },
      h("button", { type: "button", className: "rx-button rx-button-quiet", onClick: quit }, busy ? "Stop" : "Cancel"),
      h("button", { type: "submit", className: "rx-button rx-button-primary", disabled: busy || !file }, busy ? "Sending" : "Import")));
};
