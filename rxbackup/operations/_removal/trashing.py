"""Into the trash and out of it. What is in the trash is whole, until its days are over."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.operations.views import BackupView
from rxbackup.tables.system import Backup

OUT_OF_TRASH = MappingProxyType({"trashed_at": None, "trashed_by": None, "trash_until": None})


def put_into_trash(
    session: Session, actor: Actor, view: BackupView, now: datetime, days: int, *, because: str = ""
) -> datetime:
    """Mark a backup, in the caller's transaction, which has locked its row; until when it can be had back."""
    until = now + timedelta(days=days)
    session.exec(
        update(Backup)
        .where(col(Backup.id) == UUID(view.id))
        .values(trashed_at=now, trashed_by=actor.email, trash_until=until)
    )
    _audit(session, actor, "backup.trashed", view, {"until": until.isoformat(), "because": because})
    return until


def take_out_of_trash(session: Session, actor: Actor, view: BackupView) -> None:
    """Take the mark off again, in the caller's transaction, which has locked its row."""
    session.exec(update(Backup).where(col(Backup.id) == UUID(view.id)).values(**OUT_OF_TRASH))
    _audit(session, actor, "backup.undeleted", view, {})


def _audit(session: Session, actor: Actor, action: str, view: BackupView, details: dict[str, str]) -> None:
    audit.append(
        session,
        actor=actor.email,
        action=action,
        object_type="backup",
        object_id=view.id,
        details={"name": view.name, "door": actor.door, **{k: v for k, v in details.items() if v}},
    )
