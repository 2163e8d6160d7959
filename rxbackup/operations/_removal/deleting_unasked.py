"""Deleting for good what a rule or an emptied trash lets go, and nothing that somebody wants again by then."""

from __future__ import annotations

from collections.abc import Callable

from sqlmodel import Session

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import Refused, RxbackupError
from rxbackup.operations._backups.catalogue import find_backup
from rxbackup.operations._removal.deleting import finish_deletion, refuse_removal, start_deletion
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView


def delete_if_still(
    services: Services, actor: Actor, backup_id: str, still: Callable[[Session], bool], *, because: str
) -> tuple[BackupView, dict[str, RxbackupError]]:
    """Delete a backup that may go, if that still holds once its row is locked.

    Args:
        services: the installation.
        actor: in whose name.
        backup_id: which one.
        still: asks in the locking transaction whether it may still go.
        because: for the audit trail.

    Returns:
        The backup, and the stores that are away with what they said: what rests there is deleted later, by itself.

    Raises:
        BackupNotFound: it is gone already.
        Refused: it is pinned, or may not go any more.
        Busy: something reads it.
        StoreTrouble: its store is away; nothing was marked.
    """
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup_id)
    services.open_vault(view.store).check_marker()
    with services.system.session(actor.identity) as session:
        refuse_removal(session, view)
        if not still(session):
            raise Refused(f"{view.name} is wanted again.", hint="Nothing needs to be done.")
        start_deletion(session, view)
        audit.append(
            session,
            actor=actor.email,
            action="backup.deleted",
            object_type="backup",
            object_id=backup_id,
            details={"name": view.name, "because": because, "door": actor.door},
        )
    return view, finish_deletion(services, actor.identity, backup_id)
