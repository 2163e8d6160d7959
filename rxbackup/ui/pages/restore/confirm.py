"""Confirm: exactly what will change, and a name typed by hand."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.fields import field, tick
from rxbackup.ui.components.notices import notice
from rxbackup.ui.components.readouts import count, table_name, words
from rxbackup.ui.pages.restore.frame import step_foot, step_head
from rxbackup.ui.pages.restore.notes import first_look
from rxbackup.ui.pages.restore.preview import stale_notice
from rxbackup.ui.pages.restore.preview_state import PreviewState
from rxbackup.ui.pages.restore.run_state import RunState
from rxbackup.ui.pages.restore.state import WizardState


def confirm_step() -> rx.Component:
    """The last look before it is done."""
    undo = WizardState.undo != ""
    blocked = (
        ((WizardState.undo == "") & (RunState.typed != WizardState.name))
        | (WizardState.foreign & ~RunState.trusted)
        | (WizardState.problems.length() > 0)
        | PreviewState.stale
        | WizardState.planning
        | RunState.sending
    )
    return rx.el.section(
        step_head(
            "Is this what you want?",
            rx.fragment(WizardState.chosen, rx.cond(WizardState.undo == "", f", {WizardState.how}", ""), "."),
            step="confirm",
        ),
        stale_notice(),
        _failure(),
        rx.cond(PreviewState.state == "ready", rx.fragment(), first_look()),
        rx.el.form(
            rx.el.div(
                rx.cond(PreviewState.state == "ready", _exactly(), _about()),
                rx.el.p(_afterwards(), " ", _undo_words()),
                rx.cond(
                    WizardState.maintenance,
                    rx.el.p(
                        rx.el.strong("The tables are locked until it is done. "),
                        "The app waits, or says that it cannot.",
                    ),
                    rx.fragment(),
                ),
                rx.cond(WizardState.foreign, _trust(), rx.fragment()),
                rx.cond(undo, rx.fragment(), _typed_name()),
                class_name="rx-confirm",
            ),
            step_foot(
                button(
                    rx.cond(
                        PreviewState.deed != "",
                        PreviewState.deed,
                        rx.cond(undo, "Undo the restore", "Restore"),
                    ),
                    look="danger",
                    type="submit",
                    disabled=blocked,
                ),
                back=button("Back", look="quiet", on_click=WizardState.go_preview),
            ),
            on_submit=RunState.submit,
            class_name="rx-section",
        ),
        class_name="rx-section rx-wizard",
    )


def _failure() -> rx.Component:
    again = rx.cond(
        RunState.refused,
        button("Look again", look="quiet", icon="refresh-cw", on_click=WizardState.look_again),
        rx.fragment(),
    )
    return rx.cond(
        RunState.error != "",
        notice("bad", RunState.error, words(text=RunState.hint), action=again),
        rx.fragment(),
    )


def _exactly() -> rx.Component:
    """The tables that change, each with its rows."""
    return rx.cond(
        PreviewState.touched.length() > 0,
        rx.fragment(
            rx.el.p(PreviewState.verdict.title, ":", class_name="rx-strong"),
            rx.el.ul(
                rx.foreach(PreviewState.touched, _touched),
                rx.cond(PreviewState.touched_more != "", rx.el.li(PreviewState.touched_more), rx.fragment()),
                class_name="rx-touched",
            ),
        ),
        rx.el.p(PreviewState.verdict.title, ". ", PreviewState.verdict.text, class_name="rx-strong"),
    )


def _touched(line: Any) -> rx.Component:
    def part(value: Any, word: str, tone: str) -> rx.Component:
        return rx.cond(value > 0, rx.el.span(count(value=value), f" {word}", class_name=tone), rx.fragment())

    return rx.el.li(
        table_name(name=line.name, class_name="rx-strong rx-wrap"),
        rx.el.span(
            part(line.added, "added", "rx-added"),
            part(line.changed, "changed", "rx-changed"),
            part(line.removed, "removed", "rx-removed"),
            part(line.set_aside, "set aside", ""),
            class_name="rx-touched-rows",
        ),
        key=line.key,
    )


def _about() -> rx.Component:
    """Without a preview only the choice can be said, and that the rest is not known."""
    return rx.fragment(
        rx.el.p(
            rx.el.strong(WizardState.chosen),
            ". How many rows change is not known, because the comparison was not finished.",
        ),
    )


def _afterwards() -> rx.Component:
    return rx.match(
        WizardState.mode,
        ("missing", rx.fragment("Rows that are gone come back. Rows that are there stay as they are.")),
        (
            "changed",
            rx.fragment("Rows that are gone come back, rows that differ are set back. Newer rows stay."),
        ),
        rx.fragment("The tables then hold exactly the rows of the backup. Rows made or changed since are gone."),
    )


def _undo_words() -> rx.Component:
    return rx.fragment("A safety backup is taken first, so you can undo it.")


def _typed_name() -> rx.Component:
    label = rx.fragment("Type the backup’s name to confirm: ", rx.el.span(WizardState.name, class_name="rx-copyable"))
    return field(
        label,
        rx.el.input(
            id="confirm",
            name="confirm",
            class_name="rx-input",
            auto_complete="off",
            on_change=RunState.type_name.debounce(120),
            custom_attrs={"spellCheck": "false"},
        ),
        field_id="confirm",
    )


def _trust() -> rx.Component:
    """A backup that another key has signed needs one more yes."""
    return rx.fragment(
        rx.el.p(
            rx.el.strong("Another key signed this backup. "),
            "rxbackup cannot say who made it: its rows may be anything, accounts and rights among them.",
        ),
        tick("I know where it comes from, and trust it", on_change=RunState.trust),
    )
