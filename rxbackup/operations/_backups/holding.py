"""Hold a backup while its bytes are read, so that nobody deletes it meanwhile.

The hold is a lock of a PostgreSQL session of its own: it ends with the process, however that ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from rxbackup.errors import BackupNotFound, Busy
from rxbackup.operations.services import Services
from rxbackup.postgres.connecting import connect, translated
from rxbackup.tables.system import Backup

_HELD = """
SELECT (classid::bigint << 32) | objid::bigint FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND mode = 'ShareLock'
    AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
"""


@contextmanager
def hold_backup(services: Services, backup_id: str) -> Iterator[None]:
    """Keep a backup, and all its copies, from being deleted.

    Any number may hold the same one.

    Raises:
        BackupNotFound: it is gone, or going.
    """
    url = services.system_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with connect(url, application_name="rxbackup hold") as conn:
        with translated("holding the backup"):
            conn.execute("SET idle_session_timeout = 0")
            conn.execute("SELECT pg_catalog.pg_advisory_lock_shared(%s)", (_key(backup_id),))
        # Only now: who deleted it before we held it has said so in the row.
        with services.system.session("system") as session:
            state = session.exec(select(Backup.state).where(col(Backup.id) == UUID(backup_id))).first()
        if state is None or state == "deleting":
            raise BackupNotFound("The backup was deleted just now.")
        yield


def refuse_if_held(session: Session, backup_id: str, name: str) -> None:
    """Refuse to delete what somebody holds; nobody can take hold of it until the caller's transaction ends.

    Raises:
        Busy: it is being read.
    """
    free = session.connection().execute(
        text("SELECT pg_catalog.pg_try_advisory_xact_lock(:key)"), {"key": _key(backup_id)}
    )
    if not free.scalar_one():
        raise Busy(f"{name} is being read right now.", hint="Wait until its download, restore or copy is through.")


def held_among(session: Session, backup_ids: Iterable[str]) -> frozenset[str]:
    """Those of the backups that somebody holds at this moment."""
    held = set(session.connection().execute(text(_HELD)).scalars())
    return frozenset(backup_id for backup_id in backup_ids if _key(backup_id) in held)


def _key(backup_id: str) -> int:
    return int.from_bytes(UUID(backup_id).bytes[:8], signed=True)
