"""The foot of a list that comes a page at a time."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import icon_button


def pager(words: Any, *, number: Any, pages: Any, on_turn: Any) -> rx.Component:
    """What the list holds in `words`, and the way to its other pages, if there are any. `on_turn` takes 1 or -1."""
    buttons = rx.el.div(
        rx.el.span("Page ", number, " of ", pages),
        icon_button("chevron-left", "Previous page", on_click=on_turn(-1), disabled=number <= 1),
        icon_button("chevron-right", "Next page", on_click=on_turn(1), disabled=number >= pages),
        class_name="rx-row",
    )
    return rx.el.div(words, rx.cond(pages > 1, buttons, rx.fragment()), class_name="rx-foot")
