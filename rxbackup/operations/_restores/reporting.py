"""What a restore did, from the engine's report to the view of it, to plain values for a job's row."""

from __future__ import annotations

import dataclasses
from typing import Any

from rxbackup.operations._restores.carrying_out import Carried
from rxbackup.operations.views import RestoreView, TableChange
from rxbackup.operations.wording import counted
from rxbackup.restore.report import TableResult


def change_of(result: TableResult) -> TableChange:
    """What was done to one table, or would be."""
    return TableChange(result.added, result.changed, result.removed, result.set_aside, result.seconds)


def restored(expected: RestoreView, carried: Carried) -> RestoreView:
    """What was known before, with what came of it."""
    if carried.report is None:
        return dataclasses.replace(expected, note=carried.note)
    changes = {name: change_of(result) for name, result in carried.report.tables.items()}
    return dataclasses.replace(expected, tables=changes, seconds=carried.report.seconds)


def touched(done: RestoreView) -> str:
    """In words, for people: how much was set right."""
    rows = sum(c.added + c.changed + c.removed for c in done.tables.values())
    return f"{rows} rows in {counted(len(done.tables), 'table')} were set right"


def document_of_restore(done: RestoreView) -> dict[str, Any]:
    """As plain values for the row of the job."""
    until = done.undo_until
    return {**dataclasses.asdict(done), "undo_until": until.isoformat() if until else None}
