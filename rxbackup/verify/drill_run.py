"""The steps of a drill in the place that was made for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rxbackup import errors
from rxbackup.postgres.connecting import PINS, Connection
from rxbackup.postgres.scratch import Rights, Scratch
from rxbackup.postgres.scratch_tables import (
    ScratchReference,
    ScratchSequence,
    ScratchTable,
    Step,
    binding_steps,
    give_defaults,
    make_sequence,
    make_table,
    set_sequence,
)
from rxbackup.postgres.scratch_trying import (
    Refusal,
    RowsRefused,
    attempt,
    load,
    one_transaction,
    pin,
    read_back,
    take,
    try_steps,
    try_writes,
)
from rxbackup.progress import Progress, ProgressSink
from rxbackup.vault.manifest import Manifest, TableEntry
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import Opened, segment_damages
from rxbackup.verify.drill_plan import DrillPlan
from rxbackup.verify.fingerprints import RowsDigest, StreamDigest
from rxbackup.verify.report import Damage, Obstacle

RESTORING = "Restoring into a place of its own"
_AT_ONCE = 25
"""So many things are made in one transaction: each holds a few locks until its end."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What was found in the protected database.

    Attributes:
        oids: of the tables whose types matter.
        looks_the_same: values still look as text as they did when the backup was taken.
        server_folder: where the server keeps its data, if it is on this machine and tells.
    """

    plan: DrillPlan
    oids: tuple[int, ...]
    rights: Rights
    looks_the_same: bool
    server_folder: Path | None


class _Damaged(Exception):
    """A segment is not what the manifest says; which one is found out afterwards."""


@dataclass(slots=True)
class Drill:
    """One drill, as far as it has come.

    Attributes:
        opened: what is known of chunks by now.
        made, filled: qualified names of tables.
        tables_same, rows_same: restored and found to be what the backup holds.
    """

    vault: Vault
    manifest: Manifest
    ground: Ground
    on_progress: ProgressSink
    opened: dict[str, Opened] = field(default_factory=dict)
    damaged: list[Damage] = field(default_factory=list)
    unproven: list[Obstacle] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)
    bytes_done: int = 0
    rows_done: int = 0
    tables_done: int = 0
    tables_same: int = 0
    rows_same: int = 0

    @property
    def pins(self) -> dict[str, str]:
        """Settings under which values look as they did: the manifest's, but no other settings than those."""
        wanted = {**self.manifest.pins, "row_security": "off", "search_path": ""}
        return {name: value for name, value in wanted.items() if name in PINS or name == "client_encoding"}

    def make(self, scratch: Scratch, *, strictly: bool) -> None:
        """Make all tables and sequences, empty.

        Args:
            strictly: whatever cannot be made, or could not be bound later, is an error; else it is noted.

        Raises:
            errors.DatabaseRefused: something cannot be made.
        """
        plan = self.ground.plan
        pin(scratch, self.pins)
        self.made.clear()
        self.unproven = list(plan.obstacles)
        works: list[tuple[str, Callable[[], None]]] = [
            (f"{s.schema}.{s.name}", partial(make_sequence, scratch, s))
            for s in plan.sequences
            if not self._is_identity(s)
        ]
        works += [(t.qualified, partial(make_table, scratch, t, plan.sequences)) for t in plan.shapes]
        for name in self._make(scratch, works, strictly=strictly):
            self.made.add(name)
        works = [
            (".".join(s.owner[:2]), partial(give_defaults, scratch, s))
            for s in plan.sequences
            if s.owner and ".".join(s.owner[:2]) in self.made and not self._is_identity(s)
        ]
        self._make(scratch, works, strictly=strictly)
        if strictly:
            steps = binding_steps(scratch, plan.shapes, plan.references)
            try_steps(scratch, steps, self._watching("Preparing the drill"))

    def run(self, scratch: Scratch) -> None:
        """Fill the tables and compare, bind them, set the sequences, write."""
        for table in self.ground.plan.tables:
            if table.shape is not None and table.shape.qualified in self.made:
                self._restore(scratch, table.entry, table.shape)
            else:
                self._open_only(table.entry)
            self.tables_done += 1
        self._bind(scratch)
        self._set_sequences(scratch)
        self._write(scratch)

    def _make(self, scratch: Scratch, works: list[tuple[str, Callable[[], None]]], *, strictly: bool) -> list[str]:
        """Make things by name, a handful in a transaction. Returns the names of those that could be made."""
        made = []
        for start in range(0, len(works), _AT_ONCE):
            self._watch("Preparing the drill")
            with one_transaction(scratch):
                for name, work in works[start:][:_AT_ONCE]:
                    refusal = attempt(scratch, work, f"making {name} for the drill")
                    if refusal is None:
                        made.append(name)
                    elif strictly:
                        raise errors.DatabaseRefused(f"{name}: {refusal.said}")
                    else:
                        self.unproven.append(Obstacle(name, f"it cannot be made: {refusal.said}"))
        return made

    def _restore(self, scratch: Scratch, entry: TableEntry, shape: ScratchTable) -> None:
        """Fill one table and read it back, in one transaction."""
        columns = [c.name for c in entry.copied_columns]
        sealed = StreamDigest()
        try:
            with one_transaction(scratch) as conn:
                taken = load(scratch, shape, columns, self._pieces(entry, sealed), conn=conn)
                if taken != entry.rows:
                    reason = f"PostgreSQL finds {taken} rows in it, the manifest says {entry.rows}"
                    self.damaged.append(Damage(entry.qualified, 0, "", entry.rows, reason))
                    return
                same = self._is_same(scratch, entry, shape, columns, sealed, conn)
        except (errors.Corrupt, _Damaged):
            self._open_only(entry)
            return
        except RowsRefused as error:
            self._open_only(entry)
            self._note_rows_refused(entry, error.refusal)
            return
        self.filled.add(entry.qualified)
        if same:
            self.tables_same += 1
            self.rows_same += entry.rows
        elif self.ground.looks_the_same:
            reason = "its rows, restored and read back, are not those that the backup holds"
            self.damaged.append(Damage(entry.qualified, 0, "", entry.rows, reason))
        else:
            reason = (
                "its rows look different when this server writes them: its version, or a type, is no longer the same"
            )
            self.unproven.append(Obstacle(entry.qualified, reason))

    def _note_rows_refused(self, entry: TableEntry, refusal: Refusal) -> None:
        if any(damage.table == entry.qualified for damage in self.damaged):
            return
        if refusal.malformed:
            self.damaged.append(Damage(entry.qualified, 0, "", entry.rows, f"its rows make no sense: {refusal.said}"))
        else:
            self.unproven.append(Obstacle(entry.qualified, f"the database does not take its rows: {refusal.said}"))

    def _pieces(self, entry: TableEntry, sealed: StreamDigest) -> Iterator[bytes]:
        for index, segment in enumerate(entry.segments):
            for chunk in segment.chunks:
                piece = self.vault.get_chunk(chunk)
                self.opened[chunk] = Opened.of(piece)
                sealed.add(piece, self.opened[chunk].rows)
                self.bytes_done += len(piece)
                self._report()
                yield piece
            if segment_damages(self.vault, entry, index, self.opened):
                raise _Damaged
            self.rows_done += segment.rows

    def _is_same(
        self,
        scratch: Scratch,
        entry: TableEntry,
        shape: ScratchTable,
        columns: list[str],
        sealed: StreamDigest,
        conn: Connection,
    ) -> bool:
        back = StreamDigest()
        for piece, rows in read_back(scratch, shape, columns, conn=conn):
            back.add(piece, rows)
            self.bytes_done += len(piece)
            self._report()
        if back == sealed:
            return True
        if back.rows != entry.rows:
            return False
        # A heap that was filled in order is read in order; where it was not, the rows decide.
        ours, theirs = RowsDigest(), RowsDigest()
        for chunk in (chunk for segment in entry.segments for chunk in segment.chunks):
            ours.add(self.vault.get_chunk(chunk))
            self._report()
        for piece, _ in read_back(scratch, shape, columns, conn=conn):
            theirs.add(piece)
            self._report()
        return ours.value == theirs.value

    def _open_only(self, entry: TableEntry) -> None:
        """What can be done for a table that cannot be restored: open its chunks and count its rows."""
        for index in range(len(entry.segments)):
            self.damaged += segment_damages(self.vault, entry, index, self.opened)
            self._report()

    def _bind(self, scratch: Scratch) -> None:
        plan = self.ground.plan
        ready = self.filled | {t.qualified for t in plan.roots if t.qualified in self.made}
        shapes = [t for t in plan.shapes if t.qualified in ready]
        hollow = self._hollow_roots()
        references = [r for r in plan.references if self._both_filled(r, hollow)]
        steps = binding_steps(scratch, shapes, references)
        for number, step in enumerate(steps):
            watch = self._watching("Checking keys and constraints", number, len(steps))
            watch()
            refusal = take(scratch, step, watch)
            if refusal is not None:
                self.unproven.append(Obstacle(step.tables[0], _bound_badly(step, refusal)))

    def _hollow_roots(self) -> set[str]:
        """Partitioned tables of which a partition is not filled: what refers to them cannot be judged."""
        plan = self.ground.plan
        above = {t.qualified: ".".join(t.parent) for t in plan.shapes if t.parent is not None}
        hollow = set()
        for table in plan.tables:
            name = table.entry.qualified
            while name in above and table.entry.qualified not in self.filled:
                name = above[name]
                hollow.add(name)
        return hollow

    def _both_filled(self, reference: ScratchReference, hollow: set[str]) -> bool:
        roots = {t.qualified for t in self.ground.plan.roots} & self.made
        return all(
            t.qualified in self.filled or (t.qualified in roots and t.qualified not in hollow)
            for t in (reference.child, reference.parent)
        )

    def _set_sequences(self, scratch: Scratch) -> None:
        sequences = [s for s in self.ground.plan.sequences if s.owner is None or ".".join(s.owner[:2]) in self.filled]
        for start in range(0, len(sequences), _AT_ONCE):
            self._watch("Setting the sequences")
            with one_transaction(scratch):
                for sequence in sequences[start:][:_AT_ONCE]:
                    name = f"{sequence.schema}.{sequence.name}"
                    refusal = attempt(scratch, partial(set_sequence, scratch, sequence), f"setting {name}")
                    if refusal is not None:
                        self.unproven.append(Obstacle(name, f"the sequence cannot be set: {refusal.said}"))

    def _write(self, scratch: Scratch) -> None:
        tables = [t.shape for t in self.ground.plan.tables if t.shape and t.entry.rows]
        filled = [t for t in tables if t.qualified in self.filled]
        for number, table in enumerate(filled):
            self._watching("Trying to write", number, len(filled))()
            refusal = try_writes(scratch, table, self.ground.plan.fresh_column(table))
            if refusal is not None:
                self.unproven.append(Obstacle(table.qualified, f"a row cannot be written again: {refusal.said}"))

    def _is_identity(self, sequence: ScratchSequence) -> bool:
        if sequence.owner is None:
            return False
        shape = next(t for t in self.ground.plan.shapes if (t.schema, t.name) == sequence.owner[:2])
        return any(c.name == sequence.owner[2] and c.identity for c in shape.columns)

    def _report(self) -> None:
        self.on_progress(
            Progress(
                RESTORING,
                rows_done=self.rows_done,
                rows_total=self.manifest.totals.rows,
                # Every byte goes there and back.
                bytes_done=min(self.bytes_done, 2 * self.manifest.totals.raw_bytes),
                bytes_total=2 * self.manifest.totals.raw_bytes,
                tables_done=self.tables_done,
                tables_total=len(self.manifest.tables),
            )
        )

    def _watch(self, stage: str) -> None:
        self.on_progress(Progress(stage))

    def _watching(self, stage: str, done: int = 0, total: int = 0) -> Callable[[], None]:
        return lambda: self.on_progress(Progress(stage, tables_done=done, tables_total=total))


def _bound_badly(step: Step, refusal: Refusal) -> str:
    if refusal.broken:
        return f"its rows do not keep {step.what}, as the database has it: {refusal.said}"
    return f"{step.what} cannot be tried: {refusal.said}"
