"""What somebody asks to have put back: may it be, which tables is it, and the same in the words of the engine."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from rxbackup.access.actor import Actor
from rxbackup.errors import Refused, UsageError
from rxbackup.groups.group import Group, choose_groups, choose_tables
from rxbackup.operations._backups.catalogue import find_backup
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, NewRestore
from rxbackup.restore.plan import KeptRow, RestoreRequest
from rxbackup.tables.system import Backup


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
    if view.trashed_at is not None:
        raise Refused(
            f"{view.name} is in the trash.", hint=f"Take it out first: `rxbackup backup undelete {view.id[:8]}`."
        )
    return view


def check_confirmed(view: BackupView, new: NewRestore) -> None:
    """See that the person who confirms means this backup, and trusts it.

    Raises:
        UsageError: the name typed is another one.
        Refused: another key has signed it, or none, and nobody said that it is trusted.
    """
    if (new.confirm_name or "").strip() != view.name:
        raise UsageError(
            "The name typed is not the name of the backup; nothing was changed.",
            hint=f"Type the name exactly as it stands there: {view.name}",
        )
    refuse_untrusted(view, trusted=new.trust_foreign)


def refuse_untrusted(view: BackupView, *, trusted: bool) -> None:
    """Refuse rows from somewhere else, unless somebody answers for them.

    Raises:
        Refused: says why.
    """
    if view.foreign and not trusted:
        raise Refused(
            f"{view.name} was imported, and is not signed by this installation's key; nothing was changed.",
            hint="Restore it only if you trust where the file came from: say so (--trust-foreign).",
        )


def chosen_tables(services: Services, actor: Actor, view: BackupView, new: NewRestore) -> tuple[str, ...]:
    """Qualified names of the tables that are to be restored, in the order of the backup's groups.

    Raises:
        UsageError: a group or a table is unknown to the backup.
    """
    with services.system.session(actor.identity) as session:
        found = session.exec(select(col(Backup.backup_data)["groups"]).where(col(Backup.id) == UUID(view.id))).one()
    every = [Group(each["name"], tuple(each["tables"])) for each in found or ()]
    groups = choose_tables(choose_groups(every, new.groups, skip=new.skip), new.tables)
    return tuple(name for group in groups for name in group.tables)


def request_of(new: NewRestore, keep: tuple[KeptRow, ...] = ()) -> RestoreRequest:
    """The same as the engine understands it."""
    return RestoreRequest(
        groups=new.groups,
        skip=new.skip,
        mode=new.mode,
        tables=new.tables,
        set_aside=new.set_aside,
        keep=keep,
        maintenance=new.maintenance,
    )


def parameters_of(view: BackupView, new: NewRestore, targets: tuple[str, ...]) -> dict[str, Any]:
    """The same as plain values for the row of a job, with the tables that it comes to."""
    return {**dataclasses.asdict(new), "backup_id": view.id, "name": view.name, "targets": targets}
