"""What speaks against a restore, and what is good to know before it."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.notices import notice
from rxbackup.ui.components.readouts import words
from rxbackup.ui.pages.restore.preview_state import PreviewState
from rxbackup.ui.pages.restore.state import WizardState

_DRIFT_WORDS = (("new", "New"), ("dropped", "Dropped"), ("renamed", "Renamed"), ("retyped", "Other type"))
_FEW = 4


def first_look() -> rx.Component:
    """What is known without computing it."""
    return rx.fragment(
        rx.foreach(WizardState.problems, lambda one: notice("bad", one.message, words(text=one.hint))),
        rx.cond(
            WizardState.warnings.length() > 0,
            _panel(rx.foreach(WizardState.warnings, _warning)),
            rx.fragment(),
        ),
    )


def good_to_know() -> rx.Component:
    """What the preview has to say beside its numbers."""
    kept, views, drift = PreviewState.kept_account, PreviewState.stale_views, PreviewState.drift
    anything = (PreviewState.warnings.length() > 0) | (drift.length() > 0) | (kept != "") | (views != "")
    return rx.cond(
        anything,
        _panel(
            rx.foreach(PreviewState.warnings, _warning),
            rx.cond(drift.length() > 0, _drift(), rx.fragment()),
            rx.cond(
                kept != "",
                _line(
                    rx.icon("user-check", size=16, aria_hidden="true"),
                    rx.el.p(
                        "Your own account stays as it is now (",
                        kept,
                        ").",
                        rx.cond(WizardState.undo == "", " Under How you can have it replaced too.", ""),
                    ),
                ),
                rx.fragment(),
            ),
            rx.cond(
                views != "",
                _line(
                    rx.icon("refresh-cw", size=16, aria_hidden="true"),
                    rx.el.p("Materialized views that will want a refresh afterwards: ", views, "."),
                ),
                rx.fragment(),
            ),
        ),
        rx.fragment(),
    )


def _panel(*lines: rx.Component) -> rx.Component:
    return rx.el.ul(*lines, class_name="rx-panel rx-notes", aria_label="Good to know")


def _line(icon: rx.Component, body: rx.Component) -> rx.Component:
    return rx.el.li(rx.el.span(icon, class_name="rx-note-icon"), body)


def _warning(text: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(rx.icon("triangle-alert", size=16, role="img", aria_label="Warning"), class_name="rx-note-icon"),
        words(text=text),
        key=text,
        class_name="rx-tone-warn",
    )


def _drift() -> rx.Component:
    one = PreviewState.drift.length() == 1
    return _line(
        rx.icon("columns-3", size=16, aria_hidden="true"),
        rx.el.details(
            rx.el.summary(
                PreviewState.drift.length(), rx.cond(one, " column has", " columns have"), " changed since the backup"
            ),
            rx.el.ul(rx.foreach(PreviewState.drift, _drifted), class_name="rx-drift"),
            open=PreviewState.drift.length() <= _FEW,
            class_name="rx-details",
        ),
    )


def _drifted(one: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(rx.match(one.kind, *_DRIFT_WORDS, one.kind), ": ", class_name="rx-strong"),
        rx.el.span(one.column, class_name="rx-mono rx-wrap"),
        rx.el.span(" ", one.consequence, class_name="rx-soft"),
        key=one.column,
    )
