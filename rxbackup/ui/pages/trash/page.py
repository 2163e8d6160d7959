"""The page of the trash."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type,misc"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.backup_table import menu_item, row_menu
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.notices import bone, empty, notice
from rxbackup.ui.components.pager import pager
from rxbackup.ui.components.readouts import count, size, when, words
from rxbackup.ui.pages.backups.page import notices
from rxbackup.ui.pages.trash.emptying import EmptyState
from rxbackup.ui.pages.trash.state import TrashState
from rxbackup.ui.session import SessionState
from rxbackup.ui.shell import page_frame

_MAY_ALL = SessionState.role == "admin"


def trash_page() -> rx.Component:
    """What can still be had back."""
    return page_frame(
        rx.el.div(
            rx.el.div(
                rx.link(
                    rx.icon("chevron-left", size=16, aria_hidden="true"),
                    "Backup Management",
                    href=addresses.BACKUPS,
                    underline="none",
                    class_name="rx-crumb",
                ),
                rx.el.h1("Trash", class_name="rx-title"),
                rx.el.p("Deleted backups wait here, whole, until their days are over.", class_name="rx-soft"),
            ),
            rx.cond(
                _MAY_ALL & (TrashState.lines.length() > 0),
                button(
                    rx.cond(EmptyState.working, "Emptying the trash", "Empty trash…"),
                    look="quiet",
                    icon="trash-2",
                    disabled=EmptyState.working,
                    on_click=EmptyState.ask,
                ),
                rx.fragment(),
            ),
            class_name="rx-head",
        ),
        notices(),
        rx.cond(
            TrashState.error != "",
            notice(
                "bad",
                TrashState.error,
                words(text=TrashState.hint),
                action=icon_button("x", "Dismiss", on_click=TrashState.dismiss),
            ),
            rx.fragment(),
        ),
        _emptied(),
        rx.el.div(
            rx.cond(
                TrashState.loaded,
                rx.cond(TrashState.lines.length() > 0, _lines(), _empty()),
                rx.el.div(bone("short"), bone("line"), class_name="rx-trashed", aria_busy="true"),
            ),
            class_name="rx-panel",
        ),
        _delete_dialog(),
        _empty_dialog(),
        here=addresses.BACKUPS,
    )


def _empty() -> rx.Component:
    return empty("trash-2", "The trash is empty", "A backup that is deleted can be had back from here for some days.")


def _lines() -> rx.Component:
    return rx.fragment(
        rx.el.ul(rx.foreach(TrashState.lines, _line), aria_label="In the trash"),
        pager(
            rx.el.span(count(value=TrashState.total), rx.cond(TrashState.total == 1, " backup", " backups")),
            number=TrashState.page,
            pages=TrashState.pages,
            on_turn=TrashState.turn_page,
        ),
    )


def _line(line: Any) -> rx.Component:
    by = rx.cond(line.by != "", rx.fragment(" by ", line.by), ": its schedule keeps it no more")
    tools = rx.el.div(
        button(
            "Put back",
            look="quiet",
            on_click=TrashState.put_back(line.id, line.name),
            aria_label="Put back " + line.name,
        ),
        row_menu(
            line.name,
            menu_item("trash-2", "Delete now…", TrashState.ask(line.id, line.name), danger=True),
        ),
        class_name="rx-trashed-tools",
    )
    return rx.el.li(
        rx.el.div(
            rx.link(
                line.name, href=f"{addresses.BACKUPS}/{line.id}", class_name="rx-subject rx-wrap", underline="none"
            ),
            rx.el.p("Deleted ", when(at=line.trashed_at), by, class_name="rx-soft rx-wrap"),
            rx.el.p(
                "Taken ",
                when(at=line.at),
                " · ",
                count(value=line.rows),
                " rows · added ",
                size(bytes=line.stored_bytes),
                class_name="rx-soft rx-figures",
            ),
            class_name="rx-grow",
        ),
        rx.el.span(
            rx.icon("clock", size=14, aria_hidden="true"),
            rx.el.span("Gone ", when(at=line.until)),
            class_name="rx-badge rx-tone-idle",
        ),
        rx.cond(_MAY_ALL, tools, rx.el.span()),
        key=line.id,
        class_name=rx.cond(TrashState.going.contains(line.id), "rx-trashed rx-going", "rx-trashed"),
    )


def _emptied() -> rx.Component:
    """Why something stays, or why nothing could be deleted."""
    close = icon_button("x", "Dismiss", on_click=EmptyState.dismiss)
    number = EmptyState.staying.length()
    stays = notice(
        "warn",
        rx.fragment(count(value=number), rx.cond(number == 1, " backup stays", " backups stay"), " in the trash."),
        rx.el.ul(
            rx.foreach(
                EmptyState.staying,
                lambda one: rx.el.li(rx.el.span(one.name, ": ", class_name="rx-strong"), one.why, key=one.id),
            )
        ),
        action=close,
    )
    return rx.fragment(
        rx.cond(
            EmptyState.error != "",
            notice("bad", EmptyState.error, words(text=EmptyState.hint), action=close),
            rx.fragment(),
        ),
        rx.cond(number > 0, stays, rx.fragment()),
    )


def _empty_dialog() -> rx.Component:
    """Delete all of them now: it says how many and how much, and cannot be undone."""
    one = EmptyState.backups == 1
    return rx.el.div(
        dialog(
            rx.el.p(
                rx.cond(one, "It is", "They are"),
                " removed from every store at once, and cannot be had back. What is in use stays in the trash. "
                "All other backups stay whole.",
            ),
            actions(
                button("Empty the trash", look="danger", on_click=EmptyState.empty),
                on_cancel=EmptyState.set_open(False),
                cancel=rx.cond(one, "Keep it", "Keep them"),
            ),
            title="Empty the trash?",
            text=rx.fragment(
                count(value=EmptyState.backups),
                rx.cond(one, " backup", " backups"),
                ", which added ",
                size(bytes=EmptyState.stored_bytes),
                ".",
            ),
            is_open=EmptyState.is_open,
            on_open_change=EmptyState.set_open,
            danger=True,
        ),
        on_mount=EmptyState.set_open(False),
    )


def _delete_dialog() -> rx.Component:
    """Delete now: this one cannot be undone."""
    return rx.el.div(
        dialog(
            rx.el.p("It is removed from every store at once, and cannot be had back. All other backups stay whole."),
            actions(
                button("Delete for good", look="danger", on_click=TrashState.delete),
                on_cancel=TrashState.set_open(False),
                cancel="Keep it",
            ),
            title="Delete this backup for good?",
            text=rx.fragment("“", TrashState.asked_name, "”"),
            is_open=TrashState.asked_id != "",
            on_open_change=TrashState.set_open,
            danger=True,
        ),
        on_mount=TrashState.set_open(False),
    )
