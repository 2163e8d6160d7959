"""The overview: home."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.activity_list import activity_list
from rxbackup.ui.components.alert_list import alert_list
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.group_tiles import group_tiles
from rxbackup.ui.components.notices import empty, notice
from rxbackup.ui.components.protection_card import protection_card
from rxbackup.ui.components.readouts import count, when, words
from rxbackup.ui.components.schedule_card import schedule_light
from rxbackup.ui.components.zones import in_zone
from rxbackup.ui.pages.backups.choice_dialogs import check_dialog
from rxbackup.ui.pages.backups.choosing import ChoiceState
from rxbackup.ui.pages.backups.creating import CreateState
from rxbackup.ui.pages.backups.dialogs import create_dialog
from rxbackup.ui.pages.backups.page import notices, verify_button
from rxbackup.ui.pages.backups.running import running
from rxbackup.ui.pages.backups.state import WatchState
from rxbackup.ui.pages.overview.first_steps import first_steps
from rxbackup.ui.pages.overview.first_steps import wanted as steps_wanted
from rxbackup.ui.pages.overview.numbers import numbers
from rxbackup.ui.pages.overview.state import OverviewState
from rxbackup.ui.pages.schedules.edit_dialog import edit_dialog
from rxbackup.ui.pages.schedules.editing import EditState
from rxbackup.ui.session import SessionState
from rxbackup.ui.shell import page_frame

_KEYS = {"c": "[data-key=create]"}
_MAY_BACK_UP = SessionState.role != "viewer"
_MAY_ALL = SessionState.role == "admin"
_IS_FIRST_START = steps_wanted & (WatchState.activity.length() == 0)


def overview_page() -> rx.Component:
    """Whether the data is safe, what wants a person, what there is, how it went."""
    return page_frame(
        rx.el.div(rx.el.h1("Overview", class_name="rx-title"), class_name="rx-head"),
        notices(),
        rx.el.div(OverviewState.spoken, class_name="rx-hidden", role="status", custom_attrs={"aria-live": "polite"}),
        first_steps(),
        # Nothing is said about safety while nobody can look.
        rx.cond((WatchState.away == "") & (~steps_wanted | OverviewState.steps.backed_up), _safety(), rx.fragment()),
        running(),
        _alerts(),
        group_tiles(WatchState.tiles, loaded=WatchState.counted, may_look=_MAY_ALL),
        rx.cond(_IS_FIRST_START, rx.fragment(), rx.fragment(numbers(), _recent())),
        rx.el.div(
            create_dialog(),
            check_dialog(),
            edit_dialog(),
            on_mount=[state.set_open(False) for state in (CreateState, ChoiceState, EditState)],
        ),
        here=addresses.OVERVIEW,
        keys=_KEYS,
    )


def _safety() -> rx.Component:
    """The sentence, the one thing to do, and each schedule where there are several."""
    return rx.el.div(
        protection_card(
            WatchState.protection,
            deeds=rx.el.div(_deeds(), class_name="rx-row"),
            first=_back_up("primary"),
            note=WatchState.store_note,
        ),
        rx.cond(OverviewState.schedules > 1, _lights(), rx.fragment()),
        class_name="rx-safety",
    )


def _deeds() -> rx.Component:
    verify = rx.cond((WatchState.protection.remedy == "check") & _MAY_BACK_UP, verify_button(), rx.fragment())
    unscheduled = OverviewState.loaded & (OverviewState.schedules == 0) & _MAY_ALL
    schedule = rx.fragment(
        _back_up("quiet"), button("Add a schedule", look="primary", icon="plus", on_click=EditState.suggest)
    )
    # While the first steps are shown they hold the one thing to do.
    return rx.fragment(
        verify, rx.cond(steps_wanted, _back_up("quiet"), rx.cond(unscheduled, schedule, _back_up("primary")))
    )


def _back_up(look: str) -> rx.Component:
    press = button(
        "Back up now",
        look=look,
        key="c",
        on_click=CreateState.set_open(True),
        custom_attrs={"data-key": "create"},
    )
    return rx.cond(_MAY_BACK_UP, press, rx.fragment())


def _lights() -> rx.Component:
    others = OverviewState.schedules - OverviewState.lights.length()
    return rx.el.div(
        rx.el.ul(rx.foreach(OverviewState.lights, _light), aria_label="Schedules", class_name="rx-lights"),
        rx.cond(
            others > 0,
            rx.el.div(
                rx.link(
                    rx.fragment("And ", count(value=others), rx.cond(others == 1, " more schedule", " more schedules")),
                    href=addresses.SCHEDULES,
                    underline="none",
                    class_name="rx-button rx-button-bare",
                ),
                class_name="rx-alerts-more",
            ),
            rx.fragment(),
        ),
        class_name="rx-panel",
    )


def _light(one: Any) -> rx.Component:
    following = rx.fragment("next ", when(at=one.next_at), " · ", in_zone(at=one.next_at, zone=one.zone, short=True))
    return rx.el.li(
        schedule_light(one.light),
        rx.link(one.name, href=addresses.SCHEDULES, underline="none", class_name="rx-subject rx-light-name"),
        rx.el.span(rx.cond(one.next_at != "", following, "not due"), class_name="rx-soft rx-figures"),
        key=one.id,
        class_name="rx-light",
    )


def _alerts() -> rx.Component:
    failed = notice(
        "bad",
        OverviewState.error,
        words(text=OverviewState.hint),
        action=icon_button("x", "Dismiss", on_click=OverviewState.dismiss),
    )
    hidden = OverviewState.total_alerts - OverviewState.alerts.length()
    more = rx.el.div(
        button(
            rx.fragment("Show all ", count(value=OverviewState.total_alerts)),
            look="bare",
            icon="chevron-down",
            on_click=OverviewState.show_every_alert,
        ),
        class_name="rx-alerts-more",
    )
    section = rx.el.section(
        rx.el.h2("Wants your attention", class_name="rx-heading"),
        rx.el.div(
            alert_list(OverviewState.alerts, going=OverviewState.going, may_end=_MAY_ALL, on_end=OverviewState.expect),
            rx.cond((hidden > 0) & ~OverviewState.every_alert, more, rx.fragment()),
            class_name="rx-panel",
        ),
        class_name="rx-section",
    )
    return rx.fragment(
        rx.cond(OverviewState.error != "", failed, rx.fragment()),
        rx.cond(OverviewState.alerts.length() > 0, section, rx.fragment()),
    )


def _recent() -> rx.Component:
    nothing = rx.el.div(
        empty("activity", "Nothing happened yet", "Backups, restores and checks are told here, newest first."),
        class_name="rx-panel",
    )
    everything = rx.link(
        rx.el.span("All activity"),
        rx.icon("chevron-right", size=16, aria_hidden="true"),
        href=addresses.ACTIVITY,
        underline="none",
        class_name="rx-button rx-button-bare",
    )
    return rx.cond(
        WatchState.loaded,
        rx.el.section(
            rx.el.div(
                rx.el.h2("What happened lately", class_name="rx-heading"),
                rx.cond(_MAY_ALL, everything, rx.fragment()),
                class_name="rx-tools",
            ),
            rx.cond(WatchState.activity.length() > 0, activity_list(WatchState.activity), nothing),
            class_name="rx-section",
        ),
        rx.fragment(),
    )
