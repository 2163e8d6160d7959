"""The dialogs that act on backups: create, restore, delete, check."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.fields import field, long_field, tick
from rxbackup.ui.components.notices import bone, failure, notice
from rxbackup.ui.components.readouts import count, name_input, size, when, words
from rxbackup.ui.pages.backups.choosing import ChoiceState
from rxbackup.ui.pages.backups.creating import CreateState
from rxbackup.ui.pages.backups.restoring import RestoreState
from rxbackup.ui.pages.backups.state import WatchState


def dialogs() -> rx.Component:
    """All of them; at most one is open at a time. A page that is loaded anew starts without one."""
    shut = [state.set_open(False) for state in (CreateState, RestoreState, ChoiceState)]
    return rx.el.div(create_dialog(), restore_dialog(), delete_dialog(), check_dialog(), on_mount=shut)


def create_dialog() -> rx.Component:
    """Create Backup: Enter sends it; an error keeps the dialog and what was typed."""
    groups = rx.el.fieldset(
        rx.el.legend("What to back up", class_name="rx-label"),
        rx.el.div(rx.foreach(WatchState.tiles, _group_tick), class_name="rx-ticks"),
        class_name="rx-fieldset",
    )
    return dialog(
        rx.el.form(
            failure(CreateState.error, CreateState.hint),
            field("Name", name_input(id="name", name="name", class_name="rx-input"), field_id="name"),
            long_field("Description", name="description", placeholder="Optional: why now?", rows=2, max_length=2000),
            rx.cond(WatchState.tiles.length() > 0, groups, rx.fragment()),
            actions(
                button("Create Backup", look="primary", type="submit", disabled=CreateState.sending),
                on_cancel=CreateState.set_open(False),
            ),
            on_submit=CreateState.submit,
        ),
        title="Create Backup",
        text="All rows as they are at one moment. The app goes on working meanwhile.",
        is_open=CreateState.is_open,
        on_open_change=CreateState.set_open,
    )


def _group_tick(tile: Any) -> rx.Component:
    rows = rx.fragment(count(value=tile.rows, estimated=tile.estimated), " rows")
    return tick(tile.name, rows, name="group:" + tile.name, default_checked=True, key=tile.name)


def restore_dialog() -> rx.Component:
    """Restore: problems first, then what will happen in rows, then the name typed to confirm."""
    return dialog(
        failure(RestoreState.error, RestoreState.hint),
        rx.foreach(RestoreState.problems, lambda one: notice("bad", one.message, words(text=one.hint))),
        rx.foreach(RestoreState.warnings, lambda text: notice("warn", text)),
        rx.cond(
            RestoreState.plan.length() > 0, _plan(), rx.cond(RestoreState.planning, _plan_skeleton(), rx.fragment())
        ),
        _confirmation(),
        title=rx.fragment("Restore “", RestoreState.name, "”"),
        text=rx.fragment(
            "Puts rows back exactly as they were ",
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


def _plan_skeleton() -> rx.Component:
    rows = [rx.el.div(bone("line"), class_name="rx-tick") for _ in range(5)]
    return rx.el.div(
        *rows, class_name="rx-ticks", aria_busy="true", aria_label="Working out what would change", role="status"
    )


def _confirmation() -> rx.Component:
    label = rx.fragment("Type the backup’s name to confirm: ", rx.el.span(RestoreState.name, class_name="rx-copyable"))
    sentence = rx.el.p(
        rx.el.strong(RestoreState.chosen_words),
        " will hold exactly the rows of the backup: ",
        count(value=RestoreState.backup_row_count),
        " rows in ",
        count(value=RestoreState.table_count),
        rx.cond(RestoreState.table_count == 1, " table", " tables"),
        " in place of ",
        count(value=RestoreState.live_row_count),
        ". Rows made or changed since then are gone afterwards. A safety backup is taken first, so you can go back.",
    )
    return rx.el.form(
        rx.cond(
            RestoreState.allowed & (RestoreState.chosen_count > 0),
            rx.el.div(
                sentence,
                field(
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
                ),
                class_name="rx-confirm",
            ),
            rx.fragment(),
        ),
        actions(
            button(
                rx.cond(RestoreState.chosen_count > 0, f"Restore {RestoreState.chosen_words}", "Restore"),
                look="danger",
                type="submit",
                disabled=(RestoreState.typed != RestoreState.name)
                | ~RestoreState.allowed
                | RestoreState.planning
                | RestoreState.sending,
            ),
            on_cancel=RestoreState.set_open(False),
        ),
        on_submit=RestoreState.submit,
    )


def delete_dialog() -> rx.Component:
    """Delete: says what goes and what stays."""
    return dialog(
        rx.el.p(
            "Frees about ",
            size(bytes=ChoiceState.stored_bytes),
            ". Your database and all other backups stay as they are. A deleted backup cannot be brought back.",
        ),
        actions(
            button("Delete backup", look="danger", on_click=ChoiceState.delete),
            on_cancel=ChoiceState.set_open(False),
            cancel="Keep it",
        ),
        title="Delete this backup?",
        text=rx.fragment("“", ChoiceState.name, "”"),
        is_open=ChoiceState.kind == "delete",
        on_open_change=ChoiceState.set_open,
        danger=True,
    )


def check_dialog() -> rx.Component:
    """Verify: how thoroughly?"""
    return dialog(
        rx.el.form(
            failure(ChoiceState.error, ChoiceState.hint),
            rx.el.fieldset(
                rx.el.legend("How thoroughly", class_name="rx-hidden"),
                _option(
                    "contents",
                    "Contents",
                    "Open and decrypt every part and count its rows. Takes about as long as the backup did.",
                    chosen=True,
                ),
                _option(
                    "structure", "Structure", "Look whether every part is there and has the right size. Takes seconds."
                ),
                class_name="rx-fieldset rx-options",
            ),
            actions(
                button("Verify", look="primary", type="submit", disabled=ChoiceState.sending),
                on_cancel=ChoiceState.set_open(False),
            ),
            on_submit=ChoiceState.check,
        ),
        title="Verify this backup",
        text=rx.fragment("“", ChoiceState.name, "” is only read; your database is not touched."),
        is_open=ChoiceState.kind == "check",
        on_open_change=ChoiceState.set_open,
    )


def _option(value: str, title: str, text: str, *, chosen: bool = False) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="radio", name="level", value=value, default_checked=chosen),
        rx.el.span(rx.el.span(title, class_name="rx-strong"), rx.el.br(), rx.el.span(text, class_name="rx-soft")),
        class_name="rx-option",
    )
