"""A comparison as the page draws it: a verdict, a table of differences, rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rxbackup.operations.views import BackupView, ComparisonView, GroupComparison, TableComparison
from rxbackup.operations.wording import moment
from rxbackup.ui import wording

CHANGES = ("added", "changed", "removed")


@dataclass(frozen=True)
class Side:
    """A backup that can be chosen."""

    id: str
    words: str


@dataclass(frozen=True)
class DifferenceLine:
    """A group, or a table, and what became of it; `tables` is how many of a group stand below it."""

    key: str
    kind: str
    name: str
    tables: int
    added: int
    changed: int
    removed: int
    notes: list[str]


@dataclass(frozen=True)
class Outcome:
    """The comparison in one sentence. `tone` is good or run."""

    tone: str = "run"
    title: str = ""
    text: str = ""


def sides_of(found: Sequence[BackupView], chosen: Sequence[BackupView]) -> list[Side]:
    """What can be chosen: the newest backups, and those that are chosen already."""
    known = {view.id: view for view in (*found, *chosen)}
    newest_first = sorted(known.values(), key=lambda view: view.when, reverse=True)
    return [Side(view.id, f"{view.name} · {moment(view.when)} UTC") for view in newest_first]


def outcome_of(found: ComparisonView) -> Outcome:
    """What a comparison comes to."""
    opened = (
        f"{wording.number(found.parts_opened)} of {wording.plural(found.parts_total, 'part')} had to be opened, "
        f"{wording.span(found.seconds)}"
    )
    if not found.tables:
        return Outcome("good", "Nothing differs", opened)
    sums = [(sum(getattr(one, change) for one in found.tables), change) for change in CHANGES]
    said = [(value, change) for value, change in sums if value]
    where = wording.plural(len(found.tables), "table")
    if not said:
        return Outcome("run", f"No row differs, but columns do in {where}", opened)
    first, change = said[0]
    rest = [f"{wording.number(value)} {what}" for value, what in said[1:]]
    words = ", ".join([f"{wording.plural(first, 'row')} {change}", *rest])
    return Outcome("run", f"{words} in {where}", opened)


def difference_lines(found: ComparisonView, search: str = "") -> list[DifferenceLine]:
    """Groups that differ, each followed by its tables; with words to search for, only the tables that hold them."""
    words = search.strip().lower()
    lines: list[DifferenceLine] = []
    for group in found.groups:
        tables = [one for one in found.tables if one.group == group.name]
        tables = [one for one in tables if words in one.name.lower() or words in group.name.lower()]
        if not tables:
            continue
        if not words:
            lines.append(_group(group, len(tables)))
        lines += [_table(one) for one in sorted(tables, key=lambda one: (-_rows(one), one.name))]
    return lines


def _group(group: GroupComparison, tables: int) -> DifferenceLine:
    return DifferenceLine(
        f"group:{group.name}", "group", group.name, tables, group.added, group.changed, group.removed, []
    )


def _table(one: TableComparison) -> DifferenceLine:
    notes = list(one.notes)
    if not one.by_key and not any("primary key" in note for note in notes):
        notes.append("No primary key: whole rows are compared.")
    return DifferenceLine(one.name, "table", one.name, 1, one.added, one.changed, one.removed, notes)


def _rows(one: TableComparison) -> int:
    return one.added + one.changed + one.removed
