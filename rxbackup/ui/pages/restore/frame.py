"""What every step has: its heading, which takes the focus, and the way back and on at its foot."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx


class StepTitle(rx.Component):
    """A heading that takes the focus when its step follows another one."""

    library = "$/public/rxbackup-ui.js"
    tag = "StepTitle"
    step: rx.Var[str]


def step_title(title: Any, *, step: str) -> rx.Component:
    """The heading of a step alone."""
    return StepTitle.create(title, step=step, class_name="rx-step-title")


def step_head(title: Any, text: Any = None, *, step: str) -> rx.Component:
    """The heading of a step, and a sentence about it."""
    return rx.el.div(
        step_title(title, step=step),
        rx.el.p(text, class_name="rx-soft") if text is not None else rx.fragment(),
    )


def step_foot(*buttons: rx.Component, back: rx.Component | None = None) -> rx.Component:
    """The way back at the left, the way on at the right."""
    return rx.el.div(
        back or rx.el.span(),
        rx.el.div(*buttons, class_name="rx-step-on"),
        class_name="rx-step-foot",
    )
