"""The dialogs about channels: the form, and removing one."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.notices import failure
from rxbackup.ui.components.readouts import count
from rxbackup.ui.pages.notifications.edit_dialog import edit_dialog
from rxbackup.ui.pages.notifications.editing import EditState
from rxbackup.ui.pages.notifications.removing import RemoveState


def dialogs() -> rx.Component:
    """Both; at most one is open at a time. A page that is loaded anew starts without one."""
    shut = [state.set_open(False) for state in (EditState, RemoveState)]
    return rx.el.div(edit_dialog(), remove_dialog(), on_mount=shut)


def remove_dialog() -> rx.Component:
    """Remove: says what is lost with it."""
    waiting = rx.el.p(
        rx.el.strong(count(value=RemoveState.waiting)),
        rx.cond(RemoveState.waiting == 1, " message that waits for it is", " messages that wait for it are"),
        " never sent.",
    )
    return dialog(
        failure(RemoveState.error, RemoveState.hint),
        rx.cond(RemoveState.waiting > 0, waiting, rx.fragment()),
        rx.el.p("To let it rest and keep its settings, pause it instead.", class_name="rx-soft"),
        actions(
            button("Remove channel", look="danger", on_click=RemoveState.remove, disabled=RemoveState.sending),
            on_cancel=RemoveState.set_open(False),
            cancel="Keep it",
        ),
        title="Remove this channel?",
        text=rx.fragment("“", RemoveState.name, "” hears of nothing any more; its address and secrets are deleted."),
        is_open=RemoveState.name != "",
        on_open_change=RemoveState.set_open,
        danger=True,
    )
