"""Form fields: label, control, explanation and error, tied together for screen readers."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx


def field(
    label: str, control: rx.Component, *, field_id: str, note: Any = "", error: rx.Var[str] | None = None
) -> rx.Component:
    """A labelled control with an explanation or an error beneath."""
    return rx.el.div(
        rx.el.label(label, html_for=field_id, class_name="rx-label"),
        control,
        rx.el.p(note, id=f"{field_id}-note", class_name="rx-field-note") if note else rx.fragment(),
        rx.cond(
            error != "",
            rx.el.p(error, id=f"{field_id}-error", class_name="rx-field-error", role="alert"),
            rx.fragment(),
        )
        if error is not None
        else rx.fragment(),
        class_name="rx-field",
    )


def text_field(
    label: str, *, name: str, note: Any = "", error: rx.Var[str] | None = None, **props: Any
) -> rx.Component:
    """A single line of text. `name` is also the control's id."""
    described = " ".join([f"{name}-note"] * bool(note) + [f"{name}-error"] * (error is not None))
    attributes = {"aria-describedby": described} if described else {}
    if error is not None:
        props["aria_invalid"] = error != ""
    control = rx.el.input(
        id=name, name=name, class_name="rx-input", custom_attrs={**attributes, **props.pop("custom_attrs", {})}, **props
    )
    return field(label, control, field_id=name, note=note, error=error)


def long_field(label: str, *, name: str, note: Any = "", **props: Any) -> rx.Component:
    """Several lines of text."""
    return field(
        label,
        rx.el.textarea(id=name, name=name, class_name="rx-input rx-input-long", **props),
        field_id=name,
        note=note,
    )


def tick(label: Any, aside: Any = "", **props: Any) -> rx.Component:
    """A checkbox row: the whole row is the target; `aside` stands at its end (a count)."""
    return rx.el.label(
        rx.el.input(type="checkbox", class_name="rx-tick-box", **props),
        rx.el.span(label, class_name="rx-tick-label"),
        rx.el.span(aside, class_name="rx-tick-aside"),
        class_name="rx-tick",
    )


def select(
    label: str, options: list[tuple[str, str]], more: Any = None, *, labelled: bool = False, **props: Any
) -> rx.Component:
    """The browser's own list of choices.

    Args:
        label: said to screen readers; where `labelled`, a visible label stands around it already.
        options: value and words of each. more: a var of further choices that have a `name`.
        props: anything `rx.el.select` takes.
    """
    if not labelled:
        props["aria_label"] = label
    entries = [rx.el.option(words, value=value) for value, words in options]
    if more is not None:
        entries.append(rx.foreach(more, lambda one: rx.el.option(one.name, value=one.name, key=one.name)))
    return rx.el.div(
        rx.el.select(*entries, class_name="rx-input rx-select", **props),
        rx.icon("chevron-down", size=16, aria_hidden="true"),
        class_name="rx-select-frame",
    )


def option(group: str, value: str, title: str, text: Any, **props: Any) -> rx.Component:
    """One of several ways: a radio button with a title and what it means. `group` is the form's name for it."""
    return rx.el.label(
        rx.el.input(type="radio", name=group, value=value, **props),
        rx.el.span(rx.el.span(title, class_name="rx-strong"), rx.el.br(), rx.el.span(text, class_name="rx-soft")),
        class_name="rx-option",
    )
