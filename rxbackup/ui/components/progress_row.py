"""Something that is running: stage in words, bar, rows, bytes, pace, and a way to stop it."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.readouts import count, size


def progress_row(run: Any, *, on_cancel: Any, may_cancel: Any) -> rx.Component:
    """Draw a var of `RunRow`."""
    return rx.el.li(
        rx.el.span(
            rx.icon("loader-circle", size=16, aria_hidden="true", class_name="rx-spin"), class_name="rx-run-icon"
        ),
        rx.el.div(
            rx.el.p(
                rx.cond(
                    run.href != "",
                    rx.link(run.title, href=run.href, class_name="rx-subject", underline="none"),
                    rx.el.span(run.title, class_name="rx-strong"),
                ),
                rx.el.span(run.stage, class_name="rx-run-stage"),
                class_name="rx-run-line",
            ),
            progress_bar(run.percent, run.title),
            rx.el.p(_numbers(run), class_name="rx-run-numbers"),
            class_name="rx-run-body",
        ),
        rx.cond(
            may_cancel,
            button(
                rx.cond(run.cancelling, "Cancelling", "Cancel"),
                look="quiet",
                disabled=run.cancelling,
                on_click=on_cancel,
            ),
            rx.fragment(),
        ),
        key=run.id,
        class_name="rx-run",
    )


def progress_bar(percent: Any, label: Any) -> rx.Component:
    """A bar from 0 to 100; one that only moves while `percent` is below 0."""
    return rx.cond(
        percent >= 0,
        rx.el.div(
            rx.el.div(class_name="rx-bar-fill", style={"transform": f"scaleX(calc({percent} / 100))"}),
            role="progressbar",
            aria_label=label,
            class_name="rx-bar",
            custom_attrs={"aria-valuenow": percent, "aria-valuemin": 0, "aria-valuemax": 100},
        ),
        rx.el.div(
            rx.el.div(class_name="rx-bar-fill rx-bar-unknown"),
            role="progressbar",
            aria_label=label,
            class_name="rx-bar",
        ),
    )


def _numbers(run: Any) -> rx.Component:
    of_total = rx.cond(
        run.rows_total > 0, rx.fragment(" of ", count(value=run.rows_total, estimated=True)), rx.fragment()
    )
    return rx.el.span(
        rx.cond(run.percent >= 0, rx.el.span(run.percent, " % · "), rx.fragment()),
        rx.cond(
            run.rows_done > 0,
            rx.fragment(count(value=run.rows_done), of_total, " rows · ", size(bytes=run.bytes_done)),
            rx.el.span("Nothing read yet"),
        ),
        rx.cond(run.pace != "", rx.el.span(" · ", run.pace), rx.fragment()),
    )
