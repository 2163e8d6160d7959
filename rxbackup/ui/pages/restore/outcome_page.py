"""Progress and result: how far the restore is, then what it did, and the way back."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type,misc"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.notices import notice
from rxbackup.ui.components.pager import pager
from rxbackup.ui.components.progress_row import progress_row
from rxbackup.ui.components.readouts import count, table_name, when, words
from rxbackup.ui.pages.restore.frame import step_foot, step_head, step_title
from rxbackup.ui.pages.restore.refresh_state import RefreshState
from rxbackup.ui.pages.restore.run_state import RunState
from rxbackup.ui.pages.restore.state import WizardState


def run_step() -> rx.Component:
    """A restore that was asked for."""
    return rx.match(
        RunState.state,
        ("succeeded", _result()),
        ("running", _progress()),
        _not_done(),
    )


def _progress() -> rx.Component:
    return rx.el.section(
        step_head(
            rx.cond(WizardState.undo != "", "Undoing", "Restoring"),
            "A safety backup first, then everything at once: others see the rows of before until it is done.",
            step="progress",
        ),
        rx.el.ul(
            progress_row(RunState.run, on_cancel=RunState.cancel, may_cancel=True),
            class_name="rx-panel rx-runs",
            aria_label="Running now",
        ),
        rx.el.p(
            "You can leave this page: it goes on by itself, and is found again under Backup Management.",
            class_name="rx-soft",
        ),
        rx.el.p(RunState.run.stage, class_name="rx-hidden", role="status", custom_attrs={"aria-live": "polite"}),
        class_name="rx-section rx-wizard",
    )


def _not_done() -> rx.Component:
    cancelled = (RunState.state == "cancelled") | (RunState.state == "interrupted")
    return rx.el.section(
        step_head(rx.cond(cancelled, "Not restored", "The restore failed"), "Nothing was changed.", step="failed"),
        rx.cond(
            RunState.state == "cancelled",
            notice("idle", "It was cancelled.", rx.el.p("Every table is as it was before.")),
            notice("bad", RunState.error, words(text=RunState.hint)),
        ),
        step_foot(
            button("Look again", look="primary", icon="refresh-cw", on_click=WizardState.look_again),
            back=_leave(),
        ),
        class_name="rx-section rx-wizard",
    )


def _leave() -> rx.Component:
    return rx.link(
        "Backup Management", href=addresses.BACKUPS, underline="none", class_name="rx-button rx-button-quiet"
    )


def _result() -> rx.Component:
    result = RunState.result
    return rx.el.section(
        rx.el.div(
            rx.el.span(rx.icon("circle-check", size=20, aria_hidden="true"), class_name="rx-protection-icon"),
            rx.el.div(
                step_title(rx.cond(WizardState.undo != "", "Undone", "Restored"), step="result"),
                rx.el.p(result.summary, class_name="rx-protection-line"),
                rx.el.p(
                    when(at=result.at),
                    " by ",
                    result.by,
                    rx.cond(result.took != "", rx.fragment(" · took ", result.took), rx.fragment()),
                    rx.cond(result.note != "", rx.fragment(" · ", result.note), rx.fragment()),
                    class_name="rx-soft",
                ),
                class_name="rx-protection-words",
            ),
            class_name="rx-protection rx-verdict rx-tone-good",
            role="status",
        ),
        _undo(),
        _views(),
        rx.cond(
            result.sessions_ended != "",
            notice(
                "idle",
                rx.fragment(result.sessions_ended, " ended"),
                rx.el.p("Their accounts were changed by the restore; those people sign in again."),
            ),
            rx.fragment(),
        ),
        rx.cond(RunState.lines.length() > 0, _lines(), rx.fragment()),
        step_foot(back=_leave()),
        class_name="rx-section rx-wizard",
        aria_label="Result of the restore",
    )


def _undo() -> rx.Component:
    """The way back, until when there is one, or why there is none."""
    result = RunState.result
    safety = rx.link("the safety backup", href=f"{addresses.BACKUPS}/{result.safety}", underline="always")
    kept = rx.cond(
        result.undo_until != "",
        rx.fragment(", kept until ", when(at=result.undo_until, exact=True), " at least."),
        rx.fragment(", as long as it is kept."),
    )
    return rx.cond(
        result.safety != "",
        rx.cond(
            RunState.back.closed == "",
            rx.cond(
                RunState.back.undone_at == "",
                notice(
                    "idle",
                    "You can undo this.",
                    rx.el.p("The rows of before are in ", safety, kept),
                    action=rx.link(
                        rx.icon("undo-2", size=16, aria_hidden="true"),
                        "Undo…",
                        href=f"{addresses.BACKUPS}/{result.safety}/restore?undo={RunState.run_id}",
                        underline="none",
                        class_name="rx-button rx-button-quiet",
                    ),
                ),
                notice(
                    "idle",
                    rx.fragment("This was undone ", when(at=RunState.back.undone_at), "."),
                    rx.el.p("The tables are as they were before it. The rows of then are in ", safety, kept),
                    action=rx.link(
                        "What the undo did",
                        href=RunState.back.undone_href,
                        underline="none",
                        class_name="rx-button rx-button-quiet",
                    ),
                ),
            ),
            notice("idle", "This cannot be undone any more.", rx.el.p(RunState.back.closed)),
        ),
        notice("idle", "No safety backup was taken, so this cannot be undone."),
    )


def _views() -> rx.Component:
    """Views that still show the rows of before, and the button that mends them."""
    here = RefreshState.run_id == RunState.run_id
    running = here & (RefreshState.state == "running")
    stale = notice(
        "warn",
        "Materialized views still show the rows of before.",
        rx.el.p(RunState.result.stale_views, class_name="rx-wrap"),
        action=button(
            rx.cond(running, "Refreshing", "Refresh them"),
            look="quiet",
            icon="refresh-cw",
            disabled=running,
            on_click=RefreshState.refresh(RunState.run_id),
        ),
    )
    refreshed = rx.cond(
        RefreshState.left.length() > 0,
        notice(
            "warn",
            RefreshState.message,
            rx.el.ul(rx.foreach(RefreshState.left, lambda text: rx.el.li(text, key=text)), class_name="rx-lines"),
        ),
        notice("good", RefreshState.message),
    )
    return rx.cond(
        RunState.result.stale_views != "",
        rx.fragment(
            rx.cond(
                here & (RefreshState.state == "failed"),
                notice("bad", RefreshState.message, words(text=RefreshState.hint)),
                rx.fragment(),
            ),
            rx.cond(here & (RefreshState.state == "done"), refreshed, stale),
        ),
        rx.fragment(),
    )


def _lines() -> rx.Component:
    heads = (
        ("Table", ""),
        *[(word, "rx-number") for word in ("Added", "Changed", "Removed")],
        ("Took", "rx-number rx-col-aside"),
    )
    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(*[rx.el.th(label, scope="col", class_name=name) for label, name in heads])),
            rx.el.tbody(rx.foreach(RunState.lines, _line)),
            class_name="rx-table rx-table-plain rx-changes",
            aria_label="What changed, by table",
        ),
        rx.cond(
            RunState.page.pages > 1,
            pager(
                rx.el.span(count(value=RunState.page.total), " tables"),
                number=RunState.page.number,
                pages=RunState.page.pages,
                on_turn=RunState.turn_page,
            ),
            rx.fragment(),
        ),
        class_name="rx-panel",
    )


def _line(row: Any) -> rx.Component:
    def number(value: Any, tone: str) -> rx.Component:
        return rx.el.td(count(value=value), class_name=rx.cond(value > 0, f"rx-number {tone}", "rx-number rx-zero"))

    return rx.el.tr(
        rx.el.td(
            table_name(name=row.table),
            rx.cond(
                row.set_aside > 0,
                rx.el.span(count(value=row.set_aside), " set aside", class_name="rx-change-notes"),
                rx.fragment(),
            ),
            class_name="rx-ink",
        ),
        number(row.added, "rx-added"),
        number(row.changed, "rx-changed"),
        number(row.removed, "rx-removed"),
        rx.el.td(rx.cond(row.took != "", row.took, "–"), class_name="rx-number rx-col-aside"),
        key=row.table,
    )
