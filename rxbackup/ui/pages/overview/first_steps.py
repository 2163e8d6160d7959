"""The card of a first start: three steps that tick themselves off; then it goes away."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.pages.backups.creating import CreateState
from rxbackup.ui.pages.overview.state import OverviewState
from rxbackup.ui.pages.schedules.editing import EditState
from rxbackup.ui.session import SessionState

_STEPS = OverviewState.steps
wanted = (SessionState.role == "admin") & _STEPS.known & (_STEPS.here != "") & (OverviewState.hidden == "")
"""Whether the card is shown: to admins, while something of it is missing, unless it was put away."""


def first_steps() -> rx.Component:
    """What a new installation needs."""
    back_up = button(
        "Back up now",
        look="primary",
        key="c",
        on_click=CreateState.set_open(True),
        custom_attrs={"data-key": "create"},
    )
    schedule = button("Add a schedule", look="primary", on_click=EditState.suggest)
    tell = rx.link(
        "Choose who is told",
        href=addresses.NOTIFICATIONS,
        underline="none",
        class_name="rx-button rx-button-primary",
    )
    card = rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2("Three steps to safe data", id="first-steps", class_name="rx-first-title"),
                rx.el.p("Each ticks itself off once it is done.", class_name="rx-soft"),
            ),
            rx.cond(
                _STEPS.backed_up,
                icon_button("x", "Put the first steps away", on_click=OverviewState.hide_steps),
                rx.fragment(),
            ),
            class_name="rx-first-head",
        ),
        rx.el.ol(
            _step(
                1,
                "back-up",
                _STEPS.backed_up,
                "Take the first backup",
                "Everything below, as it is at one moment. It takes seconds to minutes; the app goes on working.",
                back_up,
            ),
            _step(
                2,
                "schedule",
                _STEPS.scheduled,
                "Let it happen by itself",
                "A schedule takes backups, proves them, and removes what is too old.",
                schedule,
            ),
            _step(
                3,
                "tell",
                _STEPS.told,
                "Let somebody be told",
                "By mail, chat or web hook: of backups that fail, that do not happen, or that miss rows.",
                tell,
            ),
            class_name="rx-first-list",
        ),
        custom_attrs={"aria-labelledby": "first-steps"},
        class_name="rx-panel rx-first-steps",
    )
    return rx.cond(wanted, card, rx.fragment())


def _step(number: int, name: str, done: Any, title: str, text: str, deed: rx.Component) -> rx.Component:
    here = _STEPS.here == name
    mark = rx.cond(done, rx.icon("check", size=14, role="img", aria_label="Done"), rx.el.span(str(number)))
    return rx.el.li(
        rx.el.span(mark, class_name="rx-steps-mark"),
        rx.el.p(title, class_name="rx-strong"),
        rx.cond(done, rx.fragment(), rx.el.p(text, class_name="rx-soft")),
        rx.cond(here, deed, rx.fragment()),
        custom_attrs={"aria-current": rx.cond(here, "step", "false")},
        class_name=rx.cond(
            done, "rx-first-one rx-first-done", rx.cond(here, "rx-first-one rx-first-here", "rx-first-one")
        ),
    )
