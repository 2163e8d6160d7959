"""The restore dialog: problems, what would happen, and the name typed to confirm."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.fields import field, option, tick
from rxbackup.ui.components.notices import bone, failure, notice
from rxbackup.ui.components.readouts import count, when, words
from rxbackup.ui.pages.backups.restoring import RestoreState


def restore_dialog() -> rx.Component:
    """Restore: problems first, then what will happen in rows, then the name typed to confirm."""
    return dialog(
        failure(RestoreState.error, RestoreState.hint),
        rx.foreach(RestoreState.problems, lambda one: notice("bad", one.message, words(text=one.hint))),
        rx.foreach(RestoreState.warnings, lambda text: notice("warn", text)),
        rx.cond(
            RestoreState.plan.length() > 0, _plan(), rx.cond(RestoreState.planning, _plan_skeleton(), rx.fragment())
        ),
        rx.cond((RestoreState.plan.length() > 0) & (RestoreState.undoes == ""), _modes(), rx.fragment()),
        _confirmation(),
        title=rx.cond(
            RestoreState.undoes != "",
            rx.fragment("Undo this restore"),
            rx.fragment("Restore “", RestoreState.name, "”"),
        ),
        text=rx.fragment(
            rx.cond(
                RestoreState.undoes != "",
                "Puts the rows of the safety backup back, taken just before it, ",
                "Puts rows back as they were ",
            ),
            when(at=RestoreState.at),
            ". Untick the groups to leave as they are now.",
        ),
        is_open=RestoreState.is_open,
        on_open_change=RestoreState.set_open,
        wide=True,
        danger=True,
    )


def _plan() -> rx.Component:
    heads = (("Restore", ""), ("In the backup", "rx-number"), ("Now", "rx-number"), ("Change", "rx-number"))
    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(*[rx.el.th(label, scope="col", class_name=name) for label, name in heads])),
            rx.el.tbody(rx.foreach(RestoreState.plan, _plan_row)),
        ),
        class_name=rx.cond(RestoreState.planning, "rx-plan rx-planning", "rx-plan"),
        aria_busy=RestoreState.planning,
        tab_index=0,
        role="region",
        aria_label="What would be restored, by group",
    )


def _plan_row(row: Any) -> rx.Component:
    difference = row.backup_rows - row.live_rows
    return rx.el.tr(
        rx.el.td(
            tick(row.name, default_checked=row.chosen, on_change=lambda chosen: RestoreState.choose(row.name, chosen))
        ),
        rx.el.td(count(value=row.backup_rows), class_name="rx-number"),
        rx.el.td(count(value=row.live_rows, estimated=row.estimated), class_name="rx-number"),
        rx.el.td(
            rx.cond(
                row.chosen,
                rx.cond(
                    difference == 0,
                    rx.el.span("same count"),
                    count(value=difference, signed=True, estimated=row.estimated),
                ),
                rx.el.span("left alone"),
            ),
            class_name="rx-number",
        ),
        key=row.name,
        class_name=rx.cond(row.chosen, "", "rx-skipped"),
    )


def _modes() -> rx.Component:
    """How: uncontrolled radio buttons, so that they answer at once."""
    ways = (
        ("exact", "Exactly as it was", "The groups hold just the rows of the backup; newer rows are removed."),
        ("missing", "Only what is missing", "Rows that are gone come back. Everything that is there stays as it is."),
        (
            "changed",
            "Missing and changed",
            "Rows that are gone come back, rows that differ are set right. Newer ones stay.",
        ),
    )
    return rx.el.fieldset(
        rx.el.legend("How", class_name="rx-label"),
        *[
            option(
                "mode",
                mode,
                title,
                text,
                default_checked=mode == "exact",
                on_change=RestoreState.choose_mode(mode),
            )
            for mode, title, text in ways
        ],
        class_name="rx-fieldset rx-options",
    )


def _plan_skeleton() -> rx.Component:
    rows = [rx.el.div(bone("line"), class_name="rx-tick") for _ in range(5)]
    return rx.el.div(
        *rows, class_name="rx-ticks", aria_busy="true", aria_label="Working out what would change", role="status"
    )


def _confirmation() -> rx.Component:
    sentence = rx.el.p(
        rx.el.strong(RestoreState.chosen_words),
        rx.match(
            RestoreState.mode,
            ("missing", " will get back the rows that are gone, of "),
            ("changed", " will get back the rows that are gone or differ, of "),
            " will hold exactly the rows of the backup: ",
        ),
        count(value=RestoreState.backup_row_count),
        " rows in ",
        count(value=RestoreState.table_count),
        rx.cond(RestoreState.table_count == 1, " table", " tables"),
        rx.match(
            RestoreState.mode,
            ("missing", rx.fragment(". Rows that are there now stay as they are.")),
            ("changed", rx.fragment(". Changes made to those rows since then are gone afterwards; newer rows stay.")),
            rx.fragment(
                " in place of ",
                count(value=RestoreState.live_row_count),
                ". Rows made or changed since then are gone afterwards.",
            ),
        ),
        " A safety backup is taken first, so you can undo it.",
    )
    return rx.el.form(
        rx.cond(
            RestoreState.allowed & (RestoreState.chosen_count > 0),
            rx.el.div(
                sentence,
                rx.cond(RestoreState.foreign, _trust(), rx.fragment()),
                rx.cond(RestoreState.undoes == "", _typed_name(), rx.fragment()),
                class_name="rx-confirm",
            ),
            rx.fragment(),
        ),
        actions(
            button(
                rx.cond(
                    RestoreState.undoes != "",
                    "Undo the restore",
                    rx.cond(RestoreState.chosen_count > 0, f"Restore {RestoreState.chosen_words}", "Restore"),
                ),
                look="danger",
                type="submit",
                disabled=((RestoreState.undoes == "") & (RestoreState.typed != RestoreState.name))
                | ~RestoreState.allowed
                | (RestoreState.foreign & ~RestoreState.trusted)
                | RestoreState.planning
                | RestoreState.sending,
            ),
            on_cancel=RestoreState.set_open(False),
        ),
        on_submit=RestoreState.submit,
    )


def _typed_name() -> rx.Component:
    label = rx.fragment("Type the backup’s name to confirm: ", rx.el.span(RestoreState.name, class_name="rx-copyable"))
    return field(
        label,
        rx.el.input(
            id="confirm",
            name="confirm",
            class_name="rx-input",
            auto_complete="off",
            on_change=RestoreState.type_name.debounce(120),
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
        tick("I know where it comes from, and trust it", on_change=RestoreState.trust),
    )
