"""Becoming the one who performs a job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, text, update
from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.errors import Busy
from rxbackup.operations._runs.process import is_known_dead, this_process
from rxbackup.operations.services import Services
from rxbackup.restore.plan import listed
from rxbackup.tables.system import Job

SILENCE_SECONDS = 30.0
"""A job whose heartbeat is older is believed dead."""
_RESTORE_LOCK = 0x7278_6A6F


def claim_job(services: Services, actor: Actor, kind: str, parameters: Mapping[str, Any], job_id: str | None) -> UUID:
    """Make a running job, or take the queued one; its id.

    Raises:
        Busy: somebody else took it, it was cancelled, or it is a restore and another one runs.
    """
    now = func.clock_timestamp()
    with services.system.session("system") as session:
        if kind == "restore":
            refuse_second_restore(session, parameters)
        if job_id is None:
            job = Job(
                id=uuid4(),
                kind=kind,
                actor=actor.email,
                parameters=dict(parameters),
                state="running",
                worker=this_process(),
            )
            session.add(job)
            session.flush()
            session.exec(update(Job).where(col(Job.id) == job.id).values(started_at=now, heartbeat_at=now))
            return job.id
        claimed = session.exec(
            update(Job)
            .where(col(Job.id) == UUID(job_id), col(Job.state) == "queued")
            .values(state="running", started_at=now, heartbeat_at=now, worker=this_process())
            .returning(col(Job.id))
        ).first()
    if claimed is None:
        raise Busy("This run was started or cancelled already.", hint="Look at its row: nothing needs to be done.")
    return UUID(job_id)


def refuse_second_restore(session: Session, parameters: Mapping[str, Any]) -> None:
    """Refuse a restore while another one runs, until the caller's transaction ends.

    Also where they share no table: a foreign key may tie the tables of one to those of the other, and what each has
    found out about its border would no longer be so.

    Raises:
        Busy: says whose it is, since when, and which tables both restore.
    """
    # The lock makes two beginners take turns; the row of the first refuses the second.
    session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _RESTORE_LOCK})
    silent = func.clock_timestamp() - timedelta(seconds=SILENCE_SECONDS)
    others = session.exec(
        select(Job).where(col(Job.kind) == "restore", col(Job.state) == "running", col(Job.heartbeat_at) > silent)
    )
    for other in others:
        if not is_known_dead(other.worker):
            since = f" since {other.started_at.astimezone(UTC):%H:%M} UTC" if other.started_at else ""
            raise Busy(
                f"A restore of {other.parameters.get('name', 'a backup')} by {other.actor} is running{since}. "
                + _shared(other.parameters, parameters),
                hint="Wait until it is through, or cancel it.",
            )


def _shared(running: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    theirs = set(running.get("targets") or ())
    both = [name for name in wanted.get("targets") or () if name in theirs]
    if both:
        return f"It restores {listed(both)} too."
    return "It restores other tables, but foreign keys may tie them: restores take turns."
