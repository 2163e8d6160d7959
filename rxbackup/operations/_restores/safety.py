"""The safety backup: everything there is, taken just before a restore changes any of it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.errors import Corrupt, RxbackupError
from rxbackup.operations._backups.catalogue import find_backup
from rxbackup.operations._backups.proof import note_proof
from rxbackup.operations._backups.taking import LONGEST_NAME, take_backup, vault_of_its_own
from rxbackup.operations._removal.deleting import delete_now
from rxbackup.operations._runs.running import Run
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, NewBackup, VerifyView
from rxbackup.operations.wording import moment
from rxbackup.tables.system import Backup
from rxbackup.verify.structure import verify_structure

_PREFIX = "Before restoring "
_OWN_NAME = re.compile(_PREFIX + r"(?P<of>.+?)(, \d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d( \(\d+\))?)?", re.DOTALL)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SafetyBackup:
    """One that is complete and was read back; it is kept at least until `until`."""

    id: str
    until: datetime


def take_safety_backup(run: Run, view: BackupView, store: str) -> SafetyBackup:
    """Take it, of every group, and see that it can be read back.

    `view` is what will be restored; the safety backup goes to `store`.

    Raises:
        Corrupt: what was stored cannot be read back. The restore must not begin.
    """
    services = run.services
    backup_id = str(uuid4())
    with services.system.session("system") as session:
        name = _free_name(session, view, services.clock().astimezone())
    new = NewBackup(
        name=name,
        description=f"Taken by itself just before the restore of backup {view.id}.",
        # All groups, also where only some are restored: the newest backup shall never be one that lacks tables.
        groups=None,
        store=store,
        trigger="safety",
    )
    taken = take_backup(run, new, backup_id, run.sink(0, 35))
    with vault_of_its_own(services, store) as vault:
        report = verify_structure(vault, taken.outcome.manifest, on_progress=run.sink(35, 40))
    if not report.ok:
        raise Corrupt(f"The safety backup cannot be read back: {report.damaged[0]}.")
    until = services.clock() + timedelta(days=services.settings.undo_days)
    with services.system.session("system") as session:
        run.require_running(session)
        taken.finish(session, run)
        session.exec(update(Backup).where(col(Backup.id) == UUID(backup_id)).values(expires_at=until))
        found = VerifyView(backup_id, "structure", ok=True, checked_chunks=report.checked_chunks, damaged=(), seconds=0)
        note_proof(session, find_backup(session, backup_id), found)
    return SafetyBackup(backup_id, until)


def drop_safety_backup(services: Services, backup_id: str) -> None:
    """Delete the safety backup of a restore that was refused: it was for that alone. It stays where that fails."""
    try:
        with services.system.session("system") as session:
            view = find_backup(session, backup_id)
        delete_now(services, Actor.system(), view)
    except RxbackupError as error:
        _logger.warning("The safety backup %s stays: %s", backup_id, error.message)


def safety_name(view: BackupView, now: datetime, *, number: int = 1) -> str:
    """As "Before restoring Monday, 22 Nov 2026, 21:10": the name of what is restored, cut so that all of it fits.

    A safety backup that is itself restored lends the name that it was taken for.
    """
    own = _OWN_NAME.fullmatch(view.name) if view.trigger == "safety" else None
    end = f", {moment(now)}" + (f" ({number})" if number > 1 else "")
    of = own["of"] if own else view.name
    return f"{_PREFIX}{of[: LONGEST_NAME - len(_PREFIX) - len(end)].rstrip()}{end}"


def _free_name(session: Session, view: BackupView, now: datetime) -> str:
    number = 1
    while True:
        name = safety_name(view, now, number=number)
        if session.exec(select(Backup.id).where(col(Backup.name) == name).limit(1)).first() is None:
            return name
        number += 1
