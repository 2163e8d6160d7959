"""Pair the tables of a backup with the live ones, seen at one instant.

Block ranges that hold the very rows they held when the backup was taken are left out on both sides: the rule by which a
backup leans on an earlier one, and a restore finds the damage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rxbackup.compare.columns import ColumnThen, Matching, match_columns
from rxbackup.compare.pairs import NEW, Blocks, Kept, Part, TablePair, columns_then, kept_part, only_before
from rxbackup.compare.tables import KeptTable, kept_tables
from rxbackup.groups.discovery import discover_groups
from rxbackup.postgres.cleanliness import Ground, is_same_ground, is_unchanged, watermark_is_there
from rxbackup.postgres.consistent_read import ConsistentRead, TableChoice
from rxbackup.postgres.copy_out import copy_query, read_rows
from rxbackup.postgres.counting import count_visible_rows
from rxbackup.postgres.introspection import Catalogue, Table
from rxbackup.postgres.text_rules import read_text_rules, tables_that_name_others
from rxbackup.vault.manifest import Manifest, SegmentEntry, TableEntry

_PIECE_BYTES = 1 << 20


def tables_now(manifest: Manifest, only: str | None = None) -> TableChoice:
    """Chooses the live tables that a backup is compared with: its own, and those its groups have now."""
    names = set(kept_tables(manifest)) if only is None else {only}
    groups = {group.name for group in manifest.groups}

    def choose(catalogue: Catalogue) -> Sequence[Table]:
        wanted = names if only else names | {n for n, group in _groups(catalogue).items() if group in groups}
        return tuple(leaf for leaf in catalogue.leaves if catalogue.by_oid[leaf.root].qualified in wanted)

    return choose


def pair_with_now(
    before: Kept, read: ConsistentRead, source_url: str, *, only: str | None = None
) -> tuple[TablePair, ...]:
    """The tables of a backup and what became of them; with `only`, one of them.

    Args:
        read: one instant of the database, with the tables that `tables_now` chooses.
        source_url: the same database, to ask whether it was rolled back since.
    """
    ground = _Ground(before, read, is_comparable=_is_comparable(before.manifest, read, source_url))
    ground.unstable |= tables_that_name_others(read.conn)
    roots = {table.root: read.catalogue.by_oid[table.root] for table in read.tables}
    live = {root.qualified: root for root in roots.values()}
    kept = {name: table for name, table in kept_tables(before.manifest).items() if only in {None, name}}
    groups = _groups(read.catalogue)
    found = [
        _pair(ground, table, live[name]) if name in live else only_before(before.vault, table)
        for name, table in kept.items()
    ]
    return (*found, *(_only_now(read, root, groups[name]) for name, root in live.items() if name not in kept))


@dataclass(slots=True)
class _Ground:
    """What parts are judged by."""

    kept: Kept
    read: ConsistentRead
    is_comparable: bool
    unstable: set[int] = field(default_factory=set)

    def dirty(self, entry: TableEntry, leaf: Table | None) -> list[SegmentEntry]:
        """The segments that may hold other rows than the live table."""
        may_be_clean = (
            leaf is not None
            and self.is_comparable
            and leaf.oid not in self.unstable
            and (entry.oid, entry.relfilenode, entry.layout) == (leaf.oid, leaf.relfilenode, leaf.layout)
            and _covers_all(entry)
        )
        return [s for s in entry.segments if leaf is None or not may_be_clean or not self._is_clean(leaf, s)]

    def _is_clean(self, leaf: Table, segment: SegmentEntry) -> bool:
        return is_unchanged(
            self.read.conn,
            leaf.schema,
            leaf.name,
            first_block=segment.first_block,
            end_block=segment.end_block,
            rows=segment.rows,
            horizon=int(self.kept.manifest.snapshot.horizon),
        )


def _covers_all(entry: TableEntry) -> bool:
    """Whether the segments of a table are its blocks from the first to the last, without a gap."""
    ends = [0, *(segment.end_block for segment in entry.segments)]
    return ends[-1] is None and ends[:-1] == [segment.first_block for segment in entry.segments]


def _is_comparable(manifest: Manifest, read: ConsistentRead, source_url: str) -> bool:
    then, snapshot, now = manifest.server, manifest.snapshot, read.server
    if snapshot.watermark is None:
        return False
    return is_same_ground(
        Ground(then.system_identifier, then.database_oid, then.encoding, snapshot.text_rules, int(snapshot.next_xid)),
        Ground(now.system_identifier, now.database_oid, now.encoding, read_text_rules(read.conn), read.next_xid),
        horizon=int(snapshot.horizon),
        watermark_is_there=watermark_is_there(source_url, snapshot.watermark),
    )


def _pair(ground: _Ground, table: KeptTable, root: Table) -> TablePair:
    read = ground.read
    leaves = read.catalogue.leaves_of(root)
    matching = match_columns(
        columns_then(table),
        [ColumnThen(c.name, c.type, c.number) for c in root.copied_columns],
        key_before=table.key,
        key_after=root.primary_key,
        same_table=ground.is_comparable and table.entries[0].oid in {root.oid, *(leaf.oid for leaf in leaves)},
    )
    before: list[Part] = []
    after: list[Part] = []
    at_home = _homes(table, leaves)
    for entry in table.entries:
        leaf = at_home.get(entry.qualified)
        dirty = ground.dirty(entry, leaf)
        before += [kept_part(ground.kept.vault, entry, segment) for segment in dirty if segment.chunks]
        if leaf is not None:
            after += _live_parts(read, leaf, entry, matching.after, dirty)
    strangers = [leaf for leaf in leaves if leaf not in at_home.values()]
    after += [_live_part(read, leaf, matching.after, leaf.qualified, (0, None)) for leaf in strangers]
    total = sum(len(entry.segments) for entry in table.entries)
    return TablePair(
        table.name, table.group, "both", table.rows, matching, tuple(before), tuple(after), 2 * total + len(strangers)
    )


def _homes(table: KeptTable, leaves: Sequence[Table]) -> dict[str, Table]:
    """Which live table holds now what each entry held: the same one, else the one of the same name."""
    by_oid, by_name = {leaf.oid: leaf for leaf in leaves}, {leaf.qualified: leaf for leaf in leaves}
    found: dict[str, Table] = {}
    candidates = [(entry, by_oid.get(entry.oid)) for entry in table.entries]
    candidates += [(entry, by_name.get(entry.qualified)) for entry in table.entries]
    for entry, leaf in candidates:
        if leaf is not None and entry.qualified not in found and leaf not in found.values():
            found[entry.qualified] = leaf
    return found


def _live_parts(
    read: ConsistentRead, leaf: Table, entry: TableEntry, names: tuple[str, ...], dirty: Sequence[SegmentEntry]
) -> list[Part]:
    """The live rows beside the clean segments, cut as the backup was; whole where its segments do not cover a table."""
    if not _covers_all(entry):
        return [_live_part(read, leaf, names, entry.qualified, (0, None))]
    return [_live_part(read, leaf, names, entry.qualified, (s.first_block, s.end_block), s.raw_bytes) for s in dirty]


def _live_part(
    read: ConsistentRead,
    leaf: Table,
    names: tuple[str, ...],
    home: str,
    blocks: tuple[int, int | None],
    raw_bytes: int | None = None,
) -> Part:
    query = copy_query(leaf.schema, leaf.name, names, *blocks)
    guess = leaf.bytes if raw_bytes is None else raw_bytes

    def rows() -> Blocks:
        pieces = read_rows(read.conn, query, piece_bytes=_PIECE_BYTES, doing=f"reading {leaf.qualified}")
        yield from _whole_rows(pieces)

    return Part(home, blocks[0], names, guess, rows)


def _whole_rows(pieces: Iterator[tuple[memoryview, int]]) -> Blocks:
    """Blocks that end where rows end; only a row longer than a piece comes in several."""
    unfinished = bytearray()
    for piece, rows in pieces:
        if not rows:
            unfinished += piece
        elif unfinished:
            unfinished += piece
            yield unfinished
            unfinished = bytearray()
        else:
            yield bytes(piece)


def _only_now(read: ConsistentRead, root: Table, group: str) -> TablePair:
    names = tuple(column.name for column in root.copied_columns)
    places = tuple(names.index(name) for name in root.primary_key)
    leaves = read.catalogue.leaves_of(root)
    return TablePair(
        root.qualified,
        group,
        "after",
        count_visible_rows(read.conn, leaves),
        Matching(names, names, places, (NEW,)),
        before=(),
        after=tuple(_live_part(read, leaf, names, leaf.qualified, (0, None)) for leaf in leaves),
        parts_total=len(leaves),
    )


def _groups(catalogue: Catalogue) -> dict[str, str]:
    """The group of every table there is now."""
    return {name: group.name for group in discover_groups(catalogue) for name in group.tables}
