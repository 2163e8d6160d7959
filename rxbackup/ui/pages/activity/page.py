"""The page of activity."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type,misc"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

import reflex as rx

from rxbackup.access.actor import CONSOLE_EMAIL, SYSTEM_EMAIL
from rxbackup.ui import addresses, wording
from rxbackup.ui.components.activity_list import activity_list, activity_skeleton
from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.fields import select
from rxbackup.ui.components.notices import empty, failure
from rxbackup.ui.components.pager import pager
from rxbackup.ui.components.readouts import count
from rxbackup.ui.pages.activity.state import ActivityState
from rxbackup.ui.pages.backups.page import notices
from rxbackup.ui.pages.backups.running import running
from rxbackup.ui.shell import page_frame


def activity_page() -> rx.Component:
    """What happened, and what happens."""
    return page_frame(
        rx.el.div(
            rx.el.div(
                rx.el.h1("Activity", class_name="rx-title"),
                rx.el.p("Every run that ended and everything people did, the newest first.", class_name="rx-soft"),
            ),
            class_name="rx-head",
        ),
        notices(),
        failure(ActivityState.away, ActivityState.away_hint),
        running(),
        rx.cond(
            ActivityState.allowed,
            rx.fragment(
                _choice(),
                rx.el.div(
                    rx.cond(ActivityState.loaded, _lines(), activity_skeleton()),
                    class_name="rx-panel",
                ),
            ),
            rx.el.div(
                empty("lock", "Only admins see what happened", "Runs of backups are told on their own pages."),
                class_name="rx-panel",
            ),
        ),
        here=addresses.ACTIVITY,
        keys={"/": "#filter"},
    )


def _choice() -> rx.Component:
    """Narrows the list: by words, kind, outcome and person."""
    people = [("", "Everybody"), (SYSTEM_EMAIL, "rxbackup itself"), (CONSOLE_EMAIL, "The terminal")]
    return rx.el.div(
        rx.el.div(
            rx.icon("search", size=16, aria_hidden="true"),
            rx.el.input(
                id="filter",
                name="filter",
                type="search",
                class_name="rx-input",
                placeholder="Filter by name, person, words of an error",
                aria_label="Filter activity",
                default_value=ActivityState.text,
                on_change=ActivityState.set_text.debounce(200),
                custom_attrs={"aria-keyshortcuts": "/"},
            ),
            rx.el.kbd("/", class_name="rx-key", aria_hidden="true"),
            class_name="rx-search",
        ),
        select(
            "Kind",
            [("", "All kinds"), *wording.ACTIVITY_KINDS.items()],
            value=ActivityState.kind,
            on_change=ActivityState.set_kind,
        ),
        select(
            "Outcome",
            [("", "All outcomes"), *wording.ACTIVITY_OUTCOMES.items()],
            value=ActivityState.outcome,
            on_change=ActivityState.set_outcome,
        ),
        select(
            "Person",
            people,
            ActivityState.people,
            value=ActivityState.person,
            on_change=ActivityState.set_person,
        ),
        class_name="rx-filters rx-filters-alone",
        role="search",
    )


def _lines() -> rx.Component:
    narrowed = (
        (ActivityState.text != "")
        | (ActivityState.kind != "")
        | (ActivityState.outcome != "")
        | (ActivityState.person != "")
    )
    nothing_found = empty(
        "search-x",
        "Nothing matches",
        rx.cond(
            ActivityState.text != "",
            rx.fragment("Nothing that was chosen contains “", ActivityState.text, "”."),
            "Nothing like that has happened.",
        ),
        button("Show all", look="quiet", on_click=ActivityState.show_all),
    )
    nothing_yet = empty("history", "Nothing has happened yet", "Backups, restores and what people do appear here.")
    return rx.cond(
        ActivityState.rows.length() > 0,
        rx.fragment(
            activity_list(ActivityState.rows, label="Activity"),
            pager(
                rx.el.span(count(value=ActivityState.total), rx.cond(ActivityState.total == 1, " line", " lines")),
                number=ActivityState.page,
                pages=ActivityState.pages,
                on_turn=ActivityState.turn_page,
            ),
        ),
        rx.cond(narrowed, nothing_found, nothing_yet),
    )
