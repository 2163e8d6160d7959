"""The earlier backups that a new one may lean on."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func
from sqlmodel import col, select

from rxbackup.operations._runs.running import Run
from rxbackup.operations.views import NewBackup
from rxbackup.tables.system import Backup
from rxbackup.vault.manifest import Manifest

_MOST = 5
"""So many are looked at for one to lean on."""


def earlier_backups(run: Run, new: NewBackup) -> Iterator[Manifest]:
    """The newest complete backups in the same store; the engine decides on which to lean, and how far.

    None if damage was found in the store since the newest one was taken: then everything is read, and every chunk that
    is there already is opened before this backup counts on it.
    """
    if new.full:
        return
    complete = (col(Backup.store) == new.store, col(Backup.state) == "complete")
    with run.services.system.session(run.actor.identity) as session:
        newest = session.exec(select(func.max(Backup.finished_at)).where(*complete)).one()
        if newest is None:
            return
        damage = (col(Backup.error).is_not(None), col(Backup.verified_at) >= newest)
        if session.exec(select(Backup.id).where(*complete, *damage)).first() is not None:
            return
        ids = session.exec(select(Backup.id).where(*complete).order_by(col(Backup.timestamp).desc()).limit(_MOST)).all()
    for each in ids:
        with run.services.system.session(run.actor.identity) as session:
            found = session.exec(select(Backup.backup_data).where(col(Backup.id) == each, *complete)).first()
        if found:
            yield Manifest.from_dict(found)
