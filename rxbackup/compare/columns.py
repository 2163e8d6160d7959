"""What became of a table's columns between two moments: which ones are the same, and the rest in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnThen:
    """A column on one side; `number` is the server's own for it, None if nobody knows."""

    name: str
    type: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """Columns that both sides have.

    Attributes:
        before, after: their names on either side, in the same order.
        key: numbers, from 0, of those that name a row; empty if rows are compared as wholes.
        notes: everything that differs, in words.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    key: tuple[int, ...]
    notes: tuple[str, ...]


def match_columns(
    before: Sequence[ColumnThen],
    after: Sequence[ColumnThen],
    *,
    key_before: Sequence[str],
    key_after: Sequence[str],
    same_table: bool,
) -> Matching:
    """Find which columns correspond.

    Args:
        same_table: whether both sides are one table of one server, so that a column's number says that it was renamed.
    """
    new = {column.name: column for column in after}
    renamed = _renamed(before, after) if same_table else {}
    pairs: list[tuple[ColumnThen, ColumnThen]] = []
    notes: list[str] = []
    for column in before:
        match = new.get(column.name) or renamed.get(column.name)
        if match is None:
            notes.append(f"Column {column.name} is gone: its values are not compared.")
            continue
        pairs.append((column, match))
        if match.name != column.name:
            notes.append(f"Column {column.name} looks renamed to {match.name}.")
        if match.type != column.type:
            notes.append(f"Column {match.name} was {column.type} and is {match.type}.")
    known = {match.name for _, match in pairs}
    notes += [
        f"Column {column.name} is new: its values are not compared." for column in after if column.name not in known
    ]
    names = {column.name: match.name for column, match in pairs}
    places = {column.name: place for place, (column, _) in enumerate(pairs)}
    same_key = bool(key_before) and {names.get(name, "") for name in key_before} == set(key_after)
    if not same_key and (key_before or key_after):
        notes.append(
            f"The primary key was {_listed(key_before)} and is {_listed(key_after)}: rows are compared as wholes."
        )
    return Matching(
        tuple(column.name for column, _ in pairs),
        tuple(match.name for _, match in pairs),
        tuple(places[name] for name in key_before) if same_key else (),
        tuple(notes),
    )


def _renamed(before: Sequence[ColumnThen], after: Sequence[ColumnThen]) -> dict[str, ColumnThen]:
    """Columns whose name is gone, and the new one with the same number and type."""
    names = {column.name for column in before} & {column.name for column in after}
    new = {(c.number, c.type): c for c in after if c.number is not None and c.name not in names}
    found = {c.name: new.get((c.number or 0, c.type)) for c in before if c.name not in names}
    return {name: column for name, column in found.items() if column is not None}


def _listed(key: Sequence[str]) -> str:
    return f"({', '.join(key)})" if key else "missing"
