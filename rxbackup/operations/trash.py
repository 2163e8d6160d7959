"""The trash: deleted backups wait there, whole, until their days are over.

A backup in the trash is in no list, takes no place in a retention and cannot be restored before it is taken out again.
Backups that lean on it, its downloads and its verification do not mind. Pinning it takes it out.
"""

from __future__ import annotations

import dataclasses
import logging
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import and_, func, update
from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import BackupNotFound, Refused, RxbackupError
from rxbackup.operations._backups.catalogue import find_backup
from rxbackup.operations._remembering import recall, remember
from rxbackup.operations._removal.deleting import refuse_removal
from rxbackup.operations._removal.deleting_unasked import delete_if_still
from rxbackup.operations._removal.trashing import put_into_trash, take_out_of_trash
from rxbackup.operations.backups import delete_backup
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView
from rxbackup.operations.views.trash import EmptiedView, StayingView, TrashView
from rxbackup.tables.system import Backup

__all__ = ["delete_expired", "empty_trash", "trash_backup", "undelete_backup", "weigh_trash"]

_LOOKED = "trash_looked_at"
_GAP = timedelta(days=1)
_IN_TRASH = and_(col(Backup.trashed_at).is_not(None), col(Backup.state) != "deleting")

_logger = logging.getLogger(__name__)


@requires(Permission.DELETE)
def trash_backup(services: Services, actor: Actor, backup: str) -> BackupView:
    """Move a backup to the trash. One that never became complete is deleted at once: there is nothing to have back.

    Returns:
        The backup; `trash_until` says how long it can be had back.

    Raises:
        BackupNotFound: there is no such backup.
        Refused: it is pinned, or in the trash already.
        Busy: it is being taken, or something reads it.
    """
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
        if view.state == "complete":
            refuse_removal(session, view)
            # Read again under the lock: somebody may have been quicker.
            view = find_backup(session, view.id)
            if view.trashed_at is not None:
                raise Refused(f"{view.name} is in the trash already.", hint="`rxbackup backup delete --now` ends it.")
            now = services.database_clock(session)
            until = put_into_trash(session, actor, view, now, services.settings.trash_days)
            return dataclasses.replace(view, trashed_at=now, trashed_by=actor.email, trash_until=until)
    return delete_backup(services, actor, view.id)


@requires(Permission.DELETE)
def undelete_backup(services: Services, actor: Actor, backup: str) -> BackupView:
    """Take a backup out of the trash.

    Raises:
        BackupNotFound: there is no such backup, or its days are over.
        Refused: it is not in the trash, or is being deleted for good.
    """
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
        row = session.exec(
            select(Backup.state, Backup.trashed_at).where(col(Backup.id) == UUID(view.id)).with_for_update()
        ).first()
        state, trashed_at = row or ("deleting", None)
        if state == "deleting":
            raise Refused(f"{view.name} is being deleted for good.", hint="It cannot be had back.")
        if trashed_at is None:
            raise Refused(f"{view.name} is not in the trash.", hint="`rxbackup backup list --trash` shows what is.")
        take_out_of_trash(session, actor, view)
    return dataclasses.replace(view, trashed_at=None, trashed_by=None, trash_until=None)


@requires(Permission.VIEW)
def weigh_trash(services: Services, actor: Actor) -> TrashView:
    """How many backups are in the trash, and how much they added to their stores."""
    statement = select(func.count(), func.coalesce(func.sum(Backup.stored_bytes), 0)).where(_IN_TRASH)
    with services.system.session(actor.identity) as session:
        backups, stored_bytes = session.exec(statement).one()
    return TrashView(backups, int(stored_bytes or 0))


@requires(Permission.DELETE)
def empty_trash(services: Services, actor: Actor) -> EmptiedView:
    """Delete for good all that is in the trash now. What is in use, or whose store is away, stays and says why."""
    with services.system.session(actor.identity) as session:
        wanted = session.exec(select(Backup.id).where(_IN_TRASH).order_by(col(Backup.trashed_at))).all()
        names = dict(session.exec(select(Backup.id, Backup.name).where(col(Backup.id).in_(wanted))).all())
    deleted, stored_bytes, staying = 0, 0, []
    for backup_id in wanted:
        still = partial(_is_in_trash, backup_id)
        try:
            view, away = delete_if_still(services, actor, str(backup_id), still, because="the trash was emptied")
        except BackupNotFound:
            continue
        except RxbackupError as error:
            staying.append(StayingView(str(backup_id), names[backup_id], error.message, error.hint))
            continue
        if away:
            store, trouble = next(iter(away.items()))
            why = f"What rests in {store} is deleted by itself once the store answers: {trouble.message}"
            staying.append(StayingView(view.id, view.name, why, trouble.hint))
            continue
        deleted, stored_bytes = deleted + 1, stored_bytes + view.stored_bytes
    return EmptiedView(deleted, stored_bytes, tuple(staying))


@requires(Permission.ADMINISTER)
def delete_expired(services: Services, actor: Actor) -> int:
    """Delete for good what has been in the trash long enough; how many backups that were.

    Where nobody looked for over a day (the app was stopped, or a clock was set) what would go now stays one more day:
    there must be time to notice.
    """
    with services.system.session(actor.identity) as session:
        now = services.database_clock(session)
        if _was_away(session, now, actor):
            session.exec(update(Backup).where(col(Backup.trash_until) <= now, _IN_TRASH).values(trash_until=now + _GAP))
            return 0
        over = session.exec(select(Backup.id).where(col(Backup.trash_until) <= now, _IN_TRASH)).all()
    deleted = 0
    for backup_id in over:
        still = partial(_is_over, services, backup_id)
        try:
            _, away = delete_if_still(services, actor, str(backup_id), still, because="its days in the trash are over")
        except RxbackupError as error:
            # The next look tries again; until then it stays in the trash.
            _logger.warning("Backup %s stays in the trash for now: %s", backup_id, error.message)
            continue
        deleted += not away
    return deleted


def _is_in_trash(backup_id: UUID, session: Session) -> bool:
    return session.exec(select(Backup.id).where(col(Backup.id) == backup_id, _IN_TRASH)).first() is not None


def _is_over(services: Services, backup_id: UUID, session: Session) -> bool:
    until = session.exec(select(Backup.trash_until).where(col(Backup.id) == backup_id)).first()
    return until is not None and until <= services.database_clock(session)


def _was_away(session: Session, now: datetime, actor: Actor) -> bool:
    """Whether the last look is over a day ago, by this clock; and note this one."""
    before = recall(session, _LOOKED)
    remember(session, _LOOKED, {"at": now.isoformat()}, at=now, by=actor.email)
    return before is not None and now - datetime.fromisoformat(before["at"]) > _GAP
