"""The lasting result of a restore: what changed in every table, and where the rows of before are."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.readouts import count, when


def result_panel(state: Any, *, on_close: Any, on_undo: Any) -> rx.Component:
    """Draw the `result_…` vars of a state; nothing while `result_id` is ""."""
    return rx.cond(state.result_id != "", _panel(state, on_close, on_undo), rx.fragment())


def _panel(state: Any, on_close: Any, on_undo: Any) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.span(rx.icon("circle-check", size=20, aria_hidden="true"), class_name="rx-result-icon"),
            rx.el.div(
                rx.el.h2("Restored ", rx.el.span("“", state.result_name, "”"), class_name="rx-heading"),
                rx.el.p(
                    when(at=state.result_at),
                    rx.cond(state.result_seconds != "", rx.fragment(" · took ", state.result_seconds), rx.fragment()),
                    rx.cond(state.result_note != "", rx.fragment(" · ", state.result_note), rx.fragment()),
                    class_name="rx-soft",
                ),
                rx.el.p(state.result_summary, class_name="rx-result-summary"),
                _safety(state, on_undo),
                class_name="rx-grow",
            ),
            icon_button("x", "Close the result", on_click=on_close),
            class_name="rx-panel-head",
        ),
        rx.cond(
            state.result_rows.length() > 0,
            rx.el.div(
                _changes(state.result_rows),
                class_name="rx-scroll",
                tab_index=0,
                role="region",
                aria_label="Changes by table",
            ),
            rx.fragment(),
        ),
        id="result",
        tab_index=-1,
        class_name="rx-panel rx-result",
        aria_label="Result of the restore",
    )


def _safety(state: Any, on_undo: Any) -> rx.Component:
    return rx.cond(
        state.result_safety != "",
        rx.fragment(
            rx.el.p(
                "The rows of before are in ",
                rx.link("the safety backup", href=f"{addresses.BACKUPS}/{state.result_safety}", underline="always"),
                ", as long as it is kept.",
            ),
            rx.el.div(button("Undo…", look="quiet", icon="undo-2", on_click=on_undo), class_name="rx-result-actions"),
        ),
        rx.fragment(),
    )


def _changes(rows: Any) -> rx.Component:
    heads = [
        rx.el.th(label, scope="col", class_name=name)
        for label, name in (("Table", ""), *[(w, "rx-number") for w in ("Added", "Changed", "Removed")])
    ]
    return rx.el.table(
        rx.el.thead(rx.el.tr(*heads)),
        rx.el.tbody(rx.foreach(rows, _change)),
        class_name="rx-table rx-table-plain",
    )


def _change(row: Any) -> rx.Component:
    def number(value: Any, tone: str) -> rx.Component:
        return rx.el.td(count(value=value), class_name=rx.cond(value > 0, f"rx-number {tone}", "rx-number rx-zero"))

    return rx.el.tr(
        rx.el.td(row.table, class_name="rx-ink"),
        number(row.added, "rx-added"),
        number(row.changed, "rx-changed"),
        number(row.removed, "rx-removed"),
        key=row.table,
    )
