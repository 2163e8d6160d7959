"""Undo: put back what a restore replaced, from the safety backup that it took first.

An undo is a restore like any other: planned, in one transaction, proven, after a safety backup of its own. So it can be
undone as well. What else changed in the same tables since then is taken back with it: whatever the mode of the restore
was, its tables become exactly what they were.

The safety backup of a restore is kept for the days that the settings say, and deleted by itself then; but not that of
the newest restore, nor the newest complete backup there is, nor one that is pinned or being read.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import BackupNotFound, JobNotFound, Refused, RxbackupError
from rxbackup.operations._backups.catalogue import find_backup, find_job
from rxbackup.operations.backups import delete_backup
from rxbackup.operations.guard import requires
from rxbackup.operations.previews import perform_preview
from rxbackup.operations.restores import perform_restore, request_restore
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, JobView, NewRestore, RestorePreview, RestoreView, UndoView
from rxbackup.progress import ProgressSink
from rxbackup.tables.system import Backup, Job

__all__ = ["UndoView", "expire_safety_backups", "perform_undo", "preview_undo", "request_undo", "show_undo"]

_logger = logging.getLogger(__name__)


@requires(Permission.RESTORE)
def show_undo(services: Services, actor: Actor, job: str | None = None) -> UndoView:
    """What undoing a restore would put back; without a job, the newest restore that was not undone yet.

    Raises:
        JobNotFound: there is no such run, or nothing to undo.
        Refused: that run was no restore that changed something, or took no safety backup.
        BackupNotFound: its safety backup was deleted.
    """
    with services.system.session(actor.identity) as session:
        found = find_job(session, job) if job else _newest(session)
        if found.kind != "restore" or found.state != "succeeded":
            raise Refused("That run is no finished restore: there is nothing to undo.")
        safety = (found.result or {}).get("safety_backup")
        if not safety:
            raise Refused(
                "That restore took no safety backup, so it cannot be undone.",
                hint="Restore an earlier backup of the same groups instead.",
            )
        try:
            backup = find_backup(session, safety)
        except BackupNotFound:
            raise BackupNotFound(
                f"The safety backup of that restore, {safety}, was deleted.",
                hint="Restore an earlier backup of the same groups instead.",
            ) from None
        asked = found.parameters or {}
        undone = _standing_undo(session, found.id)
        return UndoView(
            job=str(found.id),
            restored=str(asked.get("name", "")),
            finished_at=found.finished_at,
            backup=backup,
            groups=_names(asked.get("groups")),
            skip=_names(asked.get("skip")) or (),
            tables=_names(asked.get("tables")),
            set_aside=bool(asked.get("set_aside")),
            replace_own_account=bool(asked.get("replace_own_account")),
            until=_kept_until(session, backup),
            undone_by=str(undone.id) if undone else None,
            undone_at=undone.finished_at if undone else None,
        )


@requires(Permission.RESTORE)
def request_undo(services: Services, actor: Actor, job: str, *, preview: str | None = None) -> JobView:
    """Queue the undoing of a restore: no more than `preview` has shown. Raises as `show_undo` and `request_restore`."""
    return request_restore(services, actor, _restore_of(show_undo(services, actor, job), preview))


@requires(Permission.RESTORE)
def preview_undo(
    services: Services, actor: Actor, job: str | None = None, *, on_progress: ProgressSink | None = None
) -> RestorePreview:
    """What undoing would do, in rows, here and now; nothing is changed. Raises as `show_undo`."""
    return perform_preview(services, actor, _restore_of(show_undo(services, actor, job)), on_progress=on_progress)


@requires(Permission.RESTORE)
def perform_undo(
    services: Services,
    actor: Actor,
    job: str | None = None,
    *,
    preview: str | None = None,
    on_progress: ProgressSink | None = None,
) -> RestoreView:
    """Undo here and now: no more than the run `preview` has shown. Raises as `show_undo` and `perform_restore`."""
    undo = show_undo(services, actor, job)
    return perform_restore(services, actor, _restore_of(undo, preview), on_progress=on_progress)


@requires(Permission.ADMINISTER)
def expire_safety_backups(services: Services, actor: Actor) -> int:
    """Delete safety backups whose restores need not be undone any more; how many went."""
    with services.system.session(actor.identity) as session:
        newest_restore = _newest_safety(session)
        newest = session.exec(
            select(Backup.id)
            .where(col(Backup.state) == "complete", col(Backup.trashed_at).is_(None))
            .order_by(col(Backup.timestamp).desc())
            .limit(1)
        ).first()
        expired = session.exec(
            select(Backup.id).where(
                col(Backup.trigger) == "safety",
                col(Backup.state) == "complete",
                col(Backup.expires_at) < services.clock(),
                col(Backup.trashed_at).is_(None),
                ~col(Backup.pinned),
            )
        ).all()
    kept = {newest_restore, str(newest)}
    return sum(_expire(services, actor, str(backup)) for backup in expired if str(backup) not in kept)


def _expire(services: Services, actor: Actor, backup: str) -> bool:
    try:
        delete_backup(services, actor, backup)
    except RxbackupError as error:
        # Something reads it, or its store is away: at another tick, then.
        _logger.info("The safety backup %s stays for now: %s", backup, error.message)
        return False
    return True


def _newest_safety(session: Session) -> str | None:
    return session.exec(
        select(col(Job.result)["safety_backup"].astext)
        .where(
            col(Job.kind) == "restore",
            col(Job.state) == "succeeded",
            col(Job.result)["safety_backup"].astext.is_not(None),
        )
        .order_by(col(Job.finished_at).desc())
        .limit(1)
    ).first()


def _standing_undo(session: Session, job: UUID) -> Job | None:
    """The run that undid this one, unless it was undone itself."""
    undoing = session.exec(
        select(Job)
        .where(
            col(Job.kind) == "restore",
            col(Job.state) == "succeeded",
            col(Job.parameters)["undoes"].astext == str(job),
        )
        .order_by(col(Job.finished_at).desc())
        .limit(1)
    ).first()
    return None if undoing is None or _standing_undo(session, undoing.id) else undoing


def _restore_of(undo: UndoView, preview: str | None = None) -> NewRestore:
    return NewRestore(
        backup_id=undo.backup.id,
        groups=undo.groups,
        skip=undo.skip,
        tables=undo.tables,
        set_aside=undo.set_aside,
        replace_own_account=undo.replace_own_account,
        confirm_name=undo.backup.name,
        undoes=undo.job,
        preview=preview,
    )


def _kept_until(session: Session, backup: BackupView) -> datetime | None:
    if backup.pinned:
        return None
    return session.exec(select(Backup.expires_at).where(col(Backup.id) == UUID(backup.id))).one()


def _names(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(str(name) for name in value)


def _newest(session: Session) -> Job:
    later = aliased(Job)
    undone = (
        select(later.id)
        .where(
            col(later.kind) == "restore",
            col(later.state) == "succeeded",
            col(later.parameters)["undoes"].astext == cast(col(Job.id), String),
        )
        .exists()
    )
    found = session.exec(
        select(Job)
        .where(
            col(Job.kind) == "restore",
            col(Job.state) == "succeeded",
            col(Job.result)["safety_backup"].astext.is_not(None),
            col(Job.parameters)["undoes"].astext.is_(None),
            ~undone,
        )
        .order_by(col(Job.finished_at).desc())
        .limit(1)
    ).first()
    if found is None:
        raise JobNotFound(
            "There is no restore to undo.", hint="Only a restore that took a safety backup can be undone."
        )
    return found
