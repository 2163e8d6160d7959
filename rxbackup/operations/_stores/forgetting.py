"""Forgetting a store: the catalogue loses it, its objects stay."""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session, col, or_, select

from rxbackup.errors import Busy, Refused
from rxbackup.operations._backups.taking import lock_store
from rxbackup.operations.wording import counted
from rxbackup.restore.plan import listed
from rxbackup.tables.system import Backup, BackupCopy, Schedule

PROVIDED = frozenset({"database", "local"})
"""The stores that every installation has."""
_NAMED = 3

_ONLY_HERE = """
SELECT b.name FROM rxbackup.backups AS b
WHERE b.store = :store AND b.state = 'complete'
  AND NOT EXISTS (SELECT FROM rxbackup.copies AS c WHERE c.backup_id = b.id AND c.state = 'complete')
ORDER BY b.timestamp DESC
"""
_FORGET = (
    # What also rests elsewhere lives on there: one of its copies takes the first place.
    """
    WITH heirs AS (
        SELECT DISTINCT ON (c.backup_id) c.id, c.backup_id, c.store, c.verified_level, c.verified_at
        FROM rxbackup.copies AS c JOIN rxbackup.backups AS b ON b.id = c.backup_id
        WHERE b.store = :store AND c.state IN ('complete', 'deleting')
        ORDER BY c.backup_id, c.state, c.created_at, c.id
    ), moved AS (
        UPDATE rxbackup.backups AS b
        SET store = h.store, verified_level = h.verified_level, verified_at = h.verified_at
        FROM heirs AS h WHERE b.id = h.backup_id
    )
    DELETE FROM rxbackup.copies AS c USING heirs AS h WHERE c.id = h.id
    """,
    "DELETE FROM rxbackup.copies WHERE store = :store",
    # What is left was never complete, or is being deleted.
    "DELETE FROM rxbackup.backups WHERE store = :store",
    "DELETE FROM rxbackup.backup_chunks WHERE store = :store",
    "DELETE FROM rxbackup.chunks WHERE store = :store",
    "DELETE FROM rxbackup.stores WHERE name = :store",
)


def forget_store(session: Session, store: str) -> None:
    """Take a store out of the catalogue, in the caller's transaction.

    Raises:
        Refused: it belongs to every installation, or backups rest only there, or a schedule uses it.
        Busy: something is being written there.
    """
    if store in PROVIDED:
        raise Refused(f"The store {store} belongs to every installation.", hint="Just do not use it.")
    # Nothing begins there until the caller's transaction ends.
    lock_store(session, store, exclusive=True)
    busy = session.exec(select(Backup.name).where(col(Backup.store) == store, col(Backup.state) == "running")).first()
    copying = session.exec(
        select(BackupCopy.id).where(col(BackupCopy.store) == store, col(BackupCopy.state) == "running")
    ).first()
    if busy is not None or copying is not None:
        raise Busy(f"Something is being written to the store {store}.", hint="Wait until it is through, or cancel it.")
    schedules = session.exec(
        select(Schedule.name).where(or_(col(Schedule.store) == store, col(Schedule.copy_to).contains([store])))
    ).all()
    if schedules:
        raise Refused(
            f"The schedule {schedules[0]} uses the store {store}.", hint="Change or delete that schedule first."
        )
    only_here = [name for (name,) in session.connection().execute(text(_ONLY_HERE), {"store": store})]
    if only_here:
        names = listed(only_here, _NAMED)
        raise Refused(
            f"{counted(len(only_here), 'backup')} would be lost to rxbackup: only the store {store} holds {names}.",
            hint="Copy them to another store (`rxbackup backup copy ID --to STORE`), or delete them first.",
        )
    for statement in _FORGET:
        session.connection().execute(text(statement), {"store": store})
