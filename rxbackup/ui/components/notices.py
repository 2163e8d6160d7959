"""What is said between the lines of a page: notices, failures with their cause, empty places, skeletons."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.readouts import words

_ICONS = {"bad": "circle-alert", "warn": "triangle-alert", "good": "circle-check", "run": "info", "idle": "info"}


def notice(tone: str, title: Any, *children: rx.Component, action: rx.Component | None = None) -> rx.Component:
    """A lasting message: icon, title, explanation, and at most one thing to do."""
    return rx.el.div(
        rx.icon(_ICONS[tone], size=16, aria_hidden="true", class_name="rx-notice-icon"),
        rx.el.div(rx.el.p(title, class_name="rx-notice-title"), *children, class_name="rx-notice-body"),
        action or rx.fragment(),
        class_name=f"rx-notice rx-tone-{tone}",
        role="alert" if tone == "bad" else "status",
    )


def failure(message: rx.Var[str], hint: rx.Var[str], details: rx.Var[str] | None = None) -> rx.Component:
    """What went wrong, what to do, and the details to copy. Draws nothing while `message` is ""."""
    copy = (
        button("Copy details", look="bare", icon="copy", on_click=rx.set_clipboard(details))
        if details is not None
        else None
    )
    body = rx.cond(hint != "", words(text=hint), rx.fragment())
    return rx.cond(message != "", notice("bad", message, body, action=copy), rx.fragment())


def empty(icon: str, title: Any, text: Any, *actions: rx.Component) -> rx.Component:
    """A place with nothing in it yet, and what to do about that."""
    return rx.el.div(
        rx.el.span(rx.icon(icon, size=20, aria_hidden="true"), class_name="rx-empty-icon"),
        rx.el.p(title, class_name="rx-empty-title"),
        rx.el.p(text, class_name="rx-soft"),
        rx.el.div(*actions, class_name="rx-row") if actions else rx.fragment(),
        class_name="rx-empty",
    )


def bone(kind: str = "line", **props: Any) -> rx.Component:
    """One grey shape of a skeleton: `line`, `short`, `number`, `disc`."""
    return rx.el.span(class_name=f"rx-bone rx-bone-{kind}", aria_hidden="true", **props)
