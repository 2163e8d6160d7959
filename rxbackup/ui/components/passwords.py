"""Fields for secrets: hidden until one asks to see them, and never filled in by the page."""

from __future__ import annotations

from typing import Any

import reflex as rx


class PasswordInput(rx.Component):
    """A password field that can be shown.

    Attributes:
        name: of the field.
        placeholder: stands there while nothing is typed.
        auto_complete: tells password managers whether it is a new one.
    """

    library = "$/public/rxbackup-entry.js"
    tag = "PasswordInput"
    name: rx.Var[str]
    auto_complete: rx.Var[str]
    required: rx.Var[bool]
    min_length: rx.Var[int]
    placeholder: rx.Var[str]


def password_input(name: str, *, auto_complete: str = "off", **props: Any) -> rx.Component:
    """The control for one secret; `name` is also its id. Put a label around it with `field`."""
    return PasswordInput.create(id=name, name=name, auto_complete=auto_complete, **props)
