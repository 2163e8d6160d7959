"""Carry one backup to another store of the same vault, inside a running job.

Anchors first, then what leans on them, then the manifest. Chunks that the catalogue knows to be there are looked for
and not carried again; what an interrupted copy left there is found by its name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, text, update
from sqlmodel import Session, col, select

from rxbackup.errors import Busy, Corrupt, NotFound, Refused, WorkerLost
from rxbackup.operations._backups.places import reading_place
from rxbackup.operations._backups.settling import retired_chunks, settle_chunks
from rxbackup.operations._backups.taking import lock_store, vault_of_its_own
from rxbackup.operations._runs.running import Run
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView
from rxbackup.progress import Progress
from rxbackup.tables.system import BackupCopy, Job, Store
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import ChunkReceipt, Vault

_AT_ONCE = 4

_LEANS = """
SELECT encode(c.id, 'hex'), encode(c.anchor, 'hex')
FROM rxbackup.backup_chunks AS l JOIN rxbackup.chunks AS c ON c.store = l.store AND c.id = l.chunk_id
WHERE l.backup_id = :backup AND l.store = :store AND c.anchor IS NOT NULL
"""
_THERE = """
SELECT encode(c.id, 'hex'), encode(c.anchor, 'hex')
FROM unnest(CAST(:ids AS text[])) AS n(id)
JOIN rxbackup.chunks AS c ON c.store = :store AND c.id = decode(n.id, 'hex') AND c.state = 'live'
"""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that is ready, but not yet called complete: `finish` in the transaction that ends the job."""

    copy_id: UUID
    backup_id: str
    store: str
    store_kind: str
    receipts: tuple[ChunkReceipt, ...]
    needed: frozenset[str]
    anchors: frozenset[str]
    stored_bytes: int

    def finish(self, session: Session, run: Run) -> None:
        """Write chunks and facts and say `complete`, in the caller's transaction."""
        lock_store(session, self.store, exclusive=False)
        now = func.clock_timestamp()
        changed = session.exec(
            update(BackupCopy)
            .where(
                col(BackupCopy.id) == self.copy_id,
                col(BackupCopy.state) == "running",
                col(BackupCopy.job_id) == UUID(run.id),
            )
            .values(
                state="complete",
                stored_bytes=self.stored_bytes,
                finished_at=now,
                verified_level="stored",
                verified_at=now,
                error=None,
            )
        )
        if changed.rowcount != 1:
            raise WorkerLost("The copy was given up by somebody else before it was finished.")
        settle_chunks(
            session,
            store=self.store,
            store_kind=self.store_kind,
            backup_id=self.backup_id,
            entrant=str(self.copy_id),
            receipts=self.receipts,
            needed=self.needed,
            anchors=self.anchors,
        )


def copy_backup(run: Run, view: BackupView, store: str) -> Copied:
    """Carry everything over. The row in `copies` says *running* before, and still does after; see `Copied.finish`."""
    services = run.services
    with vault_of_its_own(services, store) as target, reading_place(services, view, but=store) as (place, source):
        if target.id != source.id:
            raise Refused(
                f"The store {store} holds another vault than {place}: sealed copies mean nothing there.",
                hint="Copy to a store that was added as an empty place, or download the backup as an archive.",
            )
        copy_id, kind = _enter(run, view, store)
        sealed = source.sealed_manifest(view.id)
        manifest = source.get_manifest(view.id)
        leans = manifest.leans if manifest.leans is not None else _leans_of(services, view, place)
        with services.system.session("system") as session:
            # Asked after the row says *running*: what is retired from now on waits for this copy.
            retired = retired_chunks(session, store)
            there = _there(session, store, manifest, leans)
        journey = _Journey(run, source, target.avoiding(retired), there, leans)
        receipts = journey.carry(manifest)
        run.check()
        written = target.put_sealed_manifest(view.id, sealed)
    return Copied(
        copy_id=copy_id,
        backup_id=view.id,
        store=store,
        store_kind=kind,
        receipts=receipts,
        needed=frozenset(manifest.chunk_ids() | set(leans.values())),
        anchors=frozenset(leans.values()),
        stored_bytes=written.stored_bytes + sum(r.stored_bytes for r in receipts if r.is_new),
    )


def mark_copy_failed(session: Session, job_id: str, error: Mapping[str, str]) -> None:
    """Say of the copy that a job left unfinished what went wrong."""
    session.exec(
        update(BackupCopy)
        .where(col(BackupCopy.job_id) == UUID(job_id), col(BackupCopy.state) == "running")
        .values(state="failed", error=dict(error), finished_at=func.clock_timestamp())
    )


class _Journey:
    """The chunks of one backup on their way; a few at once, for every store answers slower than it works."""

    def __init__(
        self, run: Run, source: Vault, target: Vault, there: Mapping[str, str | None], leans: Mapping[str, str]
    ) -> None:
        self._source = source
        self._target = target
        self._there = there
        self._leans = leans
        self._tell = run.sink(0, 98)
        self._done = self._total = 0

    def carry(self, manifest: Manifest) -> tuple[ChunkReceipt, ...]:
        """Receipts of the chunks that were put; those that were there, and still are, need none."""
        anchors = set(self._leans.values())
        rest = manifest.chunk_ids() - anchors
        self._total = len(anchors) + len(rest)
        return (*self._all(sorted(anchors)), *self._all(sorted(rest)))

    def _all(self, chunks: Iterable[str]) -> list[ChunkReceipt]:
        receipts: list[ChunkReceipt] = []
        waiting: deque[Future[ChunkReceipt | None]] = deque()

        def take() -> None:
            receipt = waiting.popleft().result()
            if receipt is not None:
                receipts.append(receipt)
            self._done += 1
            self._tell(Progress("Copying", bytes_done=self._done, bytes_total=self._total))

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="copy") as pool:
            try:
                for chunk in chunks:
                    waiting.append(pool.submit(self._one, chunk))
                    if len(waiting) > _AT_ONCE:
                        take()
                while waiting:
                    take()
            finally:
                for future in waiting:
                    future.cancel()
        return receipts

    def _one(self, chunk: str) -> ChunkReceipt | None:
        if chunk in self._there and self._there[chunk] in (None, self._leans.get(chunk)) and self._is_there(chunk):
            return None
        return self._target.put_sealed(self._source.sealed_chunk(chunk))

    def _is_there(self, chunk: str) -> bool:
        try:
            self._target.check_chunk(chunk)
        except Corrupt:
            return False
        return True


def _there(session: Session, store: str, manifest: Manifest, leans: Mapping[str, str]) -> dict[str, str | None]:
    """Which of the chunks the catalogue knows to be in the store, with what each leans on there."""
    ids = sorted(manifest.chunk_ids() | set(leans.values()))
    rows = session.connection().execute(text(_THERE), {"store": store, "ids": ids})
    return {row[0]: row[1] for row in rows}


def _leans_of(services: Services, view: BackupView, place: str) -> dict[str, str]:
    """The anchors of a backup whose manifest does not name them; its links hold them all."""
    with services.system.session("system") as session:
        rows = session.connection().execute(text(_LEANS), {"backup": view.id, "store": place})
        return {row[0]: row[1] for row in rows}


def _enter(run: Run, view: BackupView, store: str) -> tuple[UUID, str]:
    """Say *running* in the catalogue, under the shared lock of the store; the copy's id and the store's kind."""
    with run.services.system.session("system") as session:
        row = session.get(Store, store)
        if row is None:
            raise NotFound(f"There is no store named {store!r}.", hint="`rxbackup store list` shows them all.")
        kind = row.kind
        lock_store(session, store, exclusive=False)
        found = session.exec(
            select(BackupCopy)
            .where(col(BackupCopy.backup_id) == UUID(view.id), col(BackupCopy.store) == store)
            .with_for_update()
        ).first()
        if found is not None:
            _refuse_other(session, found, view)
            session.delete(found)
            session.flush()
        # A new id each time: who waits for the copy that failed shall not wait for this one.
        copy_id = uuid4()
        values: dict[str, Any] = {"id": copy_id, "backup_id": UUID(view.id), "store": store}
        session.add(BackupCopy(**values, state="running", job_id=UUID(run.id)))
    return copy_id, kind


def _refuse_other(session: Session, found: BackupCopy, view: BackupView) -> None:
    if found.state == "complete":
        raise Refused(f"{view.name} rests in {found.store} already.", hint="Nothing needs to be done.")
    if found.state == "deleting":
        raise Busy(f"The copy of {view.name} in {found.store} is being deleted.", hint="Copy it again once it is gone.")
    working = session.exec(select(Job.state).where(col(Job.id) == found.job_id)).first() if found.job_id else None
    if found.state == "running" and working == "running":
        raise Busy(f"{view.name} is being copied to {found.store} right now.", hint="Wait until it is through.")
