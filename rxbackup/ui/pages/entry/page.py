"""Sign in, and create the first admin."""

# mypy: disable-error-code="no-any-return,arg-type"
# Outside its own methods a state class hands out Vars where it declares values.

from __future__ import annotations

import reflex as rx

from rxbackup.ui.addresses import SIGN_IN
from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.fields import text_field
from rxbackup.ui.components.notices import bone, failure, notice
from rxbackup.ui.pages.entry.forms import entry_form, password_field
from rxbackup.ui.pages.entry.state import EntryState
from rxbackup.ui.shell import plain_frame


def _email() -> rx.Component:
    return text_field(
        "Email", name="email", type="email", auto_complete="username", required=True, auto_focus=True, spell_check=False
    )


def sign_in_page() -> rx.Component:
    """Email and password; on a first start it says where the first account comes from."""
    first_start = notice(
        "run",
        "No account exists yet.",
        rx.el.p("Open the link that ", rx.el.code("rxbackup serve"), " printed: it creates the first admin."),
    )
    return plain_frame(
        rx.cond(EntryState.first_start, first_start, rx.fragment()),
        entry_form(
            _email(),
            password_field("Password", new=False),
            button("Sign in", look="primary", type="submit"),
            action="/auth/sign-in",
        ),
        title="Sign in",
    )


def setup_page() -> rx.Component:
    """The first admin's email and password; the token comes with the link. A link that is over says so instead."""
    return plain_frame(
        rx.cond(
            EntryState.link_problem != "",
            _link_is_over(),
            rx.cond(EntryState.link_looked_at, _setup_form(), _setup_skeleton()),
        ),
        title="Create the first admin",
    )


def _setup_form() -> rx.Component:
    return rx.fragment(
        rx.el.p("This person may take, restore and delete backups. The link works once.", class_name="rx-soft"),
        entry_form(
            _email(),
            password_field("Password", new=True, note="At least 12 characters. A few unrelated words make a good one."),
            button("Create admin", look="primary", type="submit"),
            action="/auth/setup",
        ),
    )


def _link_is_over() -> rx.Component:
    return rx.fragment(
        failure(EntryState.link_problem, EntryState.link_hint),
        rx.el.a("Sign in", href=SIGN_IN, class_name="rx-button rx-button-quiet"),
    )


def _setup_skeleton() -> rx.Component:
    return rx.el.div(bone("line"), bone("number"), bone("line"), bone("number"), aria_busy="true")
