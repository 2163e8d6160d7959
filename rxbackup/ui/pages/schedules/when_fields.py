"""When a schedule is due: the part of its form that knows kinds of rules, days, times and zones."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.cadence.rules import LAST_DAY
from rxbackup.ui.components.fields import field, select, text_field
from rxbackup.ui.components.zones import known_zones, zone_input
from rxbackup.ui.pages.schedules.editing import EditState

_KINDS = (
    ("daily", "Every day"),
    ("weekly", "Every week"),
    ("monthly", "Every month"),
    ("hourly", "Every few hours"),
    ("cron", "Cron"),
)
_WEEKDAYS = (
    *(("Mon", "Monday"), ("Tue", "Tuesday"), ("Wed", "Wednesday"), ("Thu", "Thursday")),
    *(("Fri", "Friday"), ("Sat", "Saturday"), ("Sun", "Sunday")),
)
_HOURS = [("1", "Every hour"), *((str(hours), f"Every {hours} hours") for hours in (2, 3, 4, 6, 8, 12))]


def when_fields() -> rx.Component:
    """How often, on which days, at what time, in which zone; the style sheet shows the fields of the chosen kind."""
    filled = EditState.filled
    kinds = [press("radio", "kind", label, value=kind, checked=filled.kind == kind) for kind, label in _KINDS]
    weekdays = [
        press("checkbox", f"wday:{day}", short, checked=filled.days.contains(day), aria_label=whole)
        for day, (short, whole) in enumerate(_WEEKDAYS)
    ]
    month_days = [
        press("checkbox", f"mday:{day}", str(day), checked=filled.month_days.contains(day)) for day in range(1, 32)
    ]
    last_day = press("checkbox", f"mday:{LAST_DAY}", "Last day", checked=filled.month_days.contains(LAST_DAY))
    return rx.el.fieldset(
        rx.el.legend("When", class_name="rx-part"),
        rx.el.div(*kinds, class_name="rx-presss", role="radiogroup", aria_label="How often"),
        rx.el.div(*weekdays, class_name="rx-presss rx-week rx-for-weekly", role="group", aria_label="Days of the week"),
        rx.el.div(
            *month_days,
            last_day,
            class_name="rx-presss rx-month rx-for-monthly",
            role="group",
            aria_label="Days of the month",
        ),
        rx.el.div(
            rx.el.div(text_field("At", name="at", type="time", default_value=filled.at), class_name="rx-for-time"),
            rx.el.div(
                field(
                    "How often",
                    select("How often", _HOURS, labelled=True, id="hours", name="hours", default_value=filled.hours),
                    field_id="hours",
                ),
                class_name="rx-for-hourly",
            ),
            rx.el.div(
                text_field(
                    "Minutes past",
                    name="minute",
                    type="number",
                    min="0",
                    max="59",
                    input_mode="numeric",
                    default_value=filled.minute,
                ),
                class_name="rx-for-hourly",
            ),
            rx.el.div(
                text_field(
                    "Cron expression",
                    name="cron",
                    default_value=filled.cron,
                    auto_complete="off",
                    spell_check=False,
                    note="Minute, hour, day of month, month, day of week.",
                ),
                class_name="rx-for-cron",
            ),
            field(
                "Time zone",
                zone_input(
                    name="zone",
                    field_id="zone",
                    value=filled.zone,
                    zones=known_zones(),
                    class_name="rx-input",
                ),
                field_id="zone",
            ),
            class_name="rx-columns rx-when-fields",
        ),
        class_name="rx-fieldset rx-part-body rx-when",
    )


def press(kind: str, name: str, label: str, *, checked: Any, **props: Any) -> rx.Component:
    """A choice as a small button that stays pressed."""
    return rx.el.label(
        rx.el.input(type=kind, name=name, default_checked=checked, **props), rx.el.span(label), class_name="rx-press"
    )
