"""Rows that were, or would be, added, changed or removed: their fields, old → new."""

# mypy: disable-error-code="no-any-return,attr-defined,operator"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from rxbackup.operations.views import FieldView
from rxbackup.ui.components.status_badge import badge

_SHOWN_FIELDS = 6


@dataclass(frozen=True)
class ChangedField:
    """One column of a row. Where `was_null` or `is_null`, `before` or `after` stands for NULL."""

    column: str
    before: str
    after: str
    was_null: bool
    is_null: bool
    differs: bool


@dataclass(frozen=True)
class ChangedRow:
    """One row that was "added", "changed" or "removed", with the columns that tell it, or all of them."""

    key: str
    change: str
    fields: list[ChangedField]


def changed_row(key: str, change: str, values: Sequence[FieldView], *, whole: bool) -> ChangedRow:
    """A row as the page draws it; unless `whole`, of a changed one what differs, of any other the first columns."""
    fields = [
        ChangedField(one.column, one.before or "", one.after or "", one.before is None, one.after is None, one.differs)
        for one in values
    ]
    if not whole and change == "changed":
        # What stays the same tells which row it is; its first column usually is the key.
        fields = [*[one for one in fields if not one.differs][:1], *(one for one in fields if one.differs)]
    elif not whole:
        fields = fields[:_SHOWN_FIELDS]
    return ChangedRow(key, change, fields)


def changed_rows(rows: Any, label: Any) -> rx.Component:
    """Draw a var of `list[ChangedRow]`."""
    return rx.el.ul(rx.foreach(rows, _row), class_name="rx-samples", aria_label=label)


def _row(row: rx.Var[ChangedRow]) -> rx.Component:
    return rx.el.li(
        rx.match(
            row.change,
            ("added", badge("plus", "Added", "good")),
            ("removed", badge("minus", "Removed", "bad")),
            badge("arrow-right-left", "Changed", "run"),
        ),
        rx.el.dl(rx.foreach(row.fields, lambda field: _field(field, row.change)), class_name="rx-fields"),
        key=row.key,
        class_name="rx-sample",
    )


def _field(field: rx.Var[ChangedField], change: Any) -> rx.Component:
    before, after = value_text(field.before, field.was_null), value_text(field.after, field.is_null)
    return rx.el.div(
        rx.el.dt(field.column),
        rx.el.dd(
            rx.cond(
                change == "changed",
                rx.cond(
                    field.differs,
                    rx.fragment(
                        rx.el.span("from ", class_name="rx-hidden"),
                        rx.el.del_(before),
                        rx.icon("arrow-right", size=12, role="img", aria_label="to"),
                        rx.el.ins(after),
                    ),
                    after,
                ),
                rx.cond(change == "removed", before, after),
            )
        ),
        key=field.column,
        class_name=rx.cond(field.differs, "rx-one-field rx-one-differs", "rx-one-field"),
    )


def value_text(text: Any, null: Any) -> rx.Component:
    """A value as PostgreSQL wrote it; NULL and the empty text are told apart from words."""
    return rx.cond(
        null,
        rx.el.span("NULL", class_name="rx-null"),
        rx.cond(text == "", rx.el.span("empty", class_name="rx-null"), rx.el.span(text)),
    )
