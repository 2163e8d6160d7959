"""On other pages: the line that offers to undo a deletion, and the way to the trash."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.notices import failure, notice
from rxbackup.ui.components.readouts import count, when, words
from rxbackup.ui.pages.trash.state import TrashState
from rxbackup.ui.session import SessionState


def undo_line() -> rx.Component:
    """Says that a backup is in the trash and until when, with a way to have it back at once."""
    offer = notice(
        "idle",
        rx.fragment("“", TrashState.undo_name, "” is in the trash."),
        rx.el.p("It is deleted for good ", when(at=TrashState.undo_until), "."),
        action=rx.el.div(
            button("Undo", look="quiet", icon="undo-2", on_click=TrashState.undo),
            icon_button("x", "Dismiss", on_click=TrashState.dismiss_undo),
            class_name="rx-row",
        ),
    )
    failed = notice(
        "bad",
        TrashState.error,
        words(text=TrashState.hint),
        action=icon_button("x", "Dismiss", on_click=TrashState.dismiss),
    )
    return rx.fragment(
        rx.cond(TrashState.error != "", failed, rx.fragment()),
        rx.el.div(
            rx.cond(TrashState.undo_id != "", offer, rx.fragment()),
            class_name="rx-undo",
            custom_attrs={"aria-live": "polite"},
        ),
    )


def trashed_line(row: Any) -> rx.Component:
    """On the page of a backup (a var of `BackupRow`) that is in the trash: until when, and the way out."""
    put_back = rx.cond(
        SessionState.role == "admin",
        button("Put back", look="quiet", on_click=TrashState.put_back(row.id, row.name)),
        rx.fragment(),
    )
    text = rx.el.p("It is deleted for good ", when(at=row.trash_until), ". To restore it, put it back first.")
    return rx.fragment(
        failure(TrashState.error, TrashState.hint),
        rx.cond(
            row.trash_until != "", notice("warn", "This backup is in the trash.", text, action=put_back), rx.fragment()
        ),
    )


def trash_link() -> rx.Component:
    """To the trash, with how many are in it; nothing while it is empty."""
    return rx.cond(
        TrashState.total > 0,
        rx.link(
            rx.icon("trash-2", size=16, aria_hidden="true"),
            rx.el.span("Trash (", count(value=TrashState.total), ")"),
            href=addresses.TRASH,
            underline="none",
            class_name="rx-button rx-button-bare",
        ),
        rx.fragment(),
    )
