"""How: three ways as sentences with what they do to three kinds of rows, and what to do about what is in the way."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.pages.restore.frame import step_foot, step_head
from rxbackup.ui.pages.restore.notes import first_look
from rxbackup.ui.pages.restore.state import WizardState

_BACK = ("plus", "rx-added", "come back")
_SET = ("rotate-ccw", "rx-changed", "are set back")
_KEPT = ("equal", "", "stay as they are")
_REMOVED = ("minus", "rx-removed", "are removed")
_STAY = ("equal", "", "stay")
_KINDS = ("Rows that are gone", "Rows that were changed", "Rows added since")
_WAYS = (
    (
        "exact",
        "Exactly as it was",
        "Afterwards the tables hold just the rows of the backup. For going back to before an accident.",
        _BACK,
        _SET,
        _REMOVED,
    ),
    (
        "missing",
        "Only what is missing",
        "Nothing that is there is touched. For rows that somebody deleted.",
        _BACK,
        _KEPT,
        _STAY,
    ),
    (
        "changed",
        "Missing and changed",
        "Rows of the backup are set right, newer ones stay. For an update that went wrong.",
        _BACK,
        _SET,
        _STAY,
    ),
)


def how_step() -> rx.Component:
    """Choose how to restore."""
    return rx.el.section(
        step_head("How should it be restored?", rx.fragment(WizardState.chosen, "."), step="how"),
        rx.el.fieldset(
            rx.el.legend("The way to restore", class_name="rx-hidden"),
            *[_way(*way) for way in _WAYS],
            class_name="rx-fieldset rx-options rx-ways",
        ),
        rx.el.fieldset(
            rx.el.legend("Further choices", class_name="rx-label"),
            rx.el.div(
                _option(
                    "set-aside",
                    "Set aside rows that other tables speak against",
                    "A row whose parent is gone is left out; a row that others still point to stays. "
                    "Without this, such rows stop the restore, and the preview shows them.",
                    checked=WizardState.set_aside,
                    on_change=WizardState.choose_set_aside,
                ),
                rx.cond(
                    WizardState.mode == "exact",
                    _option(
                        "maintenance",
                        "Load damaged tables anew, while they are locked",
                        "Faster where most of a large table has to be loaded. Price: until it is done, "
                        "nobody can read or write those tables, so plan a pause of the app.",
                        checked=WizardState.maintenance,
                        on_change=WizardState.choose_maintenance,
                    ),
                    rx.fragment(),
                ),
                rx.cond(
                    WizardState.kept_account != "",
                    _option(
                        "own",
                        rx.fragment("Replace my own account too: ", WizardState.kept_account),
                        "Otherwise your own row stays as it is now, so that you are not locked out.",
                        checked=WizardState.own,
                        on_change=WizardState.choose_own,
                    ),
                    rx.fragment(),
                ),
                class_name="rx-panel rx-more-options",
            ),
            class_name="rx-fieldset rx-options",
        ),
        first_look(),
        step_foot(
            button("Next: Preview", look="primary", on_click=WizardState.go(1)),
            back=button("Back", look="quiet", on_click=WizardState.go(-1)),
        ),
        class_name="rx-section rx-wizard",
    )


def _way(mode: str, title: str, text: str, *fates: tuple[str, str, str]) -> rx.Component:
    lines = [
        rx.el.span(
            rx.icon(icon, size=14, aria_hidden="true", class_name=tone),
            rx.el.span(kind, " "),
            rx.el.span(fate, class_name="rx-strong"),
            class_name="rx-fate",
        )
        for kind, (icon, tone, fate) in zip(_KINDS, fates, strict=True)
    ]
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="mode",
            value=mode,
            default_checked=WizardState.mode == mode,
            on_change=WizardState.choose_mode(mode),
            aria_label=title,
            custom_attrs={"aria-describedby": f"way-{mode}"},
        ),
        rx.el.span(
            rx.el.span(title, class_name="rx-strong"),
            rx.el.span(rx.el.span(text, class_name="rx-soft"), *lines, id=f"way-{mode}", class_name="rx-fates"),
            class_name="rx-way-body",
        ),
        class_name="rx-option rx-way",
    )


def _option(name: str, title: Any, text: str, *, checked: Any, on_change: Any) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=name,
            class_name="rx-tick-box",
            default_checked=checked,
            on_change=on_change,
            custom_attrs={"aria-describedby": f"{name}-note", "aria-labelledby": f"{name}-title"},
        ),
        rx.el.span(
            rx.el.span(title, id=f"{name}-title"),
            rx.el.span(text, id=f"{name}-note", class_name="rx-soft"),
            class_name="rx-way-body",
        ),
        class_name="rx-more-option",
    )
