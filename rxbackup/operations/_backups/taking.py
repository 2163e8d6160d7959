"""Take one backup inside a running job: row → engine → catalogue. Restores use it for their safety backup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, text, update
from sqlmodel import Session, col, select

from rxbackup.backup.run import BackupOutcome, BackupRequest, run_backup
from rxbackup.errors import NotFound, UsageError, WorkerLost
from rxbackup.operations._backups.catalogue import find_backup
from rxbackup.operations._backups.earlier import earlier_backups
from rxbackup.operations._backups.facts import facts_of
from rxbackup.operations._backups.settling import retired_chunks, settle_chunks
from rxbackup.operations._runs.running import Run
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, NewBackup
from rxbackup.progress import ProgressSink
from rxbackup.tables.system import Backup, Schedule, Store
from rxbackup.vault.vault import Vault, open_vault

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 10_000
_STORE_LOCK = 0x7278_6273
_LONGEST_WAIT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that is ready, but not yet called complete: `finish` in the transaction that ends the job."""

    backup_id: str
    new: NewBackup
    outcome: BackupOutcome
    store_kind: str

    def finish(self, session: Session, run: Run) -> None:
        """Write chunks and facts and say `complete`, in the caller's transaction."""
        manifest = self.outcome.manifest
        lock_store(session, self.new.store, exclusive=False)
        facts = facts_of(manifest, stored_bytes=self.outcome.stored_bytes, manifest_bytes=self.outcome.manifest_bytes)
        changed = session.exec(
            update(Backup)
            .where(
                col(Backup.id) == UUID(self.backup_id),
                col(Backup.state) == "running",
                col(Backup.job_id) == UUID(run.id),
            )
            .values(**{**facts, "base_id": _still_there(session, facts["base_id"])})
        )
        if changed.rowcount != 1:
            raise WorkerLost("The backup was given up by somebody else before it was finished.")
        settle_chunks(
            session,
            store=self.new.store,
            store_kind=self.store_kind,
            backup_id=self.backup_id,
            entrant=self.backup_id,
            receipts=self.outcome.receipts,
            needed=manifest.needed_ids(),
            anchors=set((manifest.leans or {}).values()),
        )


def check_new(new: NewBackup) -> None:
    """Refuse names and descriptions that cannot be kept.

    Raises:
        UsageError: says which and why.
    """
    name = new.name.strip()
    if not name:
        raise UsageError("The backup needs a name.", hint='For example "Before the upgrade".')
    if len(name) > LONGEST_NAME:
        raise UsageError(f"The name has {len(name)} characters; at most {LONGEST_NAME} fit.", hint="Shorten it.")
    if len(new.description) > LONGEST_DESCRIPTION:
        raise UsageError(f"The description is longer than {LONGEST_DESCRIPTION} characters.", hint="Shorten it.")
    if not name.isprintable() or "\0" in new.description:
        raise UsageError("The name or the description contains control characters.", hint="Remove them.")
    try:
        (name + new.description).encode()
    except UnicodeEncodeError:
        raise UsageError("The name or the description contains half of a character.", hint="Type it again.") from None
    if new.groups is not None and not new.groups:
        raise UsageError("No group is chosen.", hint="Choose at least one group.")


def take_backup(run: Run, new: NewBackup, backup_id: str, on_progress: ProgressSink) -> Taken:
    """Run the engine. The row says *running* before, and still does after; see `Taken.finish`."""
    store_kind = enter(run, new, backup_id)
    services = run.services
    request = BackupRequest(
        backup_id=backup_id,
        name=new.name.strip(),
        description=new.description,
        created_by=run.actor.email,
        trigger=new.trigger,
        groups=new.groups,
    )
    with services.system.session(run.actor.identity) as session:
        # Asked after the row says *running*: what is retired from now on waits for this backup.
        retired = retired_chunks(session, new.store)
    with vault_of_its_own(services, new.store) as vault:
        outcome = run_backup(
            request,
            source_url=services.source_url,
            vault=vault.avoiding(retired),
            bases=earlier_backups(run, new),
            on_progress=on_progress,
            processes=services.settings.processes,
            lock_timeout_seconds=services.settings.lock_timeout_seconds,
        )
    return Taken(backup_id, new, outcome, store_kind)


@contextmanager
def vault_of_its_own(services: Services, store: str) -> Iterator[Vault]:
    """The store's vault, opened anew for one operation.

    A vault remembers which chunks it has seen. Remembered across operations, that would be a promise about chunks
    which another process may have removed since; and threads that share a vault share its one connection.
    """
    vault = open_vault(services.open_vault(store).recipe())
    try:
        yield vault
    finally:
        vault.close()


def mark_backup_failed(session: Session, job_id: str, error: Mapping[str, str]) -> None:
    """Say of every backup that a job left unfinished what went wrong."""
    gentle = error["code"] in {"cancelled", "interrupted", "worker-lost"}
    session.exec(
        update(Backup)
        .where(col(Backup.job_id) == UUID(job_id), col(Backup.state) == "running")
        .values(
            state="interrupted" if gentle else "failed",
            error=dict(error),
            finished_at=func.clock_timestamp(),
        )
    )


def view_of(session: Session, backup_id: str) -> BackupView:
    """The view of a backup that exists."""
    return find_backup(session, backup_id)


def lock_store(session: Session, store: str, *, exclusive: bool) -> None:
    """Until the transaction ends: shared where backups and copies begin and end, exclusive where chunks are retired.

    Raises:
        LockNotAvailable: exclusive, and others begin or end there for too long: nobody shall have to wait behind us.
    """
    if exclusive:
        session.connection().execute(text(f"SET LOCAL lock_timeout = '{_LONGEST_WAIT_SECONDS}s'"))
    function = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
    session.connection().execute(
        text(f"SELECT {function}(:area, hashtext(:store))"), {"area": _STORE_LOCK, "store": store}
    )


def _still_there(session: Session, base: UUID | None) -> UUID | None:
    """The base, unless it was deleted while this backup was taken: nothing is needed of it any more."""
    if base is None:
        return None
    return session.exec(
        select(Backup.id).where(col(Backup.id) == base).with_for_update(read=True, key_share=True)
    ).first()


def _schedule_of(session: Session, new: NewBackup) -> UUID | None:
    """The schedule, unless it was deleted while this backup waited."""
    if new.schedule_id is None:
        return None
    return session.exec(
        select(Schedule.id).where(col(Schedule.id) == UUID(new.schedule_id)).with_for_update(read=True, key_share=True)
    ).first()


def enter(run: Run, new: NewBackup, backup_id: str) -> str:
    """Say that a backup is running, before anything is stored for it; the kind of its store.

    Raises:
        NotFound: there is no such store.
    """
    with run.services.system.session(run.actor.identity) as session:
        store = session.get(Store, new.store)
        if store is None:
            raise NotFound(f"There is no store named {new.store!r}.", hint="Use `database` or `local`.")
        kind = store.kind
        lock_store(session, new.store, exclusive=False)
        session.add(
            Backup(
                id=UUID(backup_id),
                name=new.name.strip(),
                description=new.description,
                created_by=run.actor.email,
                state="running",
                store=new.store,
                trigger=new.trigger,
                schedule_id=_schedule_of(session, new),
                job_id=UUID(run.id),
                timestamp=run.services.clock(),
                metadata_={"groups": list(new.groups or ())},
            )
        )
    return kind
