"""Dialogs: one frame for all, so that titles, errors and buttons always stand in the same place."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button


def dialog(
    *body: rx.Component,
    title: Any,
    text: Any,
    is_open: rx.Var[bool],
    on_open_change: Any,
    wide: bool = False,
    broad: bool = False,
    danger: bool = False,
) -> rx.Component:
    """A dialog that traps the focus and gives it back.

    Args:
        body: what stands in it; end with `actions(…)`.
        title: what will be done. text: what that means, in a sentence.
        is_open, on_open_change: its state. wide: for tables. broad: for two columns.
        danger: for what cannot be taken back lightly.
    """
    looks = "rx-dialog" + " rx-dialog-wide" * wide + " rx-dialog-broad" * broad + " rx-dialog-danger" * danger
    return rx.dialog.root(
        rx.dialog.content(
            # Radix would make it a second h1.
            rx.dialog.title(title, custom_attrs={"as": "h2"}),
            rx.dialog.description(text),
            *body,
            class_name=looks,
        ),
        open=is_open,
        on_open_change=on_open_change,
    )


def actions(*buttons: rx.Component, on_cancel: Any, cancel: Any = "Cancel") -> rx.Component:
    """The row of buttons at the foot: the quiet way out first, the deed last."""
    return rx.el.div(button(cancel, look="quiet", on_click=on_cancel), *buttons, class_name="rx-dialog-actions")
