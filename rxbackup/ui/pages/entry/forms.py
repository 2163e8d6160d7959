"""The parts of the entry pages that live in the browser: `assets/rxbackup-entry.js`."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.fields import field
from rxbackup.ui.components.passwords import password_input

_LIBRARY = "$/public/rxbackup-entry.js"


class EntryForm(rx.Component):
    """Sends what is typed to `action` over HTTP, shows what went wrong, and goes on where `?next=` says.

    Attributes:
        action: a path of our own API.
    """

    library = _LIBRARY
    tag = "EntryForm"
    action: rx.Var[str]


def entry_form(*children: rx.Component, action: str) -> rx.Component:
    """A form that begins a session."""
    return EntryForm.create(*children, action=action)


def password_field(label: str, *, new: bool, note: Any = "") -> rx.Component:
    """The password, labelled, with a button that shows it."""
    described = {"aria-describedby": "password-note"} if note else {}
    control = password_input(
        "password",
        auto_complete="new-password" if new else "current-password",
        required=True,
        custom_attrs=described,
    )
    return field(label, control, field_id="password", note=note)
