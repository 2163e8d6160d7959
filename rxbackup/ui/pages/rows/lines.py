"""Rows of a backup as the page draws them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rxbackup.operations.views import KeptTableView, RowsView
from rxbackup.ui import wording
from rxbackup.ui.addresses import rows_address

SIGNS = {"is": "is", "has": "contains", "null": "is NULL", "not-null": "is not NULL"}


@dataclass(frozen=True)
class TableLine:
    """A table one can look at."""

    name: str
    group: str
    rows: int
    href: str


@dataclass(frozen=True)
class Head:
    """A column; `is_key` where it belongs to the primary key."""

    name: str
    type: str
    is_key: bool


@dataclass(frozen=True)
class Cell:
    """A value; `cut` where there is more of it."""

    column: str
    text: str
    is_null: bool
    cut: bool


@dataclass(frozen=True)
class RowLine:
    """A row. `place` finds it again; `number` counts from where one began to look."""

    place: str
    number: str
    cells: list[Cell]


@dataclass(frozen=True)
class Chip:
    """A condition in words."""

    condition: str
    words: str


def table_lines(found: Sequence[KeptTableView], backup_id: str) -> list[TableLine]:
    """Tables as links to their rows."""
    return [TableLine(one.name, one.group, one.rows, rows_address(backup_id, one.name)) for one in found]


def heads_of(view: RowsView) -> list[Head]:
    """The columns."""
    return [Head(one.name, one.type, one.is_key) for one in view.columns]


def row_lines(view: RowsView, first: int) -> list[RowLine]:
    """The rows, the first of them numbered `first`."""
    names = [column.name for column in view.columns]
    return [
        RowLine(
            row.place,
            wording.number(first + offset),
            [
                Cell(name, value or "", value is None, at in row.cut)
                for at, (name, value) in enumerate(zip(names, row.values, strict=True))
            ],
        )
        for offset, row in enumerate(view.rows)
    ]


def condition(column: str, sign: str, value: str) -> str:
    """A condition as the operations read it."""
    match sign:
        case "null":
            return f"{column} is null"
        case "not-null":
            return f"{column} is not null"
        case "has":
            return f"{column}~{value}"
        case _:
            return f"{column}={value}"


def chip_of(text: str, columns: Sequence[str]) -> Chip:
    """A condition in words: "customer_id is 7"."""
    for name in sorted(columns, key=len, reverse=True):
        rest = text.removeprefix(name)
        if rest != text:
            sign = {"=": "is", "~": "contains"}.get(rest[:1])
            said = rest[1:] or "empty"
            return Chip(text, f"{name} {sign} {said}" if sign else f"{name}{rest.replace('null', 'NULL')}")
    return Chip(text, text)


def foot_words(*, first: int, shown: int, total: int, looked_at: int, filtered: bool) -> str:
    """What the page shows of how much."""
    if filtered:
        found = "No row found" if first + shown == 1 else f"{wording.plural(first - 1 + shown, 'row')} found"
        if looked_at >= total:
            return f"{found} in all {wording.number(total)}"
        return f"{found}, {wording.number(looked_at)} of {wording.number(total)} looked through"
    if not shown:
        return "No rows"
    return f"Rows {wording.number(first)}–{wording.number(first + shown - 1)} of {wording.number(total)}"
