"""The page of notifications."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type,misc"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.backup_table import menu_item, row_menu
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.channel_card import channel_card, channel_skeleton, message_list
from rxbackup.ui.components.notices import empty, failure, notice
from rxbackup.ui.components.pager import pager
from rxbackup.ui.components.readouts import words
from rxbackup.ui.pages.backups.page import notices
from rxbackup.ui.pages.notifications.dialogs import dialogs
from rxbackup.ui.pages.notifications.editing import EditState
from rxbackup.ui.pages.notifications.removing import RemoveState
from rxbackup.ui.pages.notifications.state import NotificationsState
from rxbackup.ui.session import SessionState
from rxbackup.ui.shell import page_frame

_KEYS = {"a": "[data-key=add]"}
_MAY_ALL = SessionState.role == "admin"


def notifications_page() -> rx.Component:
    """Who hears of what happens."""
    add = button(
        "Add channel",
        look="primary",
        icon="plus",
        key="a",
        on_click=EditState.add,
        custom_attrs={"data-key": "add"},
    )
    loading = rx.el.div(channel_skeleton(), class_name="rx-stores")
    told = rx.el.div(
        empty("bell", "Only admins see this", "Channels say where messages go. An admin can show or change them."),
        class_name="rx-panel",
    )
    return page_frame(
        rx.el.div(
            rx.el.div(
                rx.el.h1("Notifications", class_name="rx-title"),
                rx.el.p("Who hears of failures, late backups, restores and more, and how.", class_name="rx-soft"),
            ),
            rx.cond(_MAY_ALL & (NotificationsState.cards.length() > 0), add, rx.fragment()),
            class_name="rx-head",
        ),
        notices(),
        rx.cond(
            NotificationsState.failure != "",
            notice(
                "bad",
                NotificationsState.failure,
                words(text=NotificationsState.failure_hint),
                action=icon_button("x", "Dismiss", on_click=NotificationsState.dismiss),
            ),
            rx.fragment(),
        ),
        rx.cond(
            _MAY_ALL,
            rx.cond(NotificationsState.loaded, _content(), loading),
            rx.cond(SessionState.role == "", loading, told),
        ),
        dialogs(),
        here=addresses.NOTIFICATIONS,
        keys=_KEYS,
    )


def _content() -> rx.Component:
    return rx.cond(
        NotificationsState.cards.length() > 0,
        rx.fragment(
            rx.cond(
                NotificationsState.deaf,
                notice(
                    "warn",
                    "Nobody would hear of a backup that fails.",
                    rx.el.p("Every channel is paused or leaves failures out. Resume one, or edit what it hears of."),
                ),
                rx.fragment(),
            ),
            rx.el.div(rx.foreach(NotificationsState.cards, _card), class_name="rx-stores"),
            _messages(),
        ),
        _nothing_yet(),
    )


def _nothing_yet() -> rx.Component:
    """No channel: what that means, and mail to begin with."""
    return rx.el.div(
        empty(
            "bell",
            "Nobody is told yet",
            "A backup that failed in silence is found out on the day it is needed.",
            button("Tell me by e-mail", look="primary", icon="mail", on_click=EditState.begin),
            button("Another way", look="quiet", on_click=EditState.add, custom_attrs={"data-key": "add"}),
        ),
        class_name="rx-panel rx-first-schedule",
    )


def _card(card: Any) -> rx.Component:
    resume = button("Resume", look="quiet", on_click=NotificationsState.resume(card.name))
    told = (NotificationsState.tested == card.name) & (NotificationsState.error != "")
    return channel_card(card, tools=_tools(card), resume=resume, findings=_findings(card), told=told)


def _tools(card: Any) -> rx.Component:
    here = NotificationsState.testing & (NotificationsState.tested == card.name)
    return rx.fragment(
        button(
            rx.cond(here, "Sending", "Send a test"),
            look="quiet",
            on_click=NotificationsState.test(card.name),
            disabled=NotificationsState.testing,
            aria_label="Send a test to " + card.name,
        ),
        row_menu(
            card.name,
            menu_item("pencil", "Edit…", EditState.edit(card.name)),
            rx.cond(
                card.state == "paused",
                menu_item("play", "Resume", NotificationsState.resume(card.name)),
                menu_item("pause", "Pause", NotificationsState.pause(card.name)),
            ),
            rx.dropdown_menu.separator(),
            menu_item("trash-2", "Remove…", RemoveState.ask(card.name, card.waiting), danger=True),
        ),
    )


def _findings(card: Any) -> rx.Component:
    state = NotificationsState
    sending = rx.el.p(
        rx.icon("loader-circle", size=16, aria_hidden="true", class_name="rx-spin"),
        "Sending; a server that does not answer is waited for, 15 seconds at most.",
        class_name="rx-row rx-soft",
    )
    return rx.cond(
        state.tested == card.name,
        rx.el.div(
            rx.el.div(
                rx.el.h3(rx.cond(state.testing, "Test", "Tested just now"), class_name="rx-heading"),
                rx.cond(state.testing, rx.fragment(), icon_button("x", "Close the test", on_click=state.forget_test)),
                class_name="rx-tools",
            ),
            rx.cond(state.testing, sending, rx.fragment()),
            rx.cond(state.sent != "", notice("good", "The test was sent.", rx.el.p(state.sent)), rx.fragment()),
            failure(state.error, state.hint),
            class_name="rx-store-findings",
            custom_attrs={"aria-live": "polite"},
        ),
        rx.fragment(),
    )


def _messages() -> rx.Component:
    listed = rx.fragment(
        message_list(NotificationsState.lines),
        pager(
            rx.el.span("The last 50, newest first. After 30 days they are forgotten."),
            number=NotificationsState.page,
            pages=NotificationsState.pages,
            on_turn=NotificationsState.turn_page,
        ),
    )
    none = empty("mail-check", "No message yet", "Nothing has happened that anybody asked to hear of. Send a test.")
    return rx.el.section(
        rx.el.h2("Messages", class_name="rx-heading"),
        rx.el.div(rx.cond(NotificationsState.total > 0, listed, none), class_name="rx-panel"),
        class_name="rx-section",
    )
