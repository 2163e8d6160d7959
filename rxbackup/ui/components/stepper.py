"""Where one is on a way of several steps."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx


def stepper(steps: Any, *, label: str) -> rx.Component:
    """Draw a var of lines that have a number, title, state (done, here, ahead) and href ("" where one cannot go)."""
    return rx.el.nav(
        rx.el.ol(rx.foreach(steps, _step), class_name="rx-steps"),
        aria_label=label,
    )


def _step(step: Any) -> rx.Component:
    mark = rx.cond(
        step.state == "done",
        rx.icon("check", size=14, role="img", aria_label="Done"),
        rx.el.span(step.number),
    )
    inside = rx.fragment(
        rx.el.span(mark, class_name="rx-steps-mark"), rx.el.span(step.title, class_name="rx-steps-title")
    )
    return rx.el.li(
        rx.cond(
            step.href != "",
            rx.link(inside, href=step.href, underline="none", class_name="rx-steps-body"),
            rx.el.span(
                inside,
                class_name="rx-steps-body",
                custom_attrs={"aria-current": rx.cond(step.state == "here", "step", "false")},
            ),
        ),
        key=step.name,
        class_name="rx-steps-one rx-steps-" + step.state.to(str),
    )
