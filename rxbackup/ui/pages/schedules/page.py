"""The page of schedules."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type,misc"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.backup_table import menu_item, row_menu
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.notices import bone, empty, notice
from rxbackup.ui.components.readouts import words
from rxbackup.ui.components.schedule_card import runs_list, schedule_card, schedule_skeleton
from rxbackup.ui.pages.backups.page import notices
from rxbackup.ui.pages.backups.running import running
from rxbackup.ui.pages.schedules.dialogs import dialogs
from rxbackup.ui.pages.schedules.editing import EditState
from rxbackup.ui.pages.schedules.state import SchedulesState
from rxbackup.ui.pages.schedules.tending import TendState
from rxbackup.ui.session import SessionState
from rxbackup.ui.shell import page_frame

_KEYS = {"a": "[data-key=add]"}
_MAY_ALL = SessionState.role == "admin"
_MAY_BACK_UP = (SessionState.role == "admin") | (SessionState.role == "operator")


def schedules_page() -> rx.Component:
    """When backups are taken by themselves."""
    return page_frame(
        rx.el.div(
            rx.el.div(
                rx.el.h1("Schedules", class_name="rx-title"),
                rx.el.p("Backups that are taken by themselves, and how long they stay.", class_name="rx-soft"),
            ),
            _for_admins(
                button(
                    "Add schedule",
                    look="primary",
                    icon="plus",
                    key="a",
                    on_click=EditState.add,
                    custom_attrs={"data-key": "add"},
                )
            ),
            class_name="rx-head",
        ),
        notices(),
        rx.cond(
            SchedulesState.error != "",
            notice(
                "bad",
                SchedulesState.error,
                words(text=SchedulesState.hint),
                action=icon_button("x", "Dismiss", on_click=SchedulesState.dismiss),
            ),
            rx.fragment(),
        ),
        running(),
        rx.cond(
            SchedulesState.loaded,
            rx.cond(
                SchedulesState.cards.length() > 0,
                rx.el.div(rx.foreach(SchedulesState.cards, _card), class_name="rx-stores"),
                _nothing_yet(),
            ),
            rx.el.div(schedule_skeleton(), class_name="rx-stores"),
        ),
        dialogs(),
        here=addresses.SCHEDULES,
        keys=_KEYS,
    )


def _for_admins(component: rx.Component) -> rx.Component:
    return rx.cond(_MAY_ALL, component, rx.fragment())


def _nothing_yet() -> rx.Component:
    """No schedule: what that means, and a sensible one to begin with."""
    offer = empty(
        "calendar-plus",
        "No schedule yet",
        "Backups are taken only when somebody asks for one. A good beginning: every night at 02:00, everything, and of "
        "those one a day for two weeks, one a week for two months and one a month for a year.",
        button("Begin with that", look="primary", on_click=EditState.suggest),
        button("Choose everything yourself", look="quiet", on_click=EditState.add),
    )
    told = empty(
        "calendar-plus",
        "No schedule yet",
        "Backups are taken only when somebody asks for one. An admin can change that.",
    )
    return rx.el.div(rx.cond(_MAY_ALL, offer, told), class_name="rx-panel rx-first-schedule")


def _card(card: Any) -> rx.Component:
    resume = _for_admins(button("Resume", look="quiet", on_click=SchedulesState.resume(card.id)))
    return schedule_card(card, tools=_tools(card), resume=resume, runs=_runs(card))


def _tools(card: Any) -> rx.Component:
    run = button(
        "Run now",
        look="quiet",
        icon="play",
        on_click=SchedulesState.run(card.id),
        disabled=card.is_running,
        aria_label="Run now: " + card.name,
    )
    for_admins = rx.fragment(
        menu_item("pencil", "Edit…", EditState.edit(card.id)),
        rx.cond(
            card.active,
            menu_item("pause", "Pause", SchedulesState.pause(card.id)),
            menu_item("play", "Resume", SchedulesState.resume(card.id)),
        ),
    )
    delete = rx.fragment(
        rx.dropdown_menu.separator(),
        menu_item("trash-2", "Delete…", TendState.ask("delete", card.id, card.name), danger=True),
    )
    return rx.fragment(
        rx.cond(_MAY_BACK_UP, run, rx.fragment()),
        row_menu(
            card.name,
            _for_admins(for_admins),
            menu_item("list-checks", "What stays, and why", TendState.ask("keeps", card.id, card.name)),
            _for_admins(delete),
        ),
    )


def _runs(card: Any) -> rx.Component:
    """Its last runs, folded away until somebody asks."""
    is_open = SchedulesState.opened == card.id
    loading = rx.el.div(bone("line"), bone("short"), role="status", aria_busy="true", aria_label="Looking")
    found = rx.cond(
        SchedulesState.runs.length() > 0,
        runs_list(SchedulesState.runs, zone=card.zone),
        rx.el.p("It was not due yet.", class_name="rx-soft"),
    )
    return rx.el.div(
        rx.el.button(
            rx.icon("chevron-right", size=16, aria_hidden="true"),
            rx.el.span("Last runs"),
            type="button",
            on_click=SchedulesState.toggle_runs(card.id),
            class_name="rx-button rx-button-bare rx-unfold",
            aria_label="Last runs of " + card.name,
            custom_attrs={"aria-expanded": is_open},
        ),
        rx.cond(is_open, rx.cond(SchedulesState.runs_loaded, found, loading), rx.fragment()),
        class_name="rx-schedule-runs",
    )
