"""What happened lately, in words: who did what when, and for failures why and what to do."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.readouts import when, words

_ICONS = (
    *("archive", "rotate-ccw", "shield-check", "trash-2", "circle-slash", "circle-alert", "shield-alert"),
    *("copy", "file-input", "brush-cleaning", "archive-restore", "git-compare"),
)
_TONES = ("good", "warn", "bad", "idle")


def activity_list(rows: Any) -> rx.Component:
    """Draw a var of `list[ActivityRow]`."""
    return rx.el.ul(rx.foreach(rows, _event), class_name="rx-panel")


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
        row.backup_id != "",
        rx.link(row.name, href=f"{addresses.BACKUPS}/{row.backup_id}", class_name="rx-subject", underline="none"),
        rx.el.span(row.name, class_name="rx-strong"),
    )


def _more(row: Any) -> rx.Component:
    copy = button("Copy details", look="bare", icon="copy", on_click=rx.set_clipboard(row.details))
    show = rx.link(
        rx.icon("table-2", size=16, aria_hidden="true"),
        rx.el.span("Show result"),
        href=f"{addresses.BACKUPS}/{row.backup_id}/restore?step=result&run={row.id}",
        underline="none",
        class_name="rx-button rx-button-bare",
    )
    return rx.fragment(
        rx.cond(row.has_result, show, rx.fragment()),
        rx.cond(row.message != "", copy, rx.fragment()),
    )
