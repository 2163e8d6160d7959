"""Runs of operations: what runs, what ran, how to stop it, and what became of those whose worker died."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, func, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import QueryableAttribute, defer
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, or_, select

from rxbackup import audit
from rxbackup.access.actor import CONSOLE_EMAIL, SYSTEM_EMAIL, Actor, Door
from rxbackup.access.roles import Permission, Role
from rxbackup.errors import DatabaseTrouble, Interrupted, PermissionDenied, WorkerLost
from rxbackup.operations._backups.catalogue import find_job, job_view
from rxbackup.operations._backups.copying import mark_copy_failed
from rxbackup.operations._people import role_of
from rxbackup.operations._runs.claiming import SILENCE_SECONDS
from rxbackup.operations._runs.failures import describe_error
from rxbackup.operations._runs.outcome import Outcome, outcome_of
from rxbackup.operations._runs.process import is_known_dead
from rxbackup.operations._runs.queueing import hand_over
from rxbackup.operations._runs.running import stopping
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import ErrorView, JobView
from rxbackup.tables.system import Backup, Job

__all__ = [
    "ErrorView",
    "JobView",
    "active_jobs",
    "cancel_job",
    "give_up",
    "reap_dead_jobs",
    "recent_jobs",
    "show_job",
    "stop_all_here",
    "take_over",
]

_OF_RESTORES = frozenset({"preview", "refresh", "restore", "restore-into", "side-schema"})
_HAND_OVER_AGAIN = timedelta(seconds=60)
_logger = logging.getLogger(__name__)


@requires(Permission.VIEW)
def active_jobs(services: Services, actor: Actor) -> tuple[JobView, ...]:
    """What is queued or running, oldest first."""
    statement = select(Job).where(col(Job.state).in_(["queued", "running"])).order_by(col(Job.created_at))
    with services.system.session(actor.identity) as session:
        return tuple(job_view(job) for job in session.exec(statement))


@requires(Permission.VIEW)
def recent_jobs(services: Services, actor: Actor, *, limit: int = 20) -> tuple[JobView, ...]:
    """The latest runs, newest first, whatever became of them."""
    # What previews found out is handed to nobody here, and may be megabytes: it stays in the database.
    told = type_coerce(col(Job.result), JSONB).op("-")("preview")
    statement = (
        select(Job, told)
        .options(defer(cast("QueryableAttribute[Any]", Job.result)))
        .order_by(col(Job.created_at).desc())
        .limit(max(1, min(limit, 500)))
    )
    views = []
    with services.system.session(actor.identity) as session:
        for job, result in session.exec(statement):
            set_committed_value(job, "result", result)
            views.append(job_view(job))
    return tuple(views)


@requires(Permission.VIEW)
def show_job(services: Services, actor: Actor, job_id: str) -> JobView:
    """One run.

    Raises:
        JobNotFound: there is no such run.
    """
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, job_id))


@requires(Permission.BACK_UP)
def cancel_job(services: Services, actor: Actor, job_id: str) -> JobView:
    """Stop a run: at once if it still waits, at its next step if it runs. A finished run stays as it is.

    Raises:
        JobNotFound: there is no such run.
        PermissionDenied: it is a restore or belongs to one, and this actor may not restore.
    """
    with services.system.session(actor.identity) as session:
        job = find_job(session, job_id, lock=True)
        if job.kind in _OF_RESTORES and not actor.may(Permission.RESTORE):
            raise PermissionDenied(f"{actor.email} may not stop a restore.")
        if job.state not in {"queued", "running"} or job.cancel_requested:
            return job_view(job)
        job.cancel_requested = True
        if job.state == "queued":
            job.state = "cancelled"
            job.finished_at = services.clock()
            job.error = {"code": "cancelled", "message": f"Cancelled by {actor.email} before it began.", "hint": ""}
        session.add(job)
        session.flush()
        audit.append(
            session,
            actor=actor.email,
            action=f"{job.kind}.cancel",
            object_type=job.kind,
            object_id=(job.parameters or {}).get("backup_id"),
            details={"job": job_id, "door": actor.door},
        )
        return job_view(job)


@requires(Permission.ADMINISTER)
def reap_dead_jobs(services: Services, actor: Actor) -> tuple[str, ...]:
    """Tell the truth about runs whose worker died, and hand waiting ones over again if the queue lost them.

    Returns:
        The ids of the runs that were found dead. A run whose transaction is still being decided is left for later.
    """
    found = [job_id for job_id in _silent_jobs(services, actor) if _bury(services, actor, job_id)]
    _hand_over_forgotten(services, actor)
    return tuple(found)


@requires(Permission.ADMINISTER)
def take_over(services: Services, actor: Actor, job_id: str) -> tuple[Actor, dict[str, Any]]:
    """For a worker: on whose behalf a queued job runs, with the rights that account has now, and what was asked.

    Raises:
        JobNotFound: there is no such run.
        PermissionDenied: who asked has no active account any more.
    """
    with services.system.session(actor.identity) as session:
        job = find_job(session, job_id)
        if job.actor in {SYSTEM_EMAIL, CONSOLE_EMAIL}:
            # Of the console are schedules that were made on the host before there was an account.
            return Actor(job.actor, Role.ADMIN, door=Door.SYSTEM), dict(job.parameters or {})
        role = role_of(services, session, job.actor)
        if role is None:
            raise PermissionDenied(f"{job.actor} has no active account any more.")
        return Actor(job.actor, role, door=Door.WORKER), dict(job.parameters or {})


@requires(Permission.ADMINISTER)
def give_up(services: Services, actor: Actor, job_id: str, error: BaseException) -> None:
    """For a worker: say why a queued job did not even begin. A job that began has its own end."""
    shown = describe_error(error, job_id)
    with services.system.session(actor.identity) as session:
        job = find_job(session, job_id, lock=True)
        if job.state != "queued":
            return
        job.state = "interrupted" if isinstance(error, Interrupted) else "failed"
        job.error = shown
        job.finished_at = services.clock()
        session.add(job)
        session.flush()
        audit.append(
            session,
            actor=job.actor,
            action=f"{job.kind}.{job.state}",
            object_type=job.kind,
            object_id=(job.parameters or {}).get("backup_id"),
            details={"job": job_id, "error": shown["code"]},
        )


@requires(Permission.ADMINISTER)
def stop_all_here(services: Services, actor: Actor) -> None:
    """For a process that ends: its running jobs stop at their next step and become interrupted."""
    del services, actor
    stopping.set()


def _silent_jobs(services: Services, actor: Actor) -> list[str]:
    with services.system.session(actor.identity) as session:
        silent = _silent()
        rows = session.exec(select(Job.id, Job.worker, silent).where(col(Job.state) == "running")).all()
    return [str(job_id) for job_id, worker, is_silent in rows if is_silent or is_known_dead(worker)]


def _silent() -> ColumnElement[bool]:
    last = func.coalesce(col(Job.heartbeat_at), col(Job.started_at), col(Job.created_at))
    return last < func.clock_timestamp() - timedelta(seconds=SILENCE_SECONDS)


def _bury(services: Services, actor: Actor, job_id: str) -> bool:
    outcome = Outcome.ABORTED
    with services.system.session(actor.identity) as session:
        commit_xid = find_job(session, job_id).commit_xid
    if commit_xid:
        try:
            outcome = outcome_of(services.source_url, commit_xid)
        except DatabaseTrouble:
            return False
        if outcome is Outcome.IN_PROGRESS:
            return False
    with services.system.session(actor.identity) as session:
        job = find_job(session, job_id, lock=True)
        # Meanwhile it may have reported or ended after all.
        still = session.exec(select(_silent()).where(col(Job.id) == job.id)).one() or is_known_dead(job.worker)
        if job.state != "running" or not still:
            return False
        _write_end(session, job, outcome, actor)
    _logger.warning("Run %s was found dead: %s", job_id, outcome)
    return True


def _write_end(session: Session, job: Job, outcome: Outcome, actor: Actor) -> None:
    error = describe_error(WorkerLost("The process that ran this went away before it was done."))
    job.state = "succeeded" if outcome is Outcome.COMMITTED else "interrupted"
    if outcome is Outcome.COMMITTED:
        note = "The restore was committed; the process that ran it went away just after."
        job.result = {**(job.result or {}), "message": note, "note": note, "tables": {}}
    elif outcome is Outcome.UNKNOWN:
        job.error = {**error, "hint": "PostgreSQL no longer knows whether it was committed. Compare the tables."}
    else:
        job.error = error
    session.add(job)
    session.flush()
    now = func.clock_timestamp()
    session.exec(update(Job).where(col(Job.id) == job.id).values(finished_at=now))
    session.exec(
        update(Backup)
        .where(col(Backup.job_id) == job.id, col(Backup.state) == "running")
        .values(state="interrupted", error=error, finished_at=now)
    )
    mark_copy_failed(session, str(job.id), error)
    audit.append(
        session,
        actor=actor.email,
        action=f"{job.kind}.{job.state}",
        object_type=job.kind,
        object_id=(job.parameters or {}).get("backup_id"),
        details={"job": str(job.id), "reaped": True, "transaction": outcome.value if job.commit_xid else ""},
    )


def _hand_over_forgotten(services: Services, actor: Actor) -> None:
    long_ago = func.clock_timestamp() - _HAND_OVER_AGAIN
    with services.system.session(actor.identity) as session:
        waiting = session.exec(
            select(Job.id, Job.kind).where(
                col(Job.state) == "queued", or_(col(Job.queue_id).is_(None), col(Job.created_at) < long_ago)
            )
        ).all()
    for job_id, kind in waiting:
        hand_over(services, job_id, kind)
