"""What a comparison found, as a run keeps it and as doors get it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rxbackup.compare.run import RowDifference, TableDifference
from rxbackup.compare.text import as_text, cut_text
from rxbackup.operations.views import (
    BackupView,
    ComparisonView,
    FieldView,
    GroupComparison,
    RowComparison,
    TableComparison,
)
from rxbackup.operations.wording import counted

CHANGES = ("added", "changed", "removed")


def result_of(
    found: tuple[TableDifference, ...], notes: tuple[str, ...], at: datetime, seconds: float
) -> dict[str, Any]:
    """Numbers only: values of rows are read again for whoever looks at them."""
    differing = sorted((each for each in found if each.differs), key=lambda each: (each.group, each.name))
    fields = [field.name for field in dataclasses.fields(TableComparison)]
    groups = dict.fromkeys(each.group for each in sorted(found, key=lambda each: each.group))
    return {
        "message": _message(differing),
        "at": at.isoformat(),
        "groups": [dataclasses.asdict(_group(name, found)) for name in groups],
        "tables": [{name: getattr(each, name) for name in fields} for each in differing],
        "notes": list(notes),
        "parts_opened": sum(each.parts_opened for each in found),
        "parts_total": sum(each.parts_total for each in found),
        "seconds": round(seconds, 3),
    }


def _group(name: str, found: tuple[TableDifference, ...]) -> GroupComparison:
    tables = [each for each in found if each.group == name]
    return GroupComparison(
        name,
        added=sum(each.added for each in tables),
        changed=sum(each.changed for each in tables),
        removed=sum(each.removed for each in tables),
        tables=len(tables),
        tables_changed=sum(each.differs for each in tables),
    )


def _message(differing: list[TableDifference]) -> str:
    if not differing:
        return "No row differs."
    added, changed, removed = (sum(getattr(each, name) for each in differing) for name in CHANGES)
    tables = counted(len(differing), "table")
    return f"{added} added, {changed} changed, {removed} removed: {tables} differ{'s' if len(differing) == 1 else ''}."


def comparison_of(job: str, old: BackupView, new: BackupView | None, result: Mapping[str, Any]) -> ComparisonView:
    """The view of what a run has kept."""
    tables = [TableComparison(**{**each, "notes": tuple(each["notes"])}) for each in result["tables"]]
    return ComparisonView(
        job=job,
        before=old,
        after=new,
        at=datetime.fromisoformat(str(result["at"])),
        groups=tuple(GroupComparison(**each) for each in result["groups"]),
        tables=tuple(tables),
        notes=tuple(result["notes"]),
        parts_opened=int(result["parts_opened"]),
        parts_total=int(result["parts_total"]),
        seconds=float(result["seconds"]),
    )


def row_of(row: RowDifference, codecs: tuple[str, str], cut: int | None) -> RowComparison:
    """A row as text, its values cut to so many characters."""
    is_cut = False

    def shown(value: bytes | None, codec: str) -> str | None:
        nonlocal is_cut
        if value is None:
            return None
        text = as_text(value, codec)
        if cut is None:
            return text
        text, is_longer = cut_text(text, cut)
        is_cut |= is_longer
        return text

    fields = tuple(
        FieldView(f.column, shown(f.before, codecs[0]), shown(f.after, codecs[1]), f.differs) for f in row.fields
    )
    return RowComparison(row.change, fields, is_cut)


def not_compared(groups: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Say of groups that only one backup holds that nothing is said of them."""
    return tuple(f"{name} is only in {where}: not compared." for name in groups)
