"""The small dialogs about one schedule: what it keeps, and deleting it."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.judged_list import judged_list, judged_words
from rxbackup.ui.components.notices import bone, failure
from rxbackup.ui.components.readouts import count
from rxbackup.ui.pages.schedules.edit_dialog import edit_dialog
from rxbackup.ui.pages.schedules.editing import EditState
from rxbackup.ui.pages.schedules.tending import TendState


def dialogs() -> rx.Component:
    """All of them; at most one is open at a time. A page that is loaded anew starts without one."""
    shut = [state.set_open(False) for state in (EditState, TendState)]
    return rx.el.div(edit_dialog(), keeps_dialog(), delete_dialog(), on_mount=shut)


def keeps_dialog() -> rx.Component:
    """What its policy makes of today's backups."""
    judged = TendState.judged
    loading = rx.el.div(bone("line"), bone("short"), role="status", aria_busy="true", aria_label="Looking what is kept")
    found = rx.el.div(
        rx.el.p(TendState.keeps, ".", class_name="rx-strong"),
        judged_words(judged),
        judged_list(judged, on_turn=TendState.turn_page, on_show=TendState.show_only),
        class_name="rx-lines rx-keeps",
    )
    return dialog(
        failure(TendState.error, TendState.hint),
        rx.cond(TendState.error == "", rx.cond(judged.total < 0, loading, found), rx.fragment()),
        actions(on_cancel=TendState.set_open(False), cancel="Close"),
        title="What stays, and why",
        text=rx.fragment("The backups of “", TendState.name, "”, as its retention sees them now."),
        is_open=TendState.kind == "keeps",
        on_open_change=TendState.set_open,
        wide=True,
    )


def delete_dialog() -> rx.Component:
    """Delete: says what stays."""
    stays = rx.cond(
        TendState.judged.total < 0,
        rx.cond(TendState.error == "", bone("line"), rx.fragment()),
        rx.cond(
            TendState.backups == 0,
            rx.el.p("It has taken no backup that would stay behind."),
            rx.el.p(
                rx.cond(TendState.backups == 1, "Its backup stays", rx.fragment("Its ", _number(), " backups stay")),
                " and can be restored as before. Nothing removes ",
                rx.cond(TendState.backups == 1, "it", "them"),
                " by itself any more: delete by hand what you no longer need.",
            ),
        ),
    )
    return dialog(
        failure(TendState.error, TendState.hint),
        stays,
        rx.el.p("To let it rest and keep its settings, pause it instead.", class_name="rx-soft"),
        actions(
            button("Delete schedule", look="danger", on_click=TendState.delete, disabled=TendState.sending),
            on_cancel=TendState.set_open(False),
            cancel="Keep it",
        ),
        title="Delete this schedule?",
        text=rx.fragment("“", TendState.name, "” takes no backup any more. What it did is forgotten."),
        is_open=TendState.kind == "delete",
        on_open_change=TendState.set_open,
        danger=True,
    )


def _number() -> rx.Component:
    return rx.el.strong(count(value=TendState.backups))
