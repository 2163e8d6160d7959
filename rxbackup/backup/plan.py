"""Which tables, in which pieces. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rxbackup.backup.leaning import Base, step_of
from rxbackup.groups.group import Group
from rxbackup.postgres.foreign_keys import parents_first
from rxbackup.postgres.introspection import Catalogue, Table
from rxbackup.vault.manifest import TableEntry

SEGMENT_BYTES = 4 * 1024 * 1024
"""What one segment aims at, TOAST included: small enough to be read again cheaply, large enough to compress well."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Blocks `first_block` up to, not including, `end_block` of a table; None reads to the end, wherever that is."""

    first_block: int
    end_block: int | None


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """A table to read, the group it belongs to, its segments in block order, and what an earlier backup has of it."""

    table: Table
    group: str
    segments: tuple[Segment, ...]
    earlier: TableEntry | None = None


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """What a backup will read, parents before children.

    Attributes:
        estimated_rows: what PostgreSQL's statistics promise.
        estimated_bytes: size on the server, TOAST included.
    """

    tables: tuple[PlannedTable, ...]
    estimated_rows: int
    estimated_bytes: int

    @property
    def segments_total(self) -> int:
        """How many segments there are in all tables."""
        return sum(len(t.segments) for t in self.tables)


def tables_of(catalogue: Catalogue, groups: Sequence[Group]) -> tuple[Table, ...]:
    """Return the tables that hold the groups' rows: leaves for partitioned tables, by oid."""
    wanted = {name for group in groups for name in group.tables}
    return tuple(t for t in catalogue.leaves if catalogue.by_oid[t.root].qualified in wanted)


def plan_backup(catalogue: Catalogue, groups: Sequence[Group], base: Base | None = None) -> BackupPlan:
    """Return what to read for these groups, cut where `base` was cut."""
    group_of = {name: group.name for group in groups for name in group.tables}
    tables = {t.oid: t for t in tables_of(catalogue, groups)}
    parents: dict[int, set[int]] = {}
    for key in catalogue.foreign_keys:
        for leaf in catalogue.leaves_of(catalogue.by_oid[key.table]) or (catalogue.by_oid[key.table],):
            referenced = catalogue.leaves_of(catalogue.by_oid[key.referenced]) or (catalogue.by_oid[key.referenced],)
            parents.setdefault(leaf.oid, set()).update(t.oid for t in referenced)
    order, _ = parents_first(sorted(tables), parents)
    earlier = {oid: base.table(tables[oid]) for oid in order} if base else {}
    planned = tuple(
        PlannedTable(
            tables[oid],
            group_of[catalogue.by_oid[tables[oid].root].qualified],
            cut_segments(tables[oid], step_before=step_of(earlier.get(oid))),
            earlier.get(oid),
        )
        for oid in order
    )
    return BackupPlan(
        planned,
        estimated_rows=sum(max(t.table.estimated_rows, 0) for t in planned),
        estimated_bytes=sum(t.table.bytes for t in planned),
    )


def cut_segments(table: Table, *, step_before: int | None = None) -> tuple[Segment, ...]:
    """Cut a table into block ranges of about SEGMENT_BYTES.

    The number of blocks is a power of two, so that a table that grows keeps its boundaries from backup to backup. The
    number of an earlier backup is kept while it is not off by more than four.
    """
    bytes_a_block = max(table.bytes / max(table.blocks, 1), 1)
    step = 2 ** max(round(math.log2(SEGMENT_BYTES / bytes_a_block)), 0)
    if step_before and step / 4 <= step_before <= step * 4:
        step = step_before
    starts = range(0, max(table.blocks, 1), step)
    return tuple(Segment(start, None if start == starts[-1] else start + step) for start in starts)
