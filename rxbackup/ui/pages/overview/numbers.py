"""How it went lately: numbers, and charts that are tables too."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.charts import runs_chart, storage_chart
from rxbackup.ui.components.notices import bone, empty
from rxbackup.ui.components.readouts import size
from rxbackup.ui.pages.backups.watching import PERIODS
from rxbackup.ui.pages.overview.state import OverviewState

_LATELY = OverviewState.lately
_PERIOD_WORDS = {30: "30 days", 90: "90 days", 365: "A year"}


def numbers() -> rx.Component:
    """Success, durations and sizes of the last days; backups by day; what the stores held."""
    periods = rx.el.div(
        *[_period(days) for days in PERIODS],
        role="group",
        aria_label="How far to look back",
        class_name="rx-presss",
    )
    return rx.el.section(
        rx.el.div(rx.el.h2("How it went lately", class_name="rx-heading"), periods, class_name="rx-tools"),
        rx.cond(
            _LATELY.known,
            rx.fragment(
                rx.cond(_LATELY.rate != "", _figures(), rx.fragment()),
                rx.el.div(_runs(), _storage(), class_name="rx-charts"),
            ),
            rx.el.div(_bones(), _bones(), class_name="rx-charts", aria_busy="true"),
        ),
        class_name="rx-section",
    )


def _period(days: int) -> rx.Component:
    is_chosen = OverviewState.period == days
    return rx.el.button(
        _PERIOD_WORDS[days],
        type="button",
        on_click=OverviewState.choose_period(days),
        class_name=rx.cond(is_chosen, "rx-press rx-press-on", "rx-press"),
        custom_attrs={"aria-pressed": is_chosen},
    )


def _figures() -> rx.Component:
    none_good = rx.el.span("–")
    took = rx.cond(_LATELY.took != "", rx.el.span(_LATELY.took), none_good)
    slowest = rx.cond(_LATELY.slowest != "", rx.fragment(_LATELY.slowest, " on the slowest day"), "none was good")
    return rx.el.div(
        rx.el.dl(
            _figure("Succeeded", rx.el.span(_LATELY.rate), _LATELY.rate_of),
            _figure("Typical duration", took, slowest),
            _figure("Rows backed up", size(bytes=_LATELY.raw_bytes), "as text, all backups together"),
            _figure("Added to stores", size(bytes=_LATELY.stored_bytes), "after deduplication and compression"),
            class_name="rx-numbers",
        ),
        class_name="rx-panel",
    )


def _figure(label: str, value: rx.Component, beneath: Any) -> rx.Component:
    return rx.el.div(rx.el.dt(label), rx.el.dd(value, rx.el.span(beneath, class_name="rx-beneath")))


def _runs() -> rx.Component:
    nothing = empty("chart-column", "No backup in this time", "Each backup that ends is counted here, good or not.")
    return rx.cond(
        _LATELY.days.length() > 0,
        runs_chart(first=_LATELY.first, last=_LATELY.last, days=_LATELY.days),
        rx.el.div(nothing, class_name="rx-panel"),
    )


def _storage() -> rx.Component:
    nothing = empty("hard-drive", "Nothing is stored yet", "What each store holds is measured every day.")
    return rx.cond(
        _LATELY.stores.length() > 0,
        storage_chart(days=_LATELY.measured, stores=_LATELY.stores),
        rx.el.div(nothing, class_name="rx-panel"),
    )


def _bones() -> rx.Component:
    return rx.el.div(
        rx.el.div(bone("short"), bone("line"), bone("number"), class_name="rx-chart-body"),
        class_name="rx-panel rx-chart",
    )
