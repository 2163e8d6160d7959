"""Copies of backups in further stores: ask for one, make it, list, delete."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import Busy, NotFound, Refused
from rxbackup.operations._backups.catalogue import error_view, find_backup, find_job, job_view
from rxbackup.operations._backups.copying import copy_backup, mark_copy_failed
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._removal.deleting import finish_copy_deletion, start_copy_deletion
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, CopyView, JobView
from rxbackup.operations.wording import size
from rxbackup.progress import ProgressSink
from rxbackup.tables.system import Backup, BackupCopy, Job, Store

__all__ = ["CopyView", "delete_copy", "list_copies", "perform_copy", "queue_waiting_copies", "request_copy"]

_PATIENCE = timedelta(minutes=2)


@requires(Permission.VIEW)
def list_copies(services: Services, actor: Actor, backup: str) -> tuple[CopyView, ...]:
    """The copies of a backup, by the names of their stores; the place where it was taken is not among them."""
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
        statement = select(BackupCopy).where(col(BackupCopy.backup_id) == UUID(view.id)).order_by(col(BackupCopy.store))
        return tuple(_view(copy) for copy in session.exec(statement))


@requires(Permission.BACK_UP)
def request_copy(services: Services, actor: Actor, backup: str, store: str) -> JobView:
    """Queue a copy of a backup to another store.

    Raises:
        BackupNotFound, NotFound: there is no such backup, or no such store.
        Refused: it is not complete, or rests there already.
    """
    with services.system.session(actor.identity) as session:
        view = _copyable(session, backup, store)
    job_id = queue_job(services, actor, "copy", _parameters(view, store))
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.BACK_UP)
def perform_copy(
    services: Services,
    actor: Actor,
    backup: str,
    store: str,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> CopyView:
    """Copy a backup to another store here and now, as it is: sealed, nothing is unpacked.

    What a copy that was interrupted left there is used again. The copy counts as complete only after its manifest was
    written there and read back.

    Raises:
        BackupNotFound, NotFound: there is no such backup, or no such store.
        Refused: it is not complete, or rests there already, or the store holds another vault.
        Corrupt: the backup is damaged where it rests; what is damaged is not copied.
        Busy: it is being copied there right now.
    """
    with services.system.session(actor.identity) as session:
        view = _copyable(session, backup, store)

    def work(run: Run) -> CopyView:
        with hold_backup(services, view.id):
            copied = copy_backup(run, view, store)
            run.check()
            with services.system.session(actor.identity) as session:
                copied.finish(session, run)
                made = _view(_find(session, view, store))
                run.succeed(
                    session,
                    {
                        "backup": view.id,
                        "store": store,
                        "stored_bytes": made.stored_bytes,
                        "message": f"{view.name} rests in {store} too; {size(made.stored_bytes)} were added there.",
                    },
                    action="backup.copied",
                    object_id=view.id,
                )
        return made

    return run_job(
        services,
        actor,
        "copy",
        _parameters(view, store),
        work,
        job_id=job_id,
        on_progress=on_progress,
        on_failure=mark_copy_failed,
    )


@requires(Permission.ADMINISTER)
def queue_waiting_copies(services: Services, actor: Actor) -> int:
    """Queue the copies that were wished for with a backup and that nobody is about to make; how many."""
    with services.system.session(actor.identity) as session:
        waiting = session.exec(
            select(BackupCopy.backup_id, BackupCopy.store)
            .join(Backup, col(Backup.id) == col(BackupCopy.backup_id))
            .where(
                col(BackupCopy.state) == "pending",
                col(Backup.state) == "complete",
                col(BackupCopy.created_at) < func.clock_timestamp() - _PATIENCE,
            )
        ).all()
        busy = {
            (job.get("backup_id"), job.get("store"))
            for job in session.exec(
                select(Job.parameters).where(col(Job.kind) == "copy", col(Job.state).in_(["queued", "running"]))
            )
        }
    forgotten = [(str(backup_id), store) for backup_id, store in waiting if (str(backup_id), store) not in busy]
    for backup_id, store in forgotten:
        request_copy(services, actor, backup_id, store)
    return len(forgotten)


@requires(Permission.DELETE)
def delete_copy(services: Services, actor: Actor, backup: str, store: str) -> CopyView:
    """Delete the copy of a backup in one store. The backup itself and its other copies stay.

    Raises:
        BackupNotFound, NotFound: there is no such backup, or no copy of it in that store.
        Refused: the backup was taken into that store: it is no copy.
        Busy: the copy is being made or read.
        StoreTrouble: the store cannot be reached; nothing was changed.
    """
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
        made = _view(_find(session, view, store))
    # Opened first: with the wrong key or an unmounted folder nothing must be marked.
    services.open_vault(store).check_marker()
    with services.system.session(actor.identity) as session:
        start_copy_deletion(session, view, store)
        audit.append(
            session,
            actor=actor.email,
            action="copy.deleted",
            object_type="backup",
            object_id=view.id,
            details={"name": view.name, "store": store, "door": actor.door},
        )
    finish_copy_deletion(services, actor.identity, view.id, store)
    return made


def _copyable(session: Session, backup: str, store: str) -> BackupView:
    view = find_backup(session, backup)
    if session.get(Store, store) is None:
        raise NotFound(f"There is no store named {store[:80]!r}.", hint="`rxbackup store list` shows them all.")
    if view.state != "complete":
        raise Refused(f"{view.name} is {view.state}: it cannot be copied.", hint="Choose a complete backup.")
    if view.store == store:
        raise Refused(f"{view.name} rests in {store}: that is where it was taken.", hint="Choose another store.")
    state = session.exec(
        select(BackupCopy.state).where(col(BackupCopy.backup_id) == UUID(view.id), col(BackupCopy.store) == store)
    ).first()
    if state == "complete":
        raise Refused(f"{view.name} rests in {store} already.", hint="Nothing needs to be done.")
    if state == "deleting":
        raise Busy(f"The copy of {view.name} in {store} is being deleted.", hint="Copy it again once it is gone.")
    return view


def _find(session: Session, view: BackupView, store: str) -> BackupCopy:
    found = session.exec(
        select(BackupCopy).where(col(BackupCopy.backup_id) == UUID(view.id), col(BackupCopy.store) == store)
    ).first()
    if found is None:
        if view.store == store:
            raise Refused(
                f"{store} is where {view.name} was taken, no copy.", hint="Delete the backup, or another copy of it."
            )
        raise NotFound(f"There is no copy of {view.name} in {store}.", hint="`rxbackup backup show` lists its places.")
    session.refresh(found)
    return found


def _view(copy: BackupCopy) -> CopyView:
    error = error_view(copy.error)
    return CopyView(
        id=str(copy.id),
        backup_id=str(copy.backup_id),
        store=copy.store,
        state=copy.state,
        stored_bytes=copy.stored_bytes or 0,
        finished_at=copy.finished_at,
        verified_level=copy.verified_level,
        verified_at=copy.verified_at,
        error=f"{error.message} {error.hint}".strip() if error else "",
    )


def _parameters(view: BackupView, store: str) -> Mapping[str, Any]:
    return {"backup_id": view.id, "name": view.name, "store": store}
