"""Between rows and views: backups and jobs. Lists never load a manifest; it may be megabytes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, String, cast, func, or_
from sqlmodel import Session, col, select

from rxbackup.errors import BackupNotFound, JobNotFound
from rxbackup.operations.views import BackupQuery, BackupView, ErrorView, JobView
from rxbackup.tables.system import Backup, Job, Schedule

_SCHEDULE = select(Schedule.name).where(col(Schedule.id) == col(Backup.schedule_id)).scalar_subquery()
"""The name of the schedule that took a backup; null where none did, or where it is deleted."""

VIEW_COLUMNS = (
    col(Backup.id),
    col(Backup.name),
    col(Backup.description),
    col(Backup.timestamp),
    col(Backup.created_by),
    col(Backup.state),
    col(Backup.rows),
    col(Backup.tables),
    col(Backup.raw_bytes),
    col(Backup.stored_bytes),
    col(Backup.seconds),
    col(Backup.pinned),
    col(Backup.verified_level),
    col(Backup.verified_at),
    col(Backup.store),
    col(Backup.trigger),
    col(Backup.error),
    col(Backup.metadata_)["groups"].label("groups"),
    col(Backup.job_id),
    col(Backup.segments_total),
    col(Backup.segments_read),
    col(Backup.origin),
    col(Backup.schedule_id),
    _SCHEDULE.label("schedule"),
    col(Backup.trashed_at),
    col(Backup.trashed_by),
    col(Backup.trash_until),
)

_SORT = {
    "when": col(Backup.timestamp),
    "name": func.lower(col(Backup.name)),
    "rows": col(Backup.rows),
    "size": col(Backup.stored_bytes),
    "state": col(Backup.state),
    "by": func.lower(func.coalesce(_SCHEDULE, col(Backup.created_by))),
}
_SHORTEST_PREFIX = 4
_MOST_CANDIDATES = 5


def backup_view(row: Row[Any]) -> BackupView:
    """The view of one row of `VIEW_COLUMNS`."""
    return BackupView(
        id=str(row.id),
        name=row.name,
        description=row.description or "",
        when=row.timestamp,
        created_by=row.created_by or "",
        state=row.state,
        rows=row.rows or 0,
        tables=row.tables or 0,
        raw_bytes=row.raw_bytes or 0,
        stored_bytes=row.stored_bytes or 0,
        seconds=row.seconds or 0.0,
        pinned=bool(row.pinned),
        verified_level=row.verified_level,
        verified_at=row.verified_at,
        store=row.store or "",
        trigger=row.trigger or "manual",
        error=error_view(row.error),
        groups=tuple(row.groups or ()),
        job_id=str(row.job_id) if row.job_id else None,
        segments_total=row.segments_total or 0,
        segments_read=row.segments_read or 0,
        origin=str((row.origin or {}).get("kind", "")),
        foreign=bool((row.origin or {}).get("foreign", False)),
        schedule_id=str(row.schedule_id) if row.schedule_id else None,
        schedule=row.schedule or "",
        trashed_at=row.trashed_at,
        trashed_by=row.trashed_by,
        trash_until=row.trash_until,
    )


def error_view(error: Mapping[str, Any] | None) -> ErrorView | None:
    """The error in a row, if there is one."""
    if not error:
        return None
    return ErrorView(str(error.get("code", "")), str(error.get("message", "")), str(error.get("hint", "")))


def find_backup(session: Session, backup: str) -> BackupView:
    """One backup by id, by the beginning of its id, or by its exact name.

    Raises:
        BackupNotFound: none matches, or several do.
    """
    wanted = backup.strip()
    newest_first = col(Backup.timestamp).desc().nulls_last()
    rows = session.exec(
        _view_select().where(_matches(wanted)).order_by(newest_first, col(Backup.id)).limit(_MOST_CANDIDATES + 1)
    ).all()
    exact = [row for row in rows if str(row.id) == wanted.lower()]
    if len(exact) == 1:
        rows = exact
    if not rows:
        raise BackupNotFound(f"There is no backup {wanted[:80]!r}.")
    if len(rows) > 1:
        raise BackupNotFound(f"{wanted[:80]!r} fits more than one backup.", hint=f"Give the id: {_candidates(rows)}.")
    return backup_view(rows[0])


def _candidates(rows: Sequence[Row[Any]]) -> str:
    shown = [f"{row.id} ({row.name[:40]}, {row.timestamp:%Y-%m-%d %H:%M} UTC)" for row in rows[:_MOST_CANDIDATES]]
    return "; ".join(shown) + (", and more" if len(rows) > _MOST_CANDIDATES else "")


def count_matching(session: Session, query: BackupQuery) -> int:
    """How many backups a query finds."""
    return session.exec(select(func.count()).select_from(Backup).where(*_filters(query))).one()


def list_matching(session: Session, query: BackupQuery) -> tuple[BackupView, ...]:
    """One page of what a query finds."""
    key = _SORT.get(query.sort, _SORT["when"])
    order = key.desc() if query.descending else key.asc()
    statement = (
        _view_select()
        .where(*_filters(query))
        .order_by(order.nulls_last(), col(Backup.id))
        .limit(query.per_page)
        .offset((query.page - 1) * query.per_page)
    )
    return tuple(backup_view(row) for row in session.exec(statement))


def job_view(job: Job) -> JobView:
    """The view of one job."""
    progress = job.progress or {}
    parameters = job.parameters or {}
    error = error_view(job.error)
    stage = str(progress.get("stage", "")) if job.state == "running" else ""
    return JobView(
        id=str(job.id),
        kind=job.kind,
        actor=job.actor,
        state=job.state,
        stage=stage or {"queued": "Waiting for a worker", "running": "Starting"}.get(job.state, ""),
        percent=100.0 if job.state == "succeeded" else progress.get("percent"),
        rows_done=int(progress.get("rows_done", 0)),
        rows_total=int(progress.get("rows_total", 0)),
        bytes_done=int(progress.get("bytes_done", 0)),
        bytes_total=int(progress.get("bytes_total", 0)),
        message=_message(job, error, stage),
        error=error,
        # What a preview found out holds values of rows: only `previews` hands those out, to who may restore.
        result={name: value for name, value in (job.result or {}).items() if name != "preview"},
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        backup_id=parameters.get("backup_id"),
        backup_name=parameters.get("name"),
        cancel_requested=bool(job.cancel_requested),
    )


def find_job(session: Session, job_id: str, *, lock: bool = False) -> Job:
    """One job.

    Raises:
        JobNotFound: there is none of that id.
    """
    try:
        wanted = uuid.UUID(job_id)
    except ValueError:
        raise JobNotFound(f"{job_id[:80]!r} is no run.") from None
    statement = select(Job).where(col(Job.id) == wanted)
    job = session.exec(statement.with_for_update() if lock else statement).first()
    if job is None:
        raise JobNotFound(f"There is no run {job_id}.")
    return job


def _message(job: Job, error: ErrorView | None, stage: str) -> str:
    if error is not None:
        return error.message
    if job.state == "succeeded":
        return str((job.result or {}).get("message", "Done"))
    if job.state == "running" and job.cancel_requested:
        return "Stopping"
    return stage or ("Waiting for a worker" if job.state == "queued" else "")


def _view_select() -> Any:
    # SQLModel's `select` is typed for at most four columns.
    return select(*VIEW_COLUMNS)  # type: ignore[call-overload]


def _matches(wanted: str) -> ColumnElement[bool]:
    by_name = col(Backup.name) == wanted
    is_prefix = len(wanted) >= _SHORTEST_PREFIX and all(c in "0123456789abcdef-" for c in wanted.lower())
    if not is_prefix:
        return by_name
    return or_(by_name, cast(col(Backup.id), String).startswith(wanted.lower(), autoescape=True))


def _filters(query: BackupQuery) -> Sequence[ColumnElement[bool]]:
    trashed = col(Backup.trashed_at)
    filters: list[ColumnElement[bool]] = [trashed.is_not(None) if query.trash else trashed.is_(None)]
    if query.text.strip():
        wanted = query.text.strip()
        filters.append(
            or_(
                col(Backup.name).icontains(wanted, autoescape=True),
                col(Backup.description).icontains(wanted, autoescape=True),
                col(Backup.created_by).icontains(wanted, autoescape=True),
                _SCHEDULE.icontains(wanted, autoescape=True),
            )
        )
    if query.state:
        filters.append(col(Backup.state) == query.state)
    if query.store:
        filters.append(col(Backup.store) == query.store)
    if query.schedule_id:
        filters.append(col(Backup.schedule_id) == uuid.UUID(query.schedule_id))
    return filters
