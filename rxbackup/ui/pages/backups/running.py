"""What runs now, for pages that have no list of their own to show it in."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

import reflex as rx

from rxbackup.ui.components.progress_row import progress_row
from rxbackup.ui.pages.backups.state import WatchState
from rxbackup.ui.session import SessionState


def running() -> rx.Component:
    """Every run with its progress; nothing while none runs."""
    return rx.cond(
        WatchState.runs.length() > 0,
        rx.el.ul(
            rx.foreach(
                WatchState.runs,
                lambda run: progress_row(
                    run, on_cancel=WatchState.cancel(run.id), may_cancel=SessionState.role != "viewer"
                ),
            ),
            aria_label="Running now",
            class_name="rx-panel rx-runs",
        ),
        rx.fragment(),
    )
