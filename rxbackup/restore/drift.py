"""How the columns of a table differ from those in the backup, and what a restore makes of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rxbackup.postgres.introspection import Column, Table
from rxbackup.vault.manifest import ColumnEntry, TableEntry


@dataclass(frozen=True, slots=True)
class Drift:
    """A column that is no longer what it was when the backup was taken.

    Attributes:
        table: `schema.name`.
        column: its name in the backup; for a new one its name now.
        kind: "new", "dropped", "renamed" or "retyped".
        message: one sentence or two that name the table and the column.
        consequence: what the restore makes of it, without the names.
        hint: what to do about it; "" where nothing need be done.
        blocks: whether the restore would lose or invent values, and is refused.
        now: a renamed column's name now, a retyped one's type now, else "".
    """

    table: str
    column: str
    kind: str
    message: str
    consequence: str
    hint: str = ""
    blocks: bool = False
    now: str = ""


def find_drift(table: Table, parts: Sequence[TableEntry]) -> tuple[Drift, ...]:
    """Compare the live columns with those whose values the backup holds, in `parts`.

    Columns that PostgreSQL computes are no drift: they hold nothing of their own.
    """
    stored = {c.name: c for entry in parts for c in entry.copied_columns}
    if not parts:
        return ()
    live = {c.name: c for c in table.columns}
    new = [c for c in table.copied_columns if c.name not in stored]
    lost = [c for c in stored.values() if c.name not in live]
    renamed = dict(_renamed(lost, new))
    found = [_gone(table, c, renamed.get(c.name)) for c in lost]
    found += [_computed(table, c) for c in stored.values() if c.name in live and live[c.name].generated]
    found += [_new(table, c) for c in new if c.name not in renamed.values()]
    found += [
        _retyped(table, was, live[was.name])
        for was in stored.values()
        if was.name in live and not live[was.name].generated and live[was.name].type != was.type
    ]
    return tuple(found)


def _renamed(lost: Sequence[ColumnEntry], new: Sequence[Column]) -> Iterator[tuple[str, str]]:
    """Pairs of an old and a new name that look like one column.

    A column keeps its number when it is renamed. Where the number is unknown or does not tell (the table was made
    anew), one that is gone and one that is new, of the same type, are taken for a pair if there are no others.
    """
    for was in lost:
        same = [c for c in new if c.type == was.type]
        numbered = [c for c in same if c.number == was.number]
        if not numbered and len(same) == 1 and sum(other.type == was.type for other in lost) == 1:
            numbered = same
        for now in numbered[:1]:
            yield was.name, now.name


def _gone(table: Table, was: ColumnEntry, now: str | None) -> Drift:
    message = f"{table.qualified} no longer has the column {was.name}, whose values the backup holds"
    if now is None:
        return Drift(
            table.qualified,
            was.name,
            "dropped",
            f"{message}.",
            "There is no place for its values.",
            "Add the column again before the restore, or skip the group.",
            blocks=True,
        )
    return Drift(
        table.qualified,
        was.name,
        "renamed",
        f"{message}; it looks renamed to {now}.",
        f"It looks renamed to {now}. Values are put back by name only.",
        f"If it was renamed, call {now} {was.name} again for the restore; or skip the group.",
        blocks=True,
        now=now,
    )


def _computed(table: Table, was: ColumnEntry) -> Drift:
    return Drift(
        table.qualified,
        was.name,
        "dropped",
        f"{table.qualified} now computes its column {was.name}, whose values the backup holds.",
        "PostgreSQL computes it now: there is no place for its values.",
        "Make it a plain column again before the restore, or skip the group.",
        blocks=True,
    )


def _new(table: Table, column: Column) -> Drift:
    if column.not_null and not column.has_default and not column.identity:
        return Drift(
            table.qualified,
            column.name,
            "new",
            f"{table.qualified} has the new column {column.name}, for which the backup has no value.",
            "It must have a value, and the backup has none.",
            "Give the column a default, or skip the group.",
            blocks=True,
        )
    given = "its default" if column.has_default or column.identity else "no value in it"
    consequence = f"Rows that come back get {given}; rows that stayed keep their value."
    return Drift(
        table.qualified,
        column.name,
        "new",
        f"{table.qualified}: {column.name} is newer than the backup. {consequence}",
        consequence,
    )


def _retyped(table: Table, was: ColumnEntry, now: Column) -> Drift:
    return Drift(
        table.qualified,
        was.name,
        "retyped",
        f"{table.qualified}: {was.name} changed type since the backup, from {was.type} to {now.type}. "
        "PostgreSQL converts the values, or the whole restore is refused.",
        f"It was {was.type} and is {now.type}. PostgreSQL converts the values, or the whole restore is refused.",
        now=now.type,
    )
