"""Becoming the one who performs a job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, text, update
from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.errors import Busy
from rxbackup.operations._process import is_known_dead, this_process
from rxbackup.operations.services import Services
from rxbackup.tables.system import Job

SILENCE_SECONDS = 30.0
"""A job whose heartbeat is older is believed dead."""
_EXCLUSIVE_LOCK = 0x7278_6A6F


def claim_job(services: Services, actor: Actor, kind: str, parameters: Mapping[str, Any], job_id: str | None) -> UUID:
    """Make a running job, or take the queued one; its id.

    Raises:
        Busy: somebody else took it, it was cancelled, or it must run alone and another one runs.
    """
    now = func.clock_timestamp()
    with services.system.session("system") as session:
        if kind == "restore":
            _refuse_second(session, kind)
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


def _refuse_second(session: Session, kind: str) -> None:
    # The lock makes two beginners take turns; the row of the first refuses the second.
    session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _EXCLUSIVE_LOCK})
    silent = func.clock_timestamp() - timedelta(seconds=SILENCE_SECONDS)
    others = session.exec(
        select(Job.actor, Job.worker).where(
            col(Job.kind) == kind, col(Job.state) == "running", col(Job.heartbeat_at) > silent
        )
    )
    for actor, worker in others:
        if not is_known_dead(worker):
            raise Busy(f"A {kind} started by {actor} is running.", hint="Wait until it is through, or cancel it.")
