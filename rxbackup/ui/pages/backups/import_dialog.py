"""The import dialog: a file that was downloaded once becomes a backup again."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

import reflex as rx

from rxbackup.ui.components.dialogs import dialog
from rxbackup.ui.components.fields import field, select
from rxbackup.ui.components.import_form import import_form
from rxbackup.ui.components.passwords import password_input
from rxbackup.ui.pages.backups.importing import ImportState
from rxbackup.ui.pages.backups.state import WatchState


def import_dialog() -> rx.Component:
    """Import: a file, its passphrase if it has one, and the store it goes to."""
    return dialog(
        import_form(
            field(
                "Passphrase",
                password_input("passphrase"),
                field_id="passphrase",
                note="Only if the archive was protected with one.",
            ),
            rx.cond(
                WatchState.stores.length() > 1,
                field(
                    "Store",
                    select("Store", [], WatchState.stores, labelled=True, id="import_store", name="store"),
                    field_id="import_store",
                ),
                rx.fragment(),
            ),
            action="/api/v1/imports",
            on_queued=ImportState.queued,
            on_busy=ImportState.set_busy,
            on_close=ImportState.set_open(False),
        ),
        title="Import a backup",
        text="It becomes a backup like any other. Your tables are not touched until you restore it.",
        is_open=ImportState.is_open,
        on_open_change=ImportState.set_open,
    )
