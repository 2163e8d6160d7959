"""Count what a restore would do, and prove what it did, by comparing tables with their stages."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rxbackup import errors
from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.reconcile import Staged, count_disturbed, difference
from rxbackup.postgres.sampling import sample
from rxbackup.restore.plan import RestorePlan
from rxbackup.restore.report import RestoreReport, TableResult


class PartDisturbed(Exception):
    """Setting a part of a table right changed rows of the other part."""


def rehearsed(conn: Connection, plan: RestorePlan, staged: Mapping[int, Staged], *, samples: int = 0) -> RestoreReport:
    """Say what the restore would do, table by table, with up to `samples` rows of each. Changes nothing."""
    tables = {}
    for target in plan.targets:
        began = time.monotonic()
        own = staged[target.table.oid]
        diff = difference(conn, own)
        changed = diff.changed if plan.mode != "missing" else 0
        removed = diff.extra if plan.mode == "exact" else 0
        tables[target.name] = TableResult(
            diff.missing,
            changed,
            removed,
            target.backup_rows + diff.extra - removed,
            round(time.monotonic() - began, 3),
            samples=() if diff.nothing else sample(conn, own, plan.mode, samples),
        )
    return RestoreReport(tables, (), 0.0)


def prove(conn: Connection, plan: RestorePlan, staged: Mapping[int, Staged]) -> dict[int, int]:
    """Compare every target with its stage, row by row, before anybody else can see it.

    Returns:
        How many rows each target, by oid, has beyond those of the backup.

    Raises:
        PartDisturbed: rows outside a touched part were written.
        errors.DatabaseRefused: a target is not what was asked for.
    """
    newer = {}
    for target in plan.targets:
        if staged[target.table.oid].calm:
            newer[target.table.oid] = 0
            continue
        diff = difference(conn, staged[target.table.oid])
        newer[target.table.oid] = diff.extra
        wrong = diff.missing + (diff.changed if plan.mode != "missing" else 0)
        if plan.mode == "exact":
            wrong += abs(diff.extra)
        if staged[target.table.oid].touched and (wrong or count_disturbed(conn, staged[target.table.oid])):
            raise PartDisturbed
        if wrong:
            raise errors.DatabaseRefused(
                f"After the restore {target.name} would not be what was asked for "
                f"({diff.missing} rows missing, {diff.changed} different, {diff.extra} not in the backup). "
                "Nothing was changed.",
                hint="Something in the database alters rows as they are written. Look for triggers and rules on it.",
            )
    return newer
