"""Which part of each table may differ from the backup: the rule for unchanged segments, read backwards.

A segment that holds the very rows it held when the backup was taken need not be staged, compared or touched. So a
restore costs what was damaged, not what there is. When in doubt, a table is taken whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rxbackup.postgres.block_ranges import has_rows
from rxbackup.postgres.cleanliness import Ground, is_same_ground, is_unchanged, watermark_is_there
from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.consistent_read import read_server
from rxbackup.postgres.introspection import Catalogue, Table
from rxbackup.postgres.text_rules import read_text_rules, tables_that_name_others
from rxbackup.restore.plan import RestorePlan, TargetTable
from rxbackup.vault.manifest import Manifest, SegmentEntry, TableEntry

_WORTH_IT = 0.5
"""The share of a table's rows that must be untouched: below it, one pass over the whole table is the cheaper way."""


@dataclass(frozen=True, slots=True)
class BlockRange:
    """Blocks `first` up to, not including, `end` (None: to the end) of a table without partitions."""

    leaf: Table
    first: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Damage:
    """The part of one target that may differ from the backup.

    Attributes:
        segments: those of the backup that hold its rows.
        ranges: where its rows are in the table now.
        untouched_rows: rows of all other segments, which table and backup have alike.
        touched, total: how many segments that is, of how many.
    """

    segments: tuple[tuple[TableEntry, SegmentEntry], ...]
    ranges: tuple[BlockRange, ...]
    untouched_rows: int
    touched: int
    total: int

    @property
    def nothing(self) -> bool:
        """Whether the table holds just the rows of the backup."""
        return not self.segments and not self.ranges


def survey(
    conn: Connection,
    plan: RestorePlan,
    manifest: Manifest,
    catalogue: Catalogue,
    source_url: str,
    *,
    on_table: Callable[[TargetTable], None],
) -> Mapping[int, Damage]:
    """Find the targets, by oid, of which only a part needs to be looked at, or nothing.

    For the numbers of a rehearsal it must see one snapshot. A restore asks again when it holds its locks.

    Args:
        on_table: is told of each target before it is looked at.
    """
    if not _is_comparable(conn, manifest, source_url):
        return {}
    named = tables_that_name_others(conn)
    found = {}
    for target in plan.targets:
        on_table(target)
        leaves = {leaf.oid: leaf for leaf in catalogue.leaves_of(target.table)}
        if named.isdisjoint(leaves):
            damage = _look(conn, target, leaves, int(manifest.snapshot.horizon))
            worth_it = damage.untouched_rows >= _WORTH_IT * target.backup_rows > 0
            if damage.nothing or (target.key and worth_it):
                found[target.table.oid] = damage
    return found


def _is_comparable(conn: Connection, manifest: Manifest, source_url: str) -> bool:
    then, snapshot, now = manifest.server, manifest.snapshot, read_server(conn)
    if snapshot.watermark is None:
        return False
    row = conn.execute("SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text").fetchone()
    next_xid = int(row[0]) if row else 0
    return is_same_ground(
        Ground(then.system_identifier, then.database_oid, then.encoding, snapshot.text_rules, int(snapshot.next_xid)),
        Ground(now.system_identifier, now.database_oid, now.encoding, read_text_rules(conn), next_xid),
        horizon=int(snapshot.horizon),
        watermark_is_there=watermark_is_there(source_url, snapshot.watermark),
    )


def _look(conn: Connection, target: TargetTable, leaves: Mapping[int, Table], horizon: int) -> Damage:
    touched: list[tuple[TableEntry, SegmentEntry]] = []
    clean: dict[int, list[SegmentEntry]] = {oid: [] for oid in leaves}
    for entry in target.entries:
        leaf = leaves.get(entry.oid)
        for segment in entry.segments:
            if leaf is not None and _may_be_clean(entry, leaf) and _is_unchanged(conn, leaf, segment, horizon):
                clean[leaf.oid].append(segment)
            else:
                touched.append((entry, segment))
    ranges = tuple(each for oid, leaf in leaves.items() for each in _beside(leaf, clean[oid]))
    if not touched and not any(has_rows(conn, r.leaf, r.first, r.end) for r in ranges):
        ranges = ()
    return Damage(
        segments=tuple(touched),
        ranges=ranges,
        untouched_rows=sum(segment.rows for segments in clean.values() for segment in segments),
        touched=len(touched),
        total=sum(len(entry.segments) for entry in target.entries),
    )


def _may_be_clean(entry: TableEntry, leaf: Table) -> bool:
    return entry.relfilenode == leaf.relfilenode and entry.layout == leaf.layout


def _is_unchanged(conn: Connection, leaf: Table, segment: SegmentEntry, horizon: int) -> bool:
    return is_unchanged(
        conn,
        leaf.schema,
        leaf.name,
        first_block=segment.first_block,
        end_block=segment.end_block,
        rows=segment.rows,
        horizon=horizon,
    )


def _beside(leaf: Table, clean: list[SegmentEntry]) -> list[BlockRange]:
    """The block ranges of a table that no clean segment covers, neighbours joined."""
    ranges = []
    first: int | None = 0
    for segment in sorted(clean, key=lambda s: s.first_block):
        if first is not None and segment.first_block > first:
            ranges.append(BlockRange(leaf, first, segment.first_block))
        first = segment.end_block
    if first is not None:
        ranges.append(BlockRange(leaf, first, None))
    return ranges
