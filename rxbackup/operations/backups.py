"""Backups: ask for one, take it, list, show, pin, delete."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import RxbackupError, UsageError
from rxbackup.operations._backups.catalogue import count_matching, find_backup, find_job, job_view, list_matching
from rxbackup.operations._backups.places import with_places
from rxbackup.operations._backups.proof import read_proofs
from rxbackup.operations._backups.taking import mark_backup_failed, take_backup
from rxbackup.operations._backups.wishing import check_wish, parameters_of
from rxbackup.operations._removal.deleting import delete_now, finish_copy_deletions, finish_deletion
from rxbackup.operations._removal.trashing import OUT_OF_TRASH
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations._stores.collecting import bytes_of_its_own
from rxbackup.operations.copies import request_copy
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import (
    BackupDetail,
    BackupPage,
    BackupQuery,
    BackupView,
    ErrorView,
    GroupView,
    JobView,
    NewBackup,
    TableView,
)
from rxbackup.operations.wording import moment
from rxbackup.progress import ProgressSink
from rxbackup.tables.system import Backup, BackupCopy

__all__ = [
    "BackupDetail",
    "BackupPage",
    "BackupQuery",
    "BackupView",
    "GroupView",
    "NewBackup",
    "TableView",
    "default_name",
    "delete_backup",
    "finish_deletions",
    "list_backups",
    "perform_backup",
    "request_backup",
    "set_pinned",
    "show_backup",
]

_MOST_PER_PAGE = 200
_STATES = ("complete", "running", "failed", "interrupted", "deleting")


def default_name(now: datetime) -> str:
    """The name of a backup nobody named: "Backup 22 Nov 2026, 19:40"."""
    return f"Backup {moment(now)}"


@requires(Permission.BACK_UP)
def request_backup(services: Services, actor: Actor, new: NewBackup) -> JobView:
    """Queue a backup; a worker takes it.

    Raises:
        UsageError: the name does not do, or a group is unknown.
        NotFound: the store is unknown.
    """
    check_wish(services, actor.identity, new)
    job_id = queue_job(services, actor, "backup", parameters_of(new, str(uuid4())))
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.BACK_UP)
def perform_backup(
    services: Services,
    actor: Actor,
    new: NewBackup,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> BackupView:
    """Take a backup here and now, as a run of its own or as the queued run `job_id`.

    It counts as complete only after its manifest was written and read back. Whatever goes wrong before that leaves a
    row that says so, and nothing that refers to what was stored.

    Raises:
        UsageError: the name does not do, or a group is unknown; no row is made.
        NotFound: the store is unknown; no row is made.
    """
    if job_id is None:
        check_wish(services, actor.identity, new)
    backup_id = _planned_id(services, job_id) or str(uuid4())

    def work(run: Run) -> BackupView:
        if job_id is not None:
            # Groups may have changed since it was queued; then the run says so, not a backup that never began.
            check_wish(services, actor.identity, new)
        taken = take_backup(run, new, backup_id, run.sink(0, 99))
        run.check()
        with services.system.session(actor.identity) as session:
            taken.finish(session, run)
            for store in new.copies:
                # Should this process end before they are asked for, the scheduler sees them waiting.
                session.add(BackupCopy(backup_id=UUID(backup_id), store=store, state="pending"))
            session.flush()
            (view,) = with_places(services, session, [find_backup(session, backup_id)])
            result = {"backup": backup_id, "rows": view.rows, "tables": view.tables, "stored_bytes": view.stored_bytes}
            message = f"{view.name}: {view.rows} rows of {view.tables} tables are safe."
            run.succeed(session, {**result, "message": message}, action="backup.complete", object_id=backup_id)
        return view

    view = run_job(
        services,
        actor,
        "backup",
        parameters_of(new, backup_id),
        work,
        job_id=job_id,
        on_progress=on_progress,
        on_failure=mark_backup_failed,
    )
    if job_id is not None:
        # Who waits at a terminal makes them himself.
        for store in new.copies:
            request_copy(services, actor, backup_id, store)
    return view


@requires(Permission.VIEW)
def list_backups(services: Services, actor: Actor, query: BackupQuery | None = None) -> BackupPage:
    """One page of backups. A page behind the last is the last.

    Raises:
        UsageError: no backup can be in that state.
    """
    query = query or BackupQuery()
    if query.state and query.state not in _STATES:
        raise UsageError(f"There is no state {query.state!r}.", hint=f"The states are: {', '.join(_STATES)}.")
    per_page = max(1, min(query.per_page, _MOST_PER_PAGE))
    with services.system.session(actor.identity) as session:
        total = count_matching(session, query)
        pages = max(1, math.ceil(total / per_page))
        page = max(1, min(query.page, pages))
        items = list_matching(session, dataclasses.replace(query, page=page, per_page=per_page))
        items = with_places(services, session, items)
    return BackupPage(items, total, page, pages)


@requires(Permission.VIEW)
def show_backup(services: Services, actor: Actor, backup: str) -> BackupDetail:
    """One backup, by id, by the beginning of its id, or by its exact name.

    Raises:
        BackupNotFound: none matches, or more than one does.
    """
    with services.system.session(actor.identity) as session:
        (view,) = with_places(services, session, [find_backup(session, backup)])
        manifest = session.exec(select(Backup.backup_data).where(col(Backup.id) == UUID(view.id))).first() or {}
        proofs = read_proofs(session, view.id)
        frees_bytes = bytes_of_its_own(session, view.id)
        base_name = _name_of(session, manifest.get("base_id"))
    detail = _detail(view, manifest)
    return dataclasses.replace(detail, proofs=proofs, frees_bytes=frees_bytes, base_name=base_name)


@requires(Permission.BACK_UP)
def set_pinned(services: Services, actor: Actor, backup: str, *, pinned: bool) -> BackupView:
    """Pin a backup, so that nothing removes it by itself, or let it go again. Pinning takes it out of the trash."""
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
        values = {"pinned": True, **OUT_OF_TRASH} if pinned else {"pinned": False}
        session.exec(update(Backup).where(col(Backup.id) == UUID(view.id)).values(**values))
        view = find_backup(session, view.id)
        _audit(session, actor, "backup.pinned" if pinned else "backup.unpinned", view)
    return view


@requires(Permission.DELETE)
def delete_backup(services: Services, actor: Actor, backup: str) -> BackupView:
    """Delete a backup, all its copies, and the chunks that only it used. Others that lean on it are not harmed.

    Raises:
        BackupNotFound: there is no such backup (any more).
        Refused: it is pinned.
        Busy: it is being taken, or something reads it: a restore, a verification, a download, a copy.
    """
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
    away = delete_now(services, actor, view)
    return dataclasses.replace(view, state="deleting", error=_left(away)) if away else view


@requires(Permission.ADMINISTER)
def finish_deletions(services: Services, actor: Actor) -> int:
    """Finish what deletions left behind that were interrupted, or found a store away; how many are done now."""
    with services.system.session(actor.identity) as session:
        left = session.exec(select(Backup.id).where(col(Backup.state) == "deleting")).all()
    done = [backup_id for backup_id in left if not finish_deletion(services, actor.identity, str(backup_id))]
    return len(done) + finish_copy_deletions(services, actor.identity)


def _left(away: Mapping[str, RxbackupError]) -> ErrorView:
    names = ", ".join(away)
    return ErrorView(
        "store-unavailable",
        f"It still rests in {names}: {next(iter(away.values())).message}",
        "What is left there is deleted by itself once the store answers.",
    )


def _audit(session: Session, actor: Actor, action: str, view: BackupView) -> None:
    audit.append(
        session,
        actor=actor.email,
        action=action,
        object_type="backup",
        object_id=view.id,
        details={"name": view.name, "door": actor.door},
    )


def _planned_id(services: Services, job_id: str | None) -> str | None:
    if job_id is None:
        return None
    with services.system.session("system") as session:
        return (find_job(session, job_id).parameters or {}).get("backup_id")


def _detail(view: BackupView, manifest: Mapping[str, Any]) -> BackupDetail:
    tables = tuple(_table(entry) for entry in manifest.get("tables", ()))
    server = manifest.get("server", {})
    return BackupDetail(
        view=view,
        tables=tables,
        groups=tuple(
            GroupView(
                name=group["name"],
                tables=tuple(group["tables"]),
                rows=sum(t.rows for t in tables if t.group == group["name"]),
                raw_bytes=sum(t.raw_bytes for t in tables if t.group == group["name"]),
            )
            for group in manifest.get("groups", ())
        ),
        warnings=tuple(manifest.get("warnings", ())),
        server_version=str(server.get("version", "")),
        database=str(server.get("database", "")),
        vault_id=str(manifest.get("vault_id", "")),
        taken_at=view.when if manifest else None,
        chunks=int(manifest.get("totals", {}).get("chunks", 0)),
        base_id=manifest.get("base_id"),
        reused_segments=max(view.segments_total - view.segments_read, 0),
    )


def _name_of(session: Session, backup_id: str | None) -> str | None:
    if backup_id is None:
        return None
    return session.exec(select(Backup.name).where(col(Backup.id) == UUID(backup_id))).first()


def _table(entry: Mapping[str, Any]) -> TableView:
    segments = entry.get("segments", ())
    read = entry.get("segments_read")
    return TableView(
        name=f"{entry['schema']}.{entry['name']}",
        group=entry["group"],
        rows=entry["rows"],
        raw_bytes=entry["raw_bytes"],
        segments_total=len(segments),
        segments_read=len(segments) if read is None else read,
    )
