"""The page of stores."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type,misc"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.activity_list import activity_list
from rxbackup.ui.components.backup_table import menu_item, row_menu
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.notices import failure, notice
from rxbackup.ui.components.store_card import check_list, store_card, store_skeleton
from rxbackup.ui.pages.backups.page import notices
from rxbackup.ui.pages.backups.running import running
from rxbackup.ui.pages.backups.state import WatchState
from rxbackup.ui.pages.stores.adding import AddState
from rxbackup.ui.pages.stores.dialogs import dialogs
from rxbackup.ui.pages.stores.state import StoresState
from rxbackup.ui.pages.stores.tending import TendState
from rxbackup.ui.session import SessionState
from rxbackup.ui.shell import page_frame

_KEYS = {"a": "[data-key=add]"}
_MAY_ALL = SessionState.role == "admin"


def stores_page() -> rx.Component:
    """Where backups rest."""
    return page_frame(
        rx.el.div(
            rx.el.div(
                rx.el.h1("Stores", class_name="rx-title"),
                rx.el.p("Where backups rest. Keep copies in more than one place.", class_name="rx-soft"),
            ),
            _for_admins(
                button(
                    "Add store",
                    look="primary",
                    icon="plus",
                    key="a",
                    on_click=AddState.set_open(True),
                    custom_attrs={"data-key": "add"},
                )
            ),
            class_name="rx-head",
        ),
        notices(),
        rx.cond(
            StoresState.loaded & StoresState.all_here,
            notice(
                "warn",
                "Every backup rests on the server that it protects.",
                rx.el.p("If that server is lost, so are they. Add a bucket, or a folder on another machine."),
            ),
            rx.fragment(),
        ),
        running(),
        rx.cond(
            StoresState.loaded,
            rx.el.div(rx.foreach(StoresState.cards, _card), class_name="rx-stores"),
            rx.el.div(store_skeleton(), store_skeleton(), class_name="rx-stores"),
        ),
        _recent(),
        dialogs(),
        here=addresses.STORES,
        keys=_KEYS,
    )


def _for_admins(component: rx.Component) -> rx.Component:
    return rx.cond(_MAY_ALL, component, rx.fragment())


def _card(card: Any) -> rx.Component:
    return store_card(card, tools=_for_admins(_tools(card)), findings=_findings(card))


def _tools(card: Any) -> rx.Component:
    return rx.fragment(
        button(
            rx.cond(StoresState.testing & (StoresState.tested == card.name), "Testing", "Test"),
            look="quiet",
            on_click=StoresState.test(card.name),
            disabled=StoresState.testing,
            aria_label="Test " + card.name,
        ),
        row_menu(
            card.name,
            menu_item("brush-cleaning", "Free up space…", TendState.ask("free", card.name)),
            menu_item("archive-restore", "Bring back the catalogue…", TendState.ask("rebuild", card.name)),
            rx.dropdown_menu.separator(),
            menu_item("trash-2", "Remove…", TendState.ask("remove", card.name), danger=True),
        ),
    )


def _findings(card: Any) -> rx.Component:
    return rx.cond(
        StoresState.tested == card.name,
        rx.el.div(
            rx.el.div(
                rx.el.h3(rx.cond(StoresState.testing, "Testing", "Tested just now"), class_name="rx-heading"),
                rx.cond(
                    StoresState.testing,
                    rx.icon("loader-circle", size=16, aria_hidden="true", class_name="rx-spin"),
                    icon_button("x", "Close the test", on_click=StoresState.forget_test),
                ),
                class_name="rx-tools",
            ),
            failure(StoresState.error, StoresState.hint),
            check_list(StoresState.checks, label="What was tested"),
            class_name="rx-store-findings",
            custom_attrs={"aria-live": "polite"},
        ),
        rx.fragment(),
    )


def _recent() -> rx.Component:
    return rx.cond(
        WatchState.store_activity.length() > 0,
        rx.el.section(
            rx.el.h2("Recent activity", class_name="rx-heading"),
            activity_list(WatchState.store_activity),
            class_name="rx-section",
        ),
        rx.fragment(),
    )
