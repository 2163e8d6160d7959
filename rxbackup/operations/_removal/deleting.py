"""Deleting for good: manifests in every store, then rows, then the chunks that nobody else needs.

Every step may be repeated, by anybody, at any time. Where a store is away the row goes on saying *deleting*, and what
is left is done once the store answers.
"""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy import text, update
from sqlmodel import Session, col, delete, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import Busy, NotFound, Refused, RxbackupError
from rxbackup.operations._backups.holding import refuse_if_held
from rxbackup.operations._stores.pruning import sweep_store
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView
from rxbackup.tables.system import Backup, BackupCopy, Job

_UNLINK = "DELETE FROM rxbackup.backup_chunks WHERE backup_id = CAST(:backup AS uuid) AND store = :store"

_logger = logging.getLogger(__name__)


def delete_now(services: Services, actor: Actor, view: BackupView) -> dict[str, RxbackupError]:
    """Delete a backup, all its copies, and the chunks that only it used. Raises as `refuse_removal`.

    Returns:
        The stores that are away, each with what it said; the rest is done later. Empty: it is gone.
    """
    # Opened first: with the wrong key or an unmounted folder nothing must be marked.
    services.open_vault(view.store).check_marker()
    with services.system.session(actor.identity) as session:
        start_deletion(session, view)
        audit.append(
            session,
            actor=actor.email,
            action="backup.deleted",
            object_type="backup",
            object_id=view.id,
            details={"name": view.name, "door": actor.door},
        )
    return finish_deletion(services, actor.identity, view.id)


def start_deletion(session: Session, view: BackupView) -> None:
    """Mark a backup as going, in the caller's transaction. Raises as `refuse_removal`."""
    refuse_removal(session, view)
    session.exec(update(Backup).where(col(Backup.id) == UUID(view.id)).values(state="deleting"))


def refuse_removal(session: Session, view: BackupView) -> None:
    """Refuse to remove what is wanted, and lock the row: what is true of it now stays so to the transaction's end.

    Raises:
        Refused: it is pinned.
        Busy: it is being taken, or something reads it: a restore, a verification, a download, a copy.
    """
    found = session.exec(
        select(Backup.state, Backup.pinned).where(col(Backup.id) == UUID(view.id)).with_for_update()
    ).first()
    state, pinned = found or (None, False)
    if state == "running":
        raise Busy(f"{view.name} is being taken right now.", hint="Cancel the run first, then delete it.")
    if pinned:
        raise Refused(f"{view.name} is pinned.", hint="Unpin it first, then delete it.")
    user = session.exec(
        select(Job.kind).where(
            col(Job.state).in_(["queued", "running"]), col(Job.parameters)["backup_id"].astext == view.id
        )
    ).first()
    if user is not None:
        raise Busy(f"{view.name} is being used by a {user}.", hint="Wait until it is through, or cancel it.")
    refuse_if_held(session, view.id, view.name)


def finish_deletion(services: Services, identity: str, backup_id: str) -> dict[str, RxbackupError]:
    """Delete a backup that says *deleting*; the stores that are away, each with what it said. Empty: it is gone."""
    with services.system.session(identity) as session:
        first = session.exec(select(Backup.store).where(col(Backup.id) == UUID(backup_id))).first()
        copies = session.exec(select(BackupCopy.store).where(col(BackupCopy.backup_id) == UUID(backup_id))).all()
    if first is None:
        return {}
    away: dict[str, RxbackupError] = {}
    for store in (*copies, first):
        try:
            services.open_vault(store).delete_manifest(backup_id)
        except RxbackupError as error:
            _logger.warning("Backup %s is not deleted from %s yet: %s", backup_id, store, error.message)
            away[store] = error
    gone = [store for store in copies if store not in away]
    with services.system.session(identity) as session:
        for store in gone:
            _forget_copy(session, backup_id, store)
        if not away:
            session.exec(delete(Backup).where(col(Backup.id) == UUID(backup_id)))
    for store in gone if away else (*gone, first):
        sweep_store(services, identity, store)
    return away


def start_copy_deletion(session: Session, view: BackupView, store: str) -> None:
    """Mark a copy as going, in the caller's transaction.

    Raises:
        NotFound: there is none.
        Busy: it is being made, or something reads the backup.
    """
    found = session.exec(
        select(BackupCopy)
        .where(col(BackupCopy.backup_id) == UUID(view.id), col(BackupCopy.store) == store)
        .with_for_update()
    ).first()
    if found is None:
        raise NotFound(f"There is no copy of {view.name} in {store}.", hint="`rxbackup backup show` lists its places.")
    if view.state == "deleting":
        raise Refused(f"{view.name} is being deleted, with all its copies.", hint="Nothing needs to be done.")
    if found.state == "running":
        raise Busy(f"{view.name} is being copied to {store} right now.", hint="Cancel the run first.")
    refuse_if_held(session, view.id, view.name)
    session.exec(update(BackupCopy).where(col(BackupCopy.id) == found.id).values(state="deleting"))


def finish_copy_deletion(services: Services, identity: str, backup_id: str, store: str) -> None:
    """Delete a copy that says *deleting*.

    Raises:
        StoreTrouble: the store is away; it is done later.
    """
    services.open_vault(store).delete_manifest(backup_id)
    with services.system.session(identity) as session:
        _forget_copy(session, backup_id, store)
    sweep_store(services, identity, store)


def finish_copy_deletions(services: Services, identity: str) -> int:
    """Finish what interrupted deletions of copies left behind; how many of them are done now."""
    with services.system.session(identity) as session:
        left = session.exec(
            select(BackupCopy.backup_id, BackupCopy.store)
            .join(Backup, col(Backup.id) == col(BackupCopy.backup_id))
            .where(col(BackupCopy.state) == "deleting", col(Backup.state) != "deleting")
        ).all()
    done = 0
    for backup_id, store in left:
        try:
            finish_copy_deletion(services, identity, str(backup_id), store)
        except RxbackupError as error:
            _logger.warning("A copy is not deleted from %s yet: %s", store, error.message)
            continue
        done += 1
    return done


def _forget_copy(session: Session, backup_id: str, store: str) -> None:
    session.connection().execute(text(_UNLINK), {"backup": backup_id, "store": store})
    session.exec(delete(BackupCopy).where(col(BackupCopy.backup_id) == UUID(backup_id), col(BackupCopy.store) == store))
