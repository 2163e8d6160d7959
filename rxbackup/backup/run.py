"""Take a backup: one consistent instant, read by segments, sealed into chunks; the manifest last, and read back."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from rxbackup import errors
from rxbackup.backup.bases import choose_base
from rxbackup.backup.copier import CopierSetup, SegmentCopied
from rxbackup.backup.description import healing_warnings, sequence_entries, server_facts, table_entry, warnings_of
from rxbackup.backup.plan import BackupPlan, plan_backup, tables_of
from rxbackup.backup.sharing import copy_all
from rxbackup.backup.tasks import tasks_of
from rxbackup.groups.discovery import discover_groups
from rxbackup.groups.group import Group, choose_groups
from rxbackup.postgres.connecting import PINS
from rxbackup.postgres.consistent_read import ConsistentRead, consistent_read
from rxbackup.postgres.introspection import Catalogue, Table
from rxbackup.postgres.text_rules import digest_of, read_rules, refuse_changed_rules
from rxbackup.postgres.watermarks import leave_watermark
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.vault.manifest import (
    GroupEntry,
    Manifest,
    SegmentEntry,
    SnapshotFacts,
    TableEntry,
    Totals,
)
from rxbackup.vault.vault import ChunkReceipt, Vault

_LISTING_PAYS_FROM = 1000


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """What to back up.

    Attributes:
        backup_id: a fresh UUID as text.
        groups: names of groups; None means every table there is.
        trigger: manual, schedule, safety or import.
    """

    backup_id: str
    name: str
    description: str
    created_by: str
    trigger: str = "manual"
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BackupOutcome:
    """A finished backup: its manifest as read back from the store, and the chunks it consists of.

    Attributes:
        receipts: one entry a distinct chunk, first come.
        manifest_bytes: size of the sealed manifest in the store.
    """

    manifest: Manifest
    receipts: tuple[ChunkReceipt, ...]
    manifest_bytes: int

    @property
    def stored_bytes(self) -> int:
        """What this backup added to the store."""
        return sum(r.stored_bytes for r in self.receipts if r.is_new) + self.manifest_bytes


@dataclass(slots=True)
class _Tally:
    """What has come in so far, by table and position."""

    plan: BackupPlan
    on_progress: ProgressSink
    segments: dict[tuple[int, int], SegmentEntry] = field(default_factory=dict)
    was_read: set[tuple[int, int]] = field(default_factory=set)
    receipts: dict[str, ChunkReceipt] = field(default_factory=dict)
    rows: int = 0
    raw_bytes: int = 0

    def add(self, copied: SegmentCopied | None) -> None:
        if copied is not None:
            task = copied.task
            self.segments[task.table, task.position] = SegmentEntry(
                first_block=task.first_block,
                end_block=task.end_block,
                rows=copied.rows,
                raw_bytes=copied.raw_bytes,
                chunks=list(copied.chunks),
            )
            if copied.was_read:
                self.was_read.add((task.table, task.position))
            for receipt in copied.receipts:
                known = self.receipts.get(receipt.id)
                if known is None or (receipt.is_new and not known.is_new):
                    self.receipts[receipt.id] = receipt
            self.rows += copied.rows
            self.raw_bytes += copied.raw_bytes
        self.on_progress(self.progress("Reading rows"))

    def table_entries(self, catalogue: Catalogue) -> list[TableEntry]:
        """Describe all tables, in the plan's order, once every segment is in."""
        entries = []
        for index, planned in enumerate(self.plan.tables):
            places = [(index, position) for position in range(len(planned.segments))]
            segments = [self.segments[place] for place in places]
            read = sum(place in self.was_read for place in places)
            entries.append(table_entry(catalogue, planned, segments, segments_read=read))
        return entries

    def leans(self, base: Manifest | None) -> dict[str, str]:
        """The anchors of all differences: those put now by their receipts, those taken over by `base`."""
        earlier = (base.leans if base else None) or {}
        found = {}
        for chunk in {chunk for segment in self.segments.values() for chunk in segment.chunks}:
            receipt = self.receipts.get(chunk)
            anchor = receipt.anchor if receipt else earlier.get(chunk)
            if anchor is not None:
                found[chunk] = anchor
        return found

    def progress(self, stage: str) -> Progress:
        return Progress(
            stage,
            rows_done=self.rows,
            rows_total=max(self.plan.estimated_rows, self.rows),
            bytes_done=self.raw_bytes,
            bytes_total=max(self.plan.estimated_bytes, self.raw_bytes),
            tables_done=len({table for table, _ in self.segments}),
            tables_total=len(self.plan.tables),
        )


def run_backup(
    request: BackupRequest,
    *,
    source_url: str,
    vault: Vault,
    bases: Iterable[Manifest] = (),
    on_progress: ProgressSink = ignore_progress,
    processes: int | None = None,
    lock_timeout_seconds: float = 30,
) -> BackupOutcome:
    """Take a backup of the database at `source_url` into `vault`.

    Leaning on one of `bases`, earlier complete backups in the same vault, newest first, only what changed is read and
    stored. The backup is complete in itself all the same: it names every chunk it needs.

    On return the manifest rests in the store and was read back from there. On any error nothing refers to what was
    stored; the next backup finds and uses the same chunks.

    Raises:
        errors.UsageError: a group is unknown.
        errors.DatabaseTrouble: the database is away, locked, empty, or hides rows.
        errors.StoreTrouble: the store is away or full.
        errors.Cancelled: whatever `on_progress` raises goes through.
    """
    started = time.monotonic()
    on_progress(Progress("Locking the tables"))

    def chosen(catalogue: Catalogue) -> tuple[Group, ...]:
        groups = discover_groups(catalogue)
        if not groups:
            raise errors.DatabaseTrouble(
                "The database has no tables to back up.",
                hint="Check that RXBACKUP_DATABASE_URL names the right one. Lost tables come back from older backups.",
            )
        return choose_groups(groups, request.groups)

    def wanted(catalogue: Catalogue) -> tuple[Table, ...]:
        return tables_of(catalogue, chosen(catalogue))

    with consistent_read(source_url, wanted, lock_timeout_seconds=lock_timeout_seconds) as read:
        groups = chosen(read.catalogue)
        watermark = _leave_watermark(source_url, request, read)
        rules = read_rules(read.conn)
        base = choose_base(bases, read, vault, source_url=source_url, text_rules=digest_of(rules))
        plan = plan_backup(read.catalogue, groups, base)
        tally = _Tally(plan, on_progress)
        copying = copy_all(
            read.conn,
            vault,
            tasks_of(plan, base),
            setup=lambda: CopierSetup(source_url, read.exported, vault.recipe()),
            usual_bytes=plan.estimated_bytes // max(plan.segments_total, 1),
            processes=processes,
        )
        for copied in copying:
            tally.add(copied)
        on_progress(tally.progress("Reading the sequences"))
        sequences = sequence_entries(read, plan, everything=request.groups is None)
        warnings = warnings_of(read) + healing_warnings(base, tally.receipts.keys())
        refuse_changed_rules(source_url, rules)
    manifest = Manifest(
        backup_id=request.backup_id,
        vault_id=vault.id,
        name=request.name,
        description=request.description,
        created_by=request.created_by,
        created_at=read.taken_at.isoformat(),
        trigger=request.trigger,
        server=server_facts(read),
        pins={**PINS, "client_encoding": read.server.encoding},
        snapshot=SnapshotFacts(
            taken_at=read.taken_at.isoformat(),
            snapshot=read.snapshot,
            horizon=str(read.horizon),
            next_xid=str(read.next_xid),
            watermark=watermark,
            text_rules=digest_of(rules),
        ),
        base_id=base.manifest.backup_id if base and base.reusable else None,
        groups=[GroupEntry(name=g.name, tables=list(g.tables)) for g in groups],
        tables=tally.table_entries(read.catalogue),
        sequences=sequences,
        warnings=warnings,
        totals=Totals(
            rows=tally.rows,
            tables=len(plan.tables),
            raw_bytes=tally.raw_bytes,
            stored_bytes=sum(r.stored_bytes for r in tally.receipts.values() if r.is_new),
            segments_total=plan.segments_total,
            segments_read=len(tally.was_read),
            chunks=len({chunk for segment in tally.segments.values() for chunk in segment.chunks}),
            seconds=round(time.monotonic() - started, 3),
        ),
        leans=tally.leans(base.manifest if base else None),
    )
    on_progress(tally.progress("Writing the manifest and reading it back"))
    return _seal(vault, manifest, tuple(tally.receipts.values()))


def _seal(vault: Vault, manifest: Manifest, receipts: tuple[ChunkReceipt, ...]) -> BackupOutcome:
    """Write the manifest last, read it back, and look that every chunk really rests in the store."""
    _look_for(vault, manifest.needed_ids())
    written = vault.put_manifest(manifest)
    read_back = vault.get_manifest(manifest.backup_id)
    if read_back != manifest:
        raise errors.ManifestCorrupt(
            "The manifest read back from the store is not the one that was written.",
            hint="The store or this machine's memory is faulty. Check both before trusting new backups.",
        )
    return BackupOutcome(read_back, receipts, written.stored_bytes)


def _look_for(vault: Vault, wanted: set[str]) -> None:
    """Raise `ChunkMissing` if a chunk is not in the store; many are looked for in one listing."""
    if len(wanted) > _LISTING_PAYS_FROM:
        wanted = wanted - {chunk for chunk, _, _ in vault.chunk_objects()}
    for chunk in sorted(wanted):
        vault.check_chunk(chunk)


def _leave_watermark(source_url: str, request: BackupRequest, read: ConsistentRead) -> str | None:
    watermark = uuid4()
    left = leave_watermark(
        source_url,
        watermark=watermark,
        backup_id=UUID(request.backup_id),
        system_identifier=read.server.system_identifier,
    )
    return str(watermark) if left else None
