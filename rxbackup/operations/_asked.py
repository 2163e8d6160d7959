"""What somebody asks to have put back: may it be, and in the words of the engine."""

from __future__ import annotations

import dataclasses
from typing import Any

from rxbackup.access.actor import Actor
from rxbackup.errors import Refused
from rxbackup.operations._catalogue import find_backup
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, NewRestore
from rxbackup.restore.plan import RestoreRequest


def restorable(services: Services, actor: Actor, backup: str) -> BackupView:
    """The backup, by id, beginning of it, or name.

    Raises:
        BackupNotFound: there is none.
        Refused: it is not complete.
    """
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
    if view.state != "complete":
        raise Refused(f"{view.name} is {view.state}: it cannot be restored.", hint="Choose a complete backup.")
    return view


def request_of(new: NewRestore) -> RestoreRequest:
    """The same as the engine understands it."""
    return RestoreRequest(groups=new.groups, skip=new.skip, mode=new.mode)


def parameters_of(view: BackupView, new: NewRestore) -> dict[str, Any]:
    """The same as plain values for the row of a job."""
    return {**dataclasses.asdict(new), "backup_id": view.id, "name": view.name}
