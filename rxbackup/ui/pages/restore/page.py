"""The restore as a page with steps."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.notices import bone, empty, failure
from rxbackup.ui.components.readouts import when
from rxbackup.ui.components.stepper import stepper
from rxbackup.ui.pages.restore.confirm import confirm_step
from rxbackup.ui.pages.restore.how import how_step
from rxbackup.ui.pages.restore.outcome_page import run_step
from rxbackup.ui.pages.restore.preview import preview_step
from rxbackup.ui.pages.restore.state import WizardState
from rxbackup.ui.pages.restore.what import what_step
from rxbackup.ui.shell import page_frame


def restore_page() -> rx.Component:
    """One restore, from the choice to the result."""
    return page_frame(
        rx.cond(
            WizardState.missing,
            rx.fragment(rx.el.h1("Nothing to restore", class_name="rx-title"), _missing()),
            rx.cond(WizardState.loaded, _body(), _skeleton()),
        ),
        here=addresses.BACKUPS,
    )


def _body() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.div(_crumb(), _title()),
            class_name="rx-head",
        ),
        failure(WizardState.error, WizardState.hint),
        rx.cond(
            WizardState.step != "",
            rx.fragment(
                stepper(WizardState.steps, label="Steps of the restore"),
                rx.match(
                    WizardState.step,
                    ("what", what_step()),
                    ("how", how_step()),
                    ("preview", preview_step()),
                    ("confirm", confirm_step()),
                    run_step(),
                ),
            ),
            rx.fragment(),
        ),
    )


def _title() -> rx.Component:
    undo = WizardState.undo != ""
    return rx.fragment(
        rx.el.h1(
            rx.cond(
                undo,
                rx.fragment("Undo the restore of “", WizardState.restored, "”"),
                rx.fragment("Restore “", WizardState.name, "”"),
            ),
            class_name="rx-title rx-wrap",
        ),
        rx.el.p(
            rx.cond(
                undo,
                rx.fragment("Puts rows back as they were ", when(at=WizardState.at), ", just before that restore."),
                rx.fragment("Puts rows back as they were ", when(at=WizardState.at), "."),
            ),
            class_name="rx-soft",
        ),
    )


def _crumb() -> rx.Component:
    return rx.link(
        rx.icon("arrow-left", size=14, aria_hidden="true"),
        rx.cond(WizardState.name != "", WizardState.name, "Backup Management"),
        href=rx.cond(WizardState.backup_id != "", f"{addresses.BACKUPS}/{WizardState.backup_id}", addresses.BACKUPS),
        underline="none",
        class_name="rx-crumb",
    )


def _missing() -> rx.Component:
    return rx.el.div(
        empty(
            "search-x",
            WizardState.error,
            WizardState.hint,
            rx.link("All backups", href=addresses.BACKUPS, underline="none", class_name="rx-button rx-button-quiet"),
        ),
        class_name="rx-panel",
    )


def _skeleton() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.div(_crumb(), rx.el.h1("Restore", class_name="rx-title"), bone("line")),
            class_name="rx-head",
            aria_busy="true",
        ),
        rx.el.div(*[bone("short") for _ in range(6)], class_name="rx-steps", aria_hidden="true"),
        rx.el.div(*[rx.el.div(bone("line"), class_name="rx-tick") for _ in range(6)], class_name="rx-panel"),
    )
