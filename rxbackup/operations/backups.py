"""Backups: ask for one, take it, list, show, pin, delete."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlmodel import Session, col, delete, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import Busy, NotFound, Refused, UsageError
from rxbackup.groups.group import choose_groups
from rxbackup.groups.live import read_groups
from rxbackup.operations._catalogue import count_matching, find_backup, find_job, job_view, list_matching
from rxbackup.operations._queueing import queue_job
from rxbackup.operations._running import Run, run_job
from rxbackup.operations._sweeping import sweep_unused_chunks
from rxbackup.operations._taking import check_new, mark_backup_failed, take_backup
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import (
    BackupDetail,
    BackupPage,
    BackupQuery,
    BackupView,
    GroupView,
    JobView,
    NewBackup,
    TableView,
)
from rxbackup.operations.wording import moment
from rxbackup.progress import ProgressSink
from rxbackup.tables.system import Backup, Job, Store

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
    _check_wish(services, actor, new)
    job_id = queue_job(services, actor, "backup", _parameters(new, str(uuid4())))
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
        _check_wish(services, actor, new)
    backup_id = _planned_id(services, job_id) or str(uuid4())

    def work(run: Run) -> BackupView:
        if job_id is not None:
            # Groups may have changed since it was queued; then the run says so, not a backup that never began.
            _check_wish(services, actor, new)
        taken = take_backup(run, new, backup_id, run.sink(0, 99))
        run.check()
        with services.system.session(actor.identity) as session:
            taken.finish(session, run)
            view = find_backup(session, backup_id)
            result = {"backup": backup_id, "rows": view.rows, "tables": view.tables, "stored_bytes": view.stored_bytes}
            message = f"{view.name}: {view.rows} rows of {view.tables} tables are safe."
            run.succeed(session, {**result, "message": message}, action="backup.complete", object_id=backup_id)
        return view

    return run_job(
        services,
        actor,
        "backup",
        _parameters(new, backup_id),
        work,
        job_id=job_id,
        on_progress=on_progress,
        on_failure=mark_backup_failed,
    )


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
    return BackupPage(items, total, page, pages)


@requires(Permission.VIEW)
def show_backup(services: Services, actor: Actor, backup: str) -> BackupDetail:
    """One backup, by id, by the beginning of its id, or by its exact name.

    Raises:
        BackupNotFound: none matches, or more than one does.
    """
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
        manifest = session.exec(select(Backup.backup_data).where(col(Backup.id) == UUID(view.id))).first() or {}
    return _detail(view, manifest)


@requires(Permission.BACK_UP)
def set_pinned(services: Services, actor: Actor, backup: str, *, pinned: bool) -> BackupView:
    """Pin a backup, so that nothing removes it by itself, or let it go again."""
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
        session.exec(update(Backup).where(col(Backup.id) == UUID(view.id)).values(pinned=pinned))
        _audit(session, actor, "backup.pinned" if pinned else "backup.unpinned", view)
    return dataclasses.replace(view, pinned=pinned)


@requires(Permission.DELETE)
def delete_backup(services: Services, actor: Actor, backup: str) -> BackupView:
    """Delete a backup and the chunks that only it used.

    Raises:
        BackupNotFound: there is no such backup (any more).
        Refused: it is pinned.
        Busy: it is being taken, restored, verified or leaned on.
    """
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
    # Opened first: with the wrong key or an unmounted folder nothing must be marked.
    services.open_vault(view.store)
    with services.system.session(actor.identity) as session:
        locked = session.exec(select(Backup.state).where(col(Backup.id) == UUID(view.id)).with_for_update()).first()
        _refuse_deletion(session, view, locked)
        session.exec(update(Backup).where(col(Backup.id) == UUID(view.id)).values(state="deleting"))
        _audit(session, actor, "backup.deleted", view)
    _finish_deletion(services, actor, view.id, view.store)
    return view


@requires(Permission.ADMINISTER)
def finish_deletions(services: Services, actor: Actor) -> int:
    """Finish what interrupted deletions left behind; how many there were."""
    with services.system.session(actor.identity) as session:
        left = session.exec(select(Backup.id, Backup.store).where(col(Backup.state) == "deleting")).all()
    for backup_id, store in left:
        _finish_deletion(services, actor, str(backup_id), store)
    return len(left)


def _finish_deletion(services: Services, actor: Actor, backup_id: str, store: str) -> None:
    """Manifest, row, chunks: every step may be repeated, by anybody, at any time."""
    services.open_vault(store).delete_manifest(backup_id)
    with services.system.session(actor.identity) as session:
        session.exec(delete(Backup).where(col(Backup.id) == UUID(backup_id)))
    sweep_unused_chunks(services, store, actor.identity)


def _refuse_deletion(session: Session, view: BackupView, state: str | None) -> None:
    if state == "running":
        raise Busy(f"{view.name} is being taken right now.", hint="Cancel the run first, then delete it.")
    if view.pinned:
        raise Refused(f"{view.name} is pinned.", hint="Unpin it first, then delete it.")
    user = session.exec(
        select(Job.kind).where(
            col(Job.state).in_(["queued", "running"]), col(Job.parameters)["backup_id"].astext == view.id
        )
    ).first()
    if user is not None:
        raise Busy(f"{view.name} is being used by a {user}.", hint="Wait until it is through, or cancel it.")
    leaning = session.exec(
        select(Backup.name).where(col(Backup.base_id) == UUID(view.id), col(Backup.state) == "running")
    ).first()
    if leaning is not None:
        raise Busy(f"{leaning} is being taken and leans on {view.name}.", hint="Wait until it is through.")


def _audit(session: Session, actor: Actor, action: str, view: BackupView) -> None:
    audit.append(
        session,
        actor=actor.email,
        action=action,
        object_type="backup",
        object_id=view.id,
        details={"name": view.name, "door": actor.door},
    )


def _check_wish(services: Services, actor: Actor, new: NewBackup) -> None:
    check_new(new)
    if new.groups is not None:
        choose_groups(read_groups(services.source_url), new.groups)
    with services.system.session(actor.identity) as session:
        if session.get(Store, new.store) is None:
            raise NotFound(f"There is no store named {new.store!r}.", hint="Use `database` or `local`.")


def _planned_id(services: Services, job_id: str | None) -> str | None:
    if job_id is None:
        return None
    with services.system.session("system") as session:
        return (find_job(session, job_id).parameters or {}).get("backup_id")


def _parameters(new: NewBackup, backup_id: str) -> dict[str, Any]:
    return {**dataclasses.asdict(new), "backup_id": backup_id}


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
    )


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
