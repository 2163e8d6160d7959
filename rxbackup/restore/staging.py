"""Stage the rows of the backup beside the tables they belong to, in temporary tables of the restore's session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from rxbackup import errors
from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.copy_in import copy_rows
from rxbackup.postgres.introspection import Table
from rxbackup.postgres.reconcile import Staged, analyse_stage, create_stage, note_touched
from rxbackup.progress import Progress, ProgressSink
from rxbackup.restore.damage import Damage
from rxbackup.restore.plan import RestorePlan, TargetTable
from rxbackup.restore.reading_ahead import read_ahead
from rxbackup.vault.manifest import SegmentEntry, TableEntry
from rxbackup.vault.vault import Vault


@dataclass(slots=True)
class Staging:
    """Opens chunks and hands their rows to PostgreSQL, counting.

    Attributes:
        damage: of the targets, by oid, of which only a part is staged, or nothing.
        calm: those, by oid, of which nothing differs and that others may be writing to.
    """

    vault: Vault
    on_progress: ProgressSink
    plan: RestorePlan
    damage: Mapping[int, Damage] = field(default_factory=dict)
    calm: frozenset[int] = frozenset()
    rows: int = 0
    sent: int = 0
    tables: int = 0

    def begin(self, plan: RestorePlan, damage: Mapping[int, Damage], calm: frozenset[int]) -> None:
        """Take over what was found behind the locks."""
        # A part of a table is told by its key: one without a key is left alone, or taken whole.
        keyed = {t.table.oid for t in plan.targets if t.key}
        self.plan, self.calm = plan, calm
        self.damage = {oid: each for oid, each in damage.items() if oid in calm | keyed}

    def staged(self, number: int, target: TargetTable) -> Staged:
        """Name the staging tables of the n-th target."""
        stage = f"rxb_stage_{number}"
        damage = self.damage.get(target.table.oid)
        if damage is None:
            return Staged(target.table, stage, target.columns, target.key)
        return Staged(
            target.table,
            stage,
            target.columns,
            target.key,
            f"rxb_touched_{number}",
            damage.untouched_rows,
            calm=target.table.oid in self.calm,
        )

    def report(self, stage: str) -> None:
        """Say how far it has come."""
        self.on_progress(
            Progress(
                stage,
                rows_done=self.rows,
                rows_total=sum(t.backup_rows for t in self.plan.targets),
                bytes_done=self.sent,
                bytes_total=sum(t.backup_bytes for t in self.plan.targets),
                tables_done=self.tables,
                tables_total=len(self.plan.targets),
            )
        )

    def fill(self, conn: Connection, staged: Staged, target: TargetTable) -> None:
        """Load the rows of a target into its stage, and compare what PostgreSQL took with what the manifest says."""
        create_stage(conn, staged)
        damage = self.damage.get(target.table.oid)
        for entry in target.entries:
            segments = entry.segments
            if damage is not None:
                segments = [segment for of, segment in damage.segments if of is entry]
                self._pass_over(entry, segments)
            if segments:
                self._load(conn, ("pg_temp", staged.stage), entry, segments)
        for each in damage.ranges if damage else ():
            note_touched(conn, staged, each.leaf, each.first, each.end)
        analyse_stage(conn, staged)
        self.tables += 1

    def _pass_over(self, entry: TableEntry, segments: Sequence[SegmentEntry]) -> None:
        """Count what need not be opened as done."""
        self.rows += entry.rows - sum(s.rows for s in segments)
        self.sent += entry.raw_bytes - sum(s.raw_bytes for s in segments)

    def load(self, conn: Connection, table: Table, entry: TableEntry, *, freeze: bool) -> None:
        """Load all rows of an entry straight into a table, which this transaction has truncated."""
        self._load(conn, (table.schema, table.name), entry, entry.segments, freeze=freeze)

    def _load(
        self,
        conn: Connection,
        where: tuple[str, str],
        entry: TableEntry,
        segments: Sequence[SegmentEntry],
        *,
        freeze: bool = False,
    ) -> None:
        wanted = sum(s.rows for s in segments)
        taken = copy_rows(
            conn,
            *where,
            [c.name for c in entry.columns if not c.generated],
            self._pieces(entry, segments),
            doing=f"reading the rows of {entry.qualified} back",
            freeze=freeze,
        )
        if taken != wanted:
            raise errors.ManifestCorrupt(
                f"{entry.qualified} should have {wanted} rows here, but PostgreSQL found {taken} in the backup."
            )
        self.rows += wanted

    def _pieces(self, entry: TableEntry, segments: Sequence[SegmentEntry]) -> Iterator[bytes]:
        opened = read_ahead(self.vault, (chunk for segment in segments for chunk in segment.chunks))
        for segment in segments:
            length = 0
            for piece in islice(opened, len(segment.chunks)):
                length += len(piece)
                self.sent += len(piece)
                self.report("Opening the backup")
                yield piece
            if length != segment.raw_bytes:
                raise errors.ManifestCorrupt(f"A segment of {entry.qualified} is not as long as the manifest says.")
