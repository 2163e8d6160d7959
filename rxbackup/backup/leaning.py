"""What a backup may take over from an earlier one. Pure, but for being told what the server says."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from rxbackup.postgres.cleanliness import Ground, is_same_ground
from rxbackup.postgres.consistent_read import ConsistentRead
from rxbackup.postgres.introspection import Table
from rxbackup.vault.manifest import Manifest, SegmentEntry, TableEntry


@dataclass(frozen=True, slots=True)
class Base:
    """An earlier backup to lean on, and how far.

    Attributes:
        manifest: of the earlier backup.
        reusable: whether its segments may be taken over where nothing changed; otherwise they only serve as anchors,
            from which changed chunks are stored as differences.
        unstable: oids of tables whose text may change without a trace in their rows: always read.
        lost: ids of chunks that it needs and that are not in the vault any more.
    """

    manifest: Manifest
    reusable: bool
    unstable: AbstractSet[int] = frozenset()
    lost: AbstractSet[str] = frozenset()

    @property
    def horizon(self) -> int:
        """The oldest transaction that was open then, an xid8."""
        return int(self.manifest.snapshot.horizon)

    def is_lost(self, chunk: str) -> bool:
        """Whether a chunk cannot be read any more: it is not there, or not what it leans on."""
        return bool(self.lost) and (chunk in self.lost or (self.manifest.leans or {}).get(chunk) in self.lost)

    def table(self, table: Table) -> TableEntry | None:
        """The same table in the earlier backup, by oid, with the same columns in the same order."""
        for entry in self.manifest.tables:
            if entry.oid == table.oid:
                then = [(c.name, c.type) for c in entry.copied_columns]
                return entry if then == [(c.name, c.type) for c in table.copied_columns] else None
        return None

    def may_be_clean(self, table: Table, entry: TableEntry) -> bool:
        """Whether its segments may be taken over, if their rows did not change."""
        return (
            self.reusable
            and entry.relfilenode == table.relfilenode
            and entry.layout == table.layout
            and table.oid not in self.unstable
        )


def may_lean(manifest: Manifest, read: ConsistentRead, *, text_rules: str, watermark_is_there: bool) -> bool:
    """Whether segments of an earlier backup may be taken over: same server, same history, same text."""
    server, then = read.server, manifest.server
    now = Ground(server.system_identifier, server.database_oid, server.encoding, text_rules, read.next_xid)
    before = manifest.snapshot
    return (
        # Without it nobody could say which anchors the chunks taken over need.
        manifest.leans is not None
        and is_same_ground(
            Ground(then.system_identifier, then.database_oid, then.encoding, before.text_rules, int(before.next_xid)),
            now,
            horizon=int(before.horizon),
            watermark_is_there=watermark_is_there,
        )
    )


def step_of(entry: TableEntry | None) -> int | None:
    """How many blocks the segments of an earlier backup have, if it had several: equal ranges compare."""
    first = entry.segments[0] if entry and entry.segments else None
    return first.end_block if first else None


def segment_at(entry: TableEntry | None, first_block: int) -> SegmentEntry | None:
    """The earlier segment that begins at the same block."""
    if entry is None:
        return None
    return next((s for s in entry.segments if s.first_block == first_block), None)
