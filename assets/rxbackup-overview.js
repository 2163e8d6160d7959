// Charts of the overview. Each is drawn and written as a table from the very same values. One walks through its days
// with the arrow keys or the pointer; what a day holds stands beneath, and is what a screen reader is told.
import { createElement as h, useId, useState } from "react";
import { ChartColumn, Table2 } from "lucide-react";
import { sized } from "./rxbackup-ui.js";

const DAY_MS = 86_400_000;
const dayOf = (day) => new Date(`${day}T00:00:00Z`);
const inWords = (day, year = false) => new Intl.DateTimeFormat(undefined, {
  weekday: "short", day: "numeric", month: "short", ...(year ? { year: "numeric" } : {}), timeZone: "UTC",
}).format(dayOf(day));
const shortly = (day) => new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" }).format(dayOf(day));
const counted = (value) => new Intl.NumberFormat().format(value);

const daysBetween = (first, last) => {
  const days = [];
  for (let at = dayOf(first).getTime(); at <= dayOf(last).getTime(); at += DAY_MS) days.push(new Date(at).toISOString().slice(0, 10));
  return days;
};

// The smallest round number that holds the value.
const roundUp = (value) => {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= value);
};

const KEYS = { ArrowLeft: (at) => at - 1, ArrowDown: (at) => at - 1, ArrowRight: (at) => at + 1, ArrowUp: (at) => at + 1,
  PageDown: (at) => at - 7, PageUp: (at) => at + 7, Home: () => 0, End: (_, last) => last };

// A chart over days: `marks` draws it, `say` words one day, `top` is the value at its upper edge.
const Plot = ({ days, label, say, top, ticks, scale, legend, marks }) => {
  const last = days.length - 1;
  const [chosen, setChosen] = useState(null);
  const at = Math.min(chosen ?? last, last);
  const onKeyDown = (event) => {
    if (!KEYS[event.key]) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(last, KEYS[event.key](at, last))));
  };
  const onPointerMove = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    setChosen(Math.max(0, Math.min(last, Math.floor(((event.clientX - box.left) / box.width) * days.length))));
  };
  const words = say(at);
  return h("div", { className: "rx-chart-body" },
    h("p", { className: "rx-chart-says" }, h("span", { className: "rx-strong" }, inWords(days[at])), " ", words),
    h("div", { className: "rx-chart-frame" },
      h("div", { className: "rx-chart-scale", "aria-hidden": true },
        ticks.map((tick) => h("span", { key: tick, style: { bottom: `${(tick / top) * 100}%` } }, scale(tick)))),
      h("div", {
        className: "rx-chart-plot", role: "slider", tabIndex: 0, "aria-label": label, "aria-valuemin": 0, "aria-valuemax": last,
        "aria-valuenow": at, "aria-valuetext": `${inWords(days[at])}: ${words}`, "aria-orientation": "horizontal",
        onKeyDown, onPointerMove, onPointerLeave: () => setChosen(null), onBlur: () => setChosen(null),
      },
        ticks.map((tick) => h("span", { key: tick, className: "rx-chart-line", style: { bottom: `${(tick / top) * 100}%` } })),
        last > 0 && h("span", { className: "rx-chart-here", style: { left: `${(at / days.length) * 100}%`, width: `${100 / days.length}%` } }),
        marks)),
    h("div", { className: "rx-chart-days", "aria-hidden": true },
      [...new Set([0, Math.round(last / 2), last])].map((index) => h("span", { key: index }, shortly(days[index])))),
    h("ul", { className: "rx-chart-legend", "aria-label": "What the marks mean" }, legend));
};

const Frame = ({ title, note, head, rows, children }) => {
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  return h("section", { className: "rx-panel rx-chart", "aria-labelledby": id },
    h("div", { className: "rx-chart-head" },
      h("div", { className: "rx-grow" }, h("h3", { id, className: "rx-chart-title" }, title), h("p", { className: "rx-soft" }, note)),
      h("button", { type: "button", className: "rx-button rx-button-bare", onClick: () => setAsTable(!asTable) },
        h(asTable ? ChartColumn : Table2, { size: 16, "aria-hidden": true }), h("span", null, asTable ? "Show as chart" : "Show as table"))),
    asTable
      ? h("div", { className: "rx-scroll rx-chart-table", tabIndex: 0, role: "region", "aria-label": `${title}, as a table` },
          h("table", { className: "rx-table" },
            h("thead", null, h("tr", null, head.map((name, index) => h("th", { key: name, scope: "col", className: index ? "rx-number" : "" }, name)))),
            h("tbody", null, rows.map(([day, ...cells]) => h("tr", { key: day },
              h("th", { scope: "row" }, h("time", { dateTime: day }, inWords(day, true))),
              cells.map((cell, index) => h("td", { key: index, className: "rx-number" }, cell)))))))
      : children);
};

// `days` holds only the days on which a backup ended; all others between `first` and `last` had none.
export const RunsChart = ({ first, last, days }) => {
  const known = Object.fromEntries(days.map((day) => [day.day, day]));
  const every = daysBetween(first, last);
  const none = { succeeded: 0, failed: 0, took: "" };
  const at = (index) => known[every[index]] ?? none;
  const top = roundUp(Math.max(...days.map((day) => day.succeeded + day.failed)));
  const say = (index) => {
    const { succeeded, failed, took } = at(index);
    if (!succeeded && !failed) return "no backup";
    return `${counted(succeeded)} succeeded, ${counted(failed)} failed${took ? `, typically ${took}` : ""}`;
  };
  const tall = (value) => ({ height: `${(value / top) * 100}%` });
  return h(Frame, {
    title: "Backups by day", note: "Days of UTC, by hand and by schedules together",
    head: ["Day", "Succeeded", "Failed", "Duration"],
    rows: [...days].reverse().map((day) => [day.day, counted(day.succeeded), counted(day.failed), day.took || "–"]),
  }, h(Plot, {
    days: every, label: "Backups by day", say, top, ticks: top > 1 ? [0, top / 2, top].filter(Number.isInteger) : [0, 1], scale: counted,
    legend: [
      h("li", { key: "good" }, h("span", { className: "rx-swatch rx-bar-good" }), "Succeeded"),
      h("li", { key: "bad" }, h("span", { className: "rx-swatch rx-bar-bad" }), "Failed (hatched)"),
    ],
    marks: h("div", { className: "rx-bars" }, every.map((day, index) => {
      const { succeeded, failed } = at(index);
      return h("div", { key: day, className: "rx-bars-day" },
        failed > 0 && h("span", { className: "rx-bar-bad", style: tall(failed) }),
        succeeded > 0 && h("span", { className: "rx-bar-good", style: tall(succeeded) }));
    })),
  }));
};

const DASHES = ["none", "7 4", "2 3", "9 3 2 3"];
const SHAPES = ["disc", "square", "ring", "diamond"];

// Lines between days that follow each other; a day that nobody measured is a gap, not a zero.
const pathOf = (values, top) => values.map((value, index) => (value < 0 ? "" :
  `${index > 0 && values[index - 1] >= 0 ? "L" : "M"}${index + 0.5} ${100 - (value / top) * 100}`)).join("");

// `stores` holds bytes for each of `days`, -1 where nobody measured.
export const StorageChart = ({ days, stores }) => {
  const top = roundUp(Math.max(...stores.flatMap((store) => store.held)));
  const worded = (value) => (value < 0 ? "not measured" : sized(value));
  const say = (index) => stores.map((store) => `${store.name} ${worded(store.held[index])}`).join(", ");
  const style = (number) => ({ stroke: `var(--rx-series-${(number % 6) + 1})`, strokeDasharray: DASHES[number % DASHES.length] });
  const mark = (number) => ({ className: `rx-mark rx-mark-${SHAPES[number % SHAPES.length]}`, key: number });
  const measured = days.map((day, index) => [day, index]).filter(([, index]) => stores.some((store) => store.held[index] >= 0));
  return h(Frame, {
    title: "Held by each store", note: "At the end of each day (UTC); today as it is now",
    head: ["Day", ...stores.map((store) => store.name)],
    rows: measured.reverse().map(([day, index]) => [day, ...stores.map((store) => (store.held[index] < 0 ? "–" : sized(store.held[index])))]),
  }, h(Plot, {
    days, label: "Held by each store, by day", say, top, ticks: [0, top / 2, top], scale: sized,
    legend: stores.map((store, number) => h("li", { key: store.name },
      h("span", { ...mark(number), style: { color: style(number).stroke } }), h("span", { className: "rx-wrap" }, store.name))),
    marks: [
      h("svg", { key: "lines", className: "rx-lines-of", viewBox: `0 0 ${days.length} 100`, preserveAspectRatio: "none", "aria-hidden": true },
        stores.map((store, number) => h("path", { key: store.name, d: pathOf(store.held, top), style: style(number), vectorEffect: "non-scaling-stroke" }))),
      // A day between two that nobody measured has no line: only its mark shows it. The newest one has a mark in any case.
      stores.flatMap((store, number) => store.held.map((value, index) => {
        const alone = !(store.held[index - 1] >= 0) && !(store.held[index + 1] >= 0);
        const newest = store.held.slice(index + 1).every((later) => later < 0);
        return value >= 0 && (alone || newest) && h("span", { ...mark(number), key: `${store.name} ${index}`, style: {
          color: style(number).stroke, left: `${((index + 0.5) / days.length) * 100}%`, bottom: `${(value / top) * 100}%` } });
      })),
    ],
  }));
};
