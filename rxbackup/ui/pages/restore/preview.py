"""Preview: what must be known or decided first, then every change, table by table, down to sample rows."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.notices import notice
from rxbackup.ui.components.progress_row import progress_bar
from rxbackup.ui.components.readouts import count, when, words
from rxbackup.ui.pages.restore.changes import changes
from rxbackup.ui.pages.restore.frame import step_foot, step_head
from rxbackup.ui.pages.restore.notes import first_look, good_to_know
from rxbackup.ui.pages.restore.preview_state import PreviewState
from rxbackup.ui.pages.restore.state import WizardState


def preview_step() -> rx.Component:
    """What would change."""
    return rx.el.section(
        step_head(
            "What would change",
            rx.fragment(WizardState.chosen, rx.cond(WizardState.undo == "", f", {WizardState.how}", ""), "."),
            step="preview",
        ),
        stale_notice(),
        rx.match(
            PreviewState.state,
            ("ready", _found()),
            ("failed", _failed()),
            ("cancelled", _cancelled()),
            _running(),
        ),
        step_foot(
            rx.match(
                PreviewState.state,
                (
                    "ready",
                    button(
                        "Next: Confirm",
                        look="primary",
                        on_click=WizardState.go_confirm,
                        disabled=~PreviewState.allowed | PreviewState.stale,
                    ),
                ),
                button("Go on without it", look="quiet", on_click=WizardState.go_confirm),
            ),
            back=button("Back", look="quiet", on_click=WizardState.go(-1)),
        ),
        class_name="rx-section rx-wizard",
    )


def stale_notice() -> rx.Component:
    """The ground has moved since the preview: one button looks again."""
    return rx.cond(
        PreviewState.stale,
        notice(
            "warn",
            "The database has changed since this preview was made.",
            rx.el.p("Its tables have another shape now, so what stands here may no longer be true."),
            action=button("Look again", look="quiet", icon="refresh-cw", on_click=WizardState.look_again),
        ),
        rx.fragment(),
    )


def _running() -> rx.Component:
    run = PreviewState.run
    return rx.fragment(
        rx.el.div(
            rx.el.span(
                rx.icon("loader-circle", size=16, aria_hidden="true", class_name="rx-spin"), class_name="rx-run-icon"
            ),
            rx.el.div(
                rx.el.p(
                    rx.el.span("Comparing the backup with the database", class_name="rx-strong"),
                    rx.el.span(rx.cond(run.stage != "", run.stage, "Starting"), class_name="rx-run-stage"),
                    class_name="rx-run-line",
                ),
                progress_bar(run.percent, "Comparing the backup with the database"),
                rx.el.p(
                    "Row by row, inside the database. Nothing is changed, and the app goes on working.",
                    class_name="rx-run-numbers",
                ),
                class_name="rx-run-body",
            ),
            button(
                rx.cond(run.cancelling, "Cancelling", "Cancel"),
                look="quiet",
                disabled=run.cancelling | (run.id == ""),
                on_click=PreviewState.cancel,
            ),
            class_name="rx-panel rx-run rx-run-alone",
            role="status",
        ),
        first_look(),
        _at_a_glance(),
    )


def _at_a_glance() -> rx.Component:
    """Whole groups by their counts: known at once."""
    heads = (("Meanwhile, by count", ""), ("In the backup", "rx-number"), ("Now", "rx-number"))
    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(*[rx.el.th(label, scope="col", class_name=name) for label, name in heads])),
            rx.el.tbody(
                rx.foreach(
                    WizardState.lines,
                    lambda line: rx.cond(
                        (line.kind == "group") & (line.ticked != "none"),
                        rx.el.tr(
                            rx.el.td(line.name, class_name="rx-ink"),
                            rx.el.td(count(value=line.backup_rows), class_name="rx-number"),
                            rx.el.td(
                                rx.cond(
                                    line.live_rows >= 0,
                                    count(value=line.live_rows, estimated=line.estimated),
                                    rx.el.span("–"),
                                ),
                                class_name="rx-number",
                            ),
                            key=line.key,
                        ),
                        rx.fragment(),
                    ),
                )
            ),
            class_name="rx-table rx-table-plain",
        ),
        class_name="rx-panel",
    )


def _failed() -> rx.Component:
    again = button("Look again", look="quiet", icon="refresh-cw", on_click=WizardState.look_again)
    return rx.fragment(notice("bad", PreviewState.error, words(text=PreviewState.hint), action=again), first_look())


def _cancelled() -> rx.Component:
    return rx.fragment(
        notice(
            "idle",
            "The comparison was cancelled.",
            rx.el.p("You can go on without it; how many rows would change is not known then."),
            action=button("Look again", look="quiet", icon="refresh-cw", on_click=WizardState.look_again),
        ),
        first_look(),
        _at_a_glance(),
    )


def _found() -> rx.Component:
    return rx.fragment(
        _verdict(),
        rx.foreach(PreviewState.problems, lambda one: notice("bad", one.message, words(text=one.hint))),
        rx.foreach(PreviewState.consequences, _consequence),
        good_to_know(),
        changes(),
    )


def _verdict() -> rx.Component:
    said = PreviewState.verdict
    icons = (
        ("good", rx.icon("circle-check", size=20, aria_hidden="true")),
        ("bad", rx.icon("circle-x", size=20, aria_hidden="true")),
        ("warn", rx.icon("git-fork", size=20, aria_hidden="true")),
        ("run", rx.icon("arrow-right-left", size=20, aria_hidden="true")),
    )
    tones = [(name, f"rx-protection rx-verdict rx-tone-{name}") for name, _ in icons]
    return rx.el.div(
        rx.el.span(
            rx.match(said.tone, *icons, rx.icon("circle-help", size=20, aria_hidden="true")),
            class_name="rx-protection-icon",
        ),
        rx.el.div(
            rx.el.p(said.title, class_name="rx-verdict-line"),
            rx.el.p(said.text, " Computed ", when(at=PreviewState.at), ".", class_name="rx-soft"),
            class_name="rx-protection-words",
        ),
        button("Look again", look="bare", icon="refresh-cw", on_click=WizardState.look_again),
        class_name=rx.match(said.tone, *tones, "rx-protection rx-verdict rx-tone-idle"),
        role="status",
    )


def _consequence(one: Any) -> rx.Component:
    """Something to decide, with a button for each way out of it."""
    return rx.el.div(
        rx.icon("git-fork", size=16, aria_hidden="true", class_name="rx-notice-icon"),
        rx.el.div(
            words(text=one.message, class_name="rx-notice-title"),
            rx.el.div(
                rx.foreach(
                    one.choices,
                    lambda choice: button(
                        choice.label, look="quiet", on_click=WizardState.decide(choice.kind, choice.value)
                    ),
                ),
                class_name="rx-choices",
            ),
            class_name="rx-notice-body",
        ),
        key=one.key,
        role="group",
        aria_label="To decide",
        class_name="rx-notice rx-tone-warn",
    )
