"""All dialogs that act on backups, and the one that creates them."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.fields import field, long_field, select, tick
from rxbackup.ui.components.notices import failure
from rxbackup.ui.components.readouts import count, name_input
from rxbackup.ui.pages.backups.choice_dialogs import check_dialog, copy_dialog, delete_dialog, download_dialog
from rxbackup.ui.pages.backups.choosing import ChoiceState
from rxbackup.ui.pages.backups.creating import CreateState
from rxbackup.ui.pages.backups.downloading import DownloadState
from rxbackup.ui.pages.backups.import_dialog import import_dialog
from rxbackup.ui.pages.backups.importing import ImportState
from rxbackup.ui.pages.backups.state import WatchState


def dialogs() -> rx.Component:
    """All of them; at most one is open at a time. A page that is loaded anew starts without one."""
    shut = [state.set_open(False) for state in (CreateState, ChoiceState, DownloadState)]
    return rx.el.div(
        create_dialog(),
        delete_dialog(),
        check_dialog(),
        copy_dialog(),
        download_dialog(),
        import_dialog(),
        on_mount=[*shut, ImportState.shut],
    )


def create_dialog() -> rx.Component:
    """Create Backup: Enter sends it; an error keeps the dialog and what was typed."""
    groups = rx.el.fieldset(
        rx.el.legend("What to back up", class_name="rx-label"),
        rx.el.div(rx.foreach(WatchState.tiles, _group_tick), class_name="rx-ticks"),
        class_name="rx-fieldset",
    )
    return dialog(
        rx.el.form(
            failure(CreateState.error, CreateState.hint),
            field("Name", name_input(id="name", name="name", class_name="rx-input"), field_id="name"),
            long_field("Description", name="description", placeholder="Optional: why now?", rows=2, max_length=2000),
            rx.cond(WatchState.tiles.length() > 0, groups, rx.fragment()),
            _where(),
            tick(
                "Read everything (full)",
                "usually only what changed is read",
                name="full",
            ),
            actions(
                button("Create Backup", look="primary", type="submit", disabled=CreateState.sending),
                on_cancel=CreateState.set_open(False),
            ),
            on_submit=CreateState.submit,
        ),
        title="Create Backup",
        text="All rows as they are at one moment. The app goes on working meanwhile.",
        is_open=CreateState.is_open,
        on_open_change=CreateState.set_open,
    )


def _where() -> rx.Component:
    """The store it is taken into, and those that get a copy of it afterwards."""
    copies = rx.el.fieldset(
        rx.el.legend("Copy it to", class_name="rx-label"),
        rx.el.div(rx.foreach(WatchState.stores, _copy_tick), class_name="rx-ticks"),
        class_name="rx-fieldset",
    )
    return rx.cond(
        WatchState.stores.length() > 1,
        rx.fragment(
            field(
                "Store",
                select(
                    "Store",
                    [],
                    WatchState.stores,
                    labelled=True,
                    id="store",
                    name="store",
                    value=CreateState.store,
                    on_change=CreateState.choose_store,
                ),
                field_id="store",
            ),
            copies,
        ),
        rx.fragment(),
    )


def _copy_tick(store: Any) -> rx.Component:
    note = rx.cond(store.same_server, "same server", "")
    return rx.cond(
        store.name == CreateState.store,
        rx.fragment(),
        tick(store.name, note, name="copy:" + store.name, key=store.name),
    )


def _group_tick(tile: Any) -> rx.Component:
    rows = rx.fragment(count(value=tile.rows, estimated=tile.estimated), " rows")
    return tick(tile.name, rows, name="group:" + tile.name, default_checked=True, key=tile.name)
