"""Buttons: one look for each weight, every target at least 40 px."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx


def button(
    label: str | rx.Var[str], *, look: str = "quiet", icon: str = "", key: str = "", **props: Any
) -> rx.Component:
    """A button.

    Args:
        label: what it does, as words.
        look: `primary`, `quiet` (outlined), `bare` (text only) or `danger`.
        icon: a Lucide name before the words.
        key: the keyboard shortcut, shown after the words and announced.
        props: anything `rx.el.button` takes.
    """
    parts: list[Any] = [rx.icon(icon, size=16, aria_hidden="true")] if icon else []
    parts.append(rx.el.span(label))
    if key:
        parts.append(rx.el.kbd(key.upper(), class_name="rx-key", aria_hidden="true"))
        props["custom_attrs"] = {"aria-keyshortcuts": key, **props.get("custom_attrs", {})}
    props.setdefault("type", "button")
    extra = props.pop("class_name", "")
    return rx.el.button(*parts, class_name=f"rx-button rx-button-{look} {extra}".strip(), **props)


def icon_button(icon: str, label: str | rx.Var[str], **props: Any) -> rx.Component:
    """A square button that shows an icon and says `label` to those who cannot see it."""
    props.setdefault("type", "button")
    return rx.el.button(
        rx.icon(icon, size=16, aria_hidden="true"),
        class_name="rx-button rx-button-bare rx-button-square",
        aria_label=label,
        title=label,
        **props,
    )
