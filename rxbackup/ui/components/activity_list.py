"""What happened lately, in words: who did what when, and for failures why and what to do."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.notices import bone
from rxbackup.ui.components.readouts import when, words

_ICONS = (
    *("archive", "rotate-ccw", "shield-check", "trash-2", "circle-slash", "circle-alert", "shield-alert"),
    *("copy", "file-input", "brush-cleaning", "archive-restore", "git-compare", "eye", "refresh-cw", "pin", "pin-off"),
    *("undo-2", "download", "table-2", "calendar-clock", "hard-drive", "bell", "user-round", "ban", "clock-alert"),
)
_TONES = ("good", "warn", "bad", "idle")


def activity_list(rows: Any, *, label: str = "") -> rx.Component:
    """Draw a var of `list[ActivityRow]`. `label` names the list where it stands in a panel that has more in it."""
    if label:
        return rx.el.ul(rx.foreach(rows, _event), aria_label=label)
    return rx.el.ul(rx.foreach(rows, _event), class_name="rx-panel")


def activity_skeleton() -> rx.Component:
    """The shape of the list before it is known."""
    line = rx.el.li(
        bone("disc"), rx.el.div(bone("line"), bone("short"), class_name="rx-event-body"), class_name="rx-event"
    )
    return rx.el.ul(*[line] * 6, aria_label="Activity, loading", aria_busy="true")


def _event(row: Any) -> rx.Component:
    icons = [(name, rx.icon(name, size=16, aria_hidden="true")) for name in _ICONS]
    tone = rx.match(row.tone, *[(name, f"rx-tone-{name}") for name in _TONES], "rx-tone-plain")
    return rx.el.li(
        rx.el.span(
            rx.match(row.icon, *icons, rx.icon("circle-check", size=16, aria_hidden="true")), class_name="rx-event-icon"
        ),
        rx.el.div(
            rx.el.p(rx.el.span(row.title, " "), _subject(row)),
            rx.el.p(
                when(at=row.at),
                " · ",
                row.by,
                rx.cond(row.took != "", rx.fragment(" · took ", row.took), rx.fragment()),
                class_name="rx-event-meta",
            ),
            rx.cond(row.note != "", words(text=row.note, class_name="rx-soft"), rx.fragment()),
            rx.cond(row.message != "", rx.el.p(row.message, class_name="rx-event-cause"), rx.fragment()),
            rx.cond(row.hint != "", words(text=row.hint, class_name="rx-soft"), rx.fragment()),
            class_name="rx-event-body",
        ),
        rx.el.div(_more(row), class_name="rx-event-side"),
        key=row.id,
        class_name="rx-event " + tone.to(str),
    )


def _subject(row: Any) -> rx.Component:
    return rx.cond(
        row.href != "",
        rx.link(row.name, href=row.href, class_name="rx-subject", underline="none"),
        rx.el.span(row.name, class_name="rx-strong"),
    )


def _more(row: Any) -> rx.Component:
    copy = button("Copy details", look="bare", icon="copy", on_click=rx.set_clipboard(row.details))
    show = rx.link(
        rx.icon("table-2", size=16, aria_hidden="true"),
        rx.el.span("Show result"),
        href=row.result_href,
        underline="none",
        class_name="rx-button rx-button-bare",
    )
    return rx.fragment(
        rx.cond(row.result_href != "", show, rx.fragment()),
        rx.cond(row.message != "", copy, rx.fragment()),
    )
