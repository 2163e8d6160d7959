"""Backup Management."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses, wording
from rxbackup.ui.components.activity_list import activity_list
from rxbackup.ui.components.backup_table import Order, backup_table, menu_item, row_menu, table_skeleton
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.fields import select
from rxbackup.ui.components.group_tiles import group_tiles
from rxbackup.ui.components.notices import empty, notice
from rxbackup.ui.components.progress_row import progress_row
from rxbackup.ui.components.protection_card import protection_card
from rxbackup.ui.components.readouts import count, words
from rxbackup.ui.pages.backups.choosing import ChoiceState
from rxbackup.ui.pages.backups.creating import CreateState
from rxbackup.ui.pages.backups.dialogs import dialogs
from rxbackup.ui.pages.backups.downloading import DownloadState
from rxbackup.ui.pages.backups.importing import ImportState
from rxbackup.ui.pages.backups.listing import STATES, BackupsState
from rxbackup.ui.pages.backups.state import WatchState
from rxbackup.ui.pages.trash.line import trash_link, undo_line
from rxbackup.ui.session import SessionState
from rxbackup.ui.shell import page_frame

_KEYS = {"c": "[data-key=create]", "/": "#filter"}
_MAY_BACK_UP = SessionState.role != "viewer"
_MAY_ALL = SessionState.role == "admin"


def backups_page() -> rx.Component:
    """The page that says whether the data is safe, and lets one act."""
    return page_frame(
        rx.el.div(
            rx.el.h1("Backup Management", class_name="rx-title"),
            # At the first start the card below holds the one thing to do.
            rx.el.div(
                _may(_MAY_ALL, button("Import", look="quiet", on_click=ImportState.set_open(True))),
                rx.cond(WatchState.protection.kind == "none", rx.fragment(), _create_button()),
                class_name="rx-row",
            ),
            class_name="rx-head",
        ),
        notices(),
        # Nothing is said about safety while nobody can look.
        rx.cond(WatchState.away == "", _protection(), rx.fragment()),
        group_tiles(WatchState.tiles, loaded=WatchState.counted, may_look=_MAY_ALL),
        _list(),
        _recent(),
        dialogs(),
        here=addresses.BACKUPS,
        keys=_KEYS,
    )


def _protection() -> rx.Component:
    create = button("Create Backup", look="quiet", on_click=CreateState.set_open(True))
    deeds = rx.match(
        WatchState.protection.remedy,
        ("create", _may(_MAY_BACK_UP, create)),
        ("check", _may(_MAY_BACK_UP, verify_button())),
        rx.fragment(),
    )
    return protection_card(WatchState.protection, deeds=deeds, first=_create_button(), note=WatchState.store_note)


def verify_button() -> rx.Component:
    """Asks how well the last good backup is to be proven."""
    protection = WatchState.protection
    return button("Verify now", look="quiet", on_click=ChoiceState.ask("check", protection.backup_id, protection.name))


def notices() -> rx.Component:
    """What must not be overlooked: the database is away, something failed, a download has begun."""
    return rx.fragment(
        rx.el.div(WatchState.spoken, class_name="rx-hidden", role="status", custom_attrs={"aria-live": "polite"}),
        rx.cond(
            WatchState.away != "",
            notice(
                "bad",
                WatchState.away,
                words(text=WatchState.away_hint),
                rx.el.p("What you see below may be old. Trying again by itself."),
            ),
            rx.fragment(),
        ),
        rx.cond(
            BackupsState.failure != "",
            notice(
                "bad",
                BackupsState.failure,
                words(text=BackupsState.failure_hint),
                action=icon_button("x", "Dismiss", on_click=BackupsState.dismiss_failure),
            ),
            rx.fragment(),
        ),
        rx.cond(
            DownloadState.file != "",
            notice(
                "idle",
                rx.fragment("Downloading ", DownloadState.file),
                rx.el.p(DownloadState.note),
                action=icon_button("x", "Dismiss", on_click=DownloadState.dismiss),
            ),
            rx.fragment(),
        ),
    )


def _may(allowed: Any, component: rx.Component) -> rx.Component:
    return rx.cond(allowed, component, rx.fragment())


def _create_button() -> rx.Component:
    return _may(
        _MAY_BACK_UP,
        button(
            "Create Backup",
            look="primary",
            icon="plus",
            key="c",
            on_click=CreateState.set_open(True),
            custom_attrs={"data-key": "create"},
        ),
    )


def _list() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.div(rx.el.h2("Backups", class_name="rx-heading"), trash_link(), class_name="rx-row"),
            _filter(),
            class_name="rx-tools",
        ),
        undo_line(),
        rx.el.div(
            rx.el.ul(
                rx.foreach(
                    WatchState.runs,
                    lambda run: progress_row(run, on_cancel=WatchState.cancel(run.id), may_cancel=_MAY_BACK_UP),
                ),
                aria_label="Running now",
            ),
            rx.cond(WatchState.loaded, _rows(), table_skeleton()),
            class_name="rx-panel",
        ),
        class_name="rx-section",
    )


def _filter() -> rx.Component:
    """Narrows the table: by words, state and store."""
    return rx.el.div(
        select(
            "State",
            [("", "All states"), *((name, wording.STATE_WORDS[name]) for name in STATES)],
            value=BackupsState.state_filter,
            on_change=BackupsState.set_state_filter,
        ),
        rx.cond(
            WatchState.stores.length() > 1,
            select(
                "Store",
                [("", "All stores")],
                WatchState.stores,
                value=BackupsState.store_filter,
                on_change=BackupsState.set_store_filter,
            ),
            rx.fragment(),
        ),
        rx.el.div(
            rx.icon("search", size=16, aria_hidden="true"),
            rx.el.input(
                id="filter",
                name="filter",
                type="search",
                class_name="rx-input",
                placeholder="Filter by name, description, person",
                aria_label="Filter backups",
                default_value=BackupsState.filter_text,
                on_change=BackupsState.set_filter.debounce(200),
                custom_attrs={"aria-keyshortcuts": "/"},
            ),
            rx.el.kbd("/", class_name="rx-key", aria_hidden="true"),
            class_name="rx-search",
        ),
        class_name="rx-filters",
        role="search",
    )


def _rows() -> rx.Component:
    nothing_at_all = empty(
        "database-backup", "No backups yet", "The first one appears here, and so does its progress while it is taken."
    )
    nothing_found = empty(
        "search-x",
        "No backup matches",
        rx.cond(
            BackupsState.filter_text != "",
            rx.fragment("Nothing contains “", BackupsState.filter_text, "”."),
            "No backup is in that state, or in that store.",
        ),
        button("Show all", look="quiet", on_click=BackupsState.clear_filters),
    )
    narrowed = (BackupsState.filter_text != "") | (BackupsState.state_filter != "") | (BackupsState.store_filter != "")
    order = Order(BackupsState.sort, BackupsState.descending, BackupsState.sort_by)
    return rx.cond(
        BackupsState.rows.length() > 0,
        rx.fragment(backup_table(BackupsState.rows, going=BackupsState.going, order=order, menu=backup_menu), _foot()),
        rx.cond(
            narrowed,
            nothing_found,
            rx.cond(WatchState.runs.length() > 0, rx.fragment(), nothing_at_all),
        ),
    )


def backup_menu(row: Any) -> rx.Component:
    """What one can do with one backup."""
    good = row.state == "complete"
    return row_menu(
        row.name,
        _may(
            good & _MAY_ALL,
            rx.fragment(
                rx.cond(
                    row.trash_until == "",
                    menu_item("rotate-ccw", "Restore…", rx.redirect(f"{addresses.BACKUPS}/{row.id}/restore")),
                    rx.fragment(),
                ),
                menu_item("table-2", "Look inside…", rx.redirect(f"{addresses.BACKUPS}/{row.id}/rows")),
                menu_item("git-compare", "Compare…", rx.redirect(f"{addresses.COMPARE}?a={row.id}")),
                rx.dropdown_menu.separator(),
                menu_item("download", "Download…", DownloadState.ask(row.id, row.name)),
            ),
        ),
        _may(
            good & _MAY_BACK_UP,
            rx.fragment(
                menu_item("shield-check", "Verify…", ChoiceState.ask("check", row.id, row.name)),
                menu_item("copy", "Copy to…", ChoiceState.ask("copy", row.id, row.name)),
            ),
        ),
        _may(
            _MAY_BACK_UP,
            rx.cond(
                row.pinned,
                menu_item("pin-off", "Unpin", BackupsState.toggle_pin(row.id, False)),
                menu_item("pin", "Pin", BackupsState.toggle_pin(row.id, True)),
            ),
        ),
        _may(
            _MAY_ALL & (row.trash_until == ""),
            rx.fragment(
                rx.dropdown_menu.separator(),
                rx.cond(
                    row.pinned,
                    menu_item("trash-2", "Delete (unpin first)", disabled=True),
                    menu_item("trash-2", "Delete…", ChoiceState.ask("delete", row.id, row.name), danger=True),
                ),
            ),
        ),
    )


def primary_actions(row: Any) -> rx.Component:
    """The deeds that stand beside the title of one backup."""

    def deed(icon: str, label: str, where: str) -> rx.Component:
        return rx.link(
            rx.icon(icon, size=16, aria_hidden="true"),
            label,
            href=f"{addresses.BACKUPS}/{row.id}/{where}",
            underline="none",
            class_name="rx-button rx-button-quiet",
        )

    return _may(
        (row.state == "complete") & _MAY_ALL,
        rx.fragment(
            deed("table-2", "Look inside", "rows"),
            rx.cond(row.trash_until == "", deed("rotate-ccw", "Restore…", "restore"), rx.fragment()),
        ),
    )


def _foot() -> rx.Component:
    words = rx.el.span(count(value=BackupsState.total), rx.cond(BackupsState.total == 1, " backup", " backups"))
    pager = rx.el.div(
        rx.el.span("Page ", BackupsState.page, " of ", BackupsState.pages),
        icon_button(
            "chevron-left", "Previous page", on_click=BackupsState.turn_page(-1), disabled=BackupsState.page <= 1
        ),
        icon_button(
            "chevron-right",
            "Next page",
            on_click=BackupsState.turn_page(1),
            disabled=BackupsState.page >= BackupsState.pages,
        ),
        class_name="rx-row",
    )
    return rx.el.div(words, rx.cond(BackupsState.pages > 1, pager, rx.fragment()), class_name="rx-foot")


def _recent() -> rx.Component:
    return rx.cond(
        WatchState.activity.length() > 0,
        rx.el.section(
            rx.el.div(
                rx.el.h2("Recent activity", class_name="rx-heading"),
                _may(
                    _MAY_ALL,
                    rx.link("All activity", href=addresses.ACTIVITY, class_name="rx-subject", underline="none"),
                ),
                class_name="rx-tools",
            ),
            activity_list(WatchState.activity),
            class_name="rx-section",
        ),
        rx.fragment(),
    )
