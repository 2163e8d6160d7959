"""From a wish to a queued job: written down first, then handed to whoever works."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, text, update
from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import RxbackupError
from rxbackup.operations._runs.failures import describe_error
from rxbackup.operations.services import Services
from rxbackup.tables.system import Job

_ONE_WISH_SECONDS = 10.0
_WISH_LOCK = 0x7278_7769


def queue_job(services: Services, actor: Actor, kind: str, parameters: Mapping[str, Any]) -> UUID:
    """Write a queued job and hand it to a worker.

    The same wish of the same person, twice within seconds, is one wish: a double click, a replayed event.
    """
    job_id = uuid4()
    with services.system.session(actor.identity) as session:
        same = just_asked(session, actor, kind, parameters)
        if same is not None:
            return same
        write_job(session, actor, kind, parameters, job_id=job_id)
    try:
        hand_over(services, job_id, kind)
    except RxbackupError as error:
        # Who asked is told that it failed; then it must not run later all the same.
        with services.system.session("system") as session:
            session.exec(
                update(Job)
                .where(col(Job.id) == job_id, col(Job.state) == "queued")
                .values(state="failed", finished_at=func.clock_timestamp(), error=describe_error(error))
            )
        raise
    return job_id


def write_job(session: Session, actor: Actor, kind: str, parameters: Mapping[str, Any], *, job_id: UUID) -> None:
    """Write a queued job in the caller's transaction; `hand_over` it once that is committed, or the scheduler does."""
    session.add(Job(id=job_id, kind=kind, actor=actor.email, parameters=dict(parameters), state="queued"))
    session.flush()
    audit.append(
        session,
        actor=actor.email,
        action=f"{kind}.requested",
        object_type=kind,
        object_id=parameters.get("backup_id"),
        details={"job": str(job_id), "door": actor.door},
    )


def just_asked(session: Session, actor: Actor, kind: str, parameters: Mapping[str, Any]) -> UUID | None:
    """The run of the same wish, if this actor made it seconds ago and it is not through."""
    lock = {"area": _WISH_LOCK, "who": f"{actor.email} {kind}"}
    session.connection().execute(text("SELECT pg_advisory_xact_lock(:area, hashtext(:who))"), lock)
    recent = session.exec(
        select(Job.id, Job.parameters).where(
            col(Job.actor) == actor.email,
            col(Job.kind) == kind,
            col(Job.state).in_(["queued", "running"]),
            col(Job.created_at) > func.clock_timestamp() - timedelta(seconds=_ONE_WISH_SECONDS),
        )
    )
    wished = _wish(kind, parameters)
    return next((job_id for job_id, asked in recent if _wish(kind, asked) == wished), None)


def _wish(kind: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked, as JSON gives it back; a backup's id is made anew for each request."""
    plain = dict(json.loads(json.dumps(dict(parameters))))
    return {name: value for name, value in plain.items() if not (kind == "backup" and name == "backup_id")}


def hand_over(services: Services, job_id: UUID, kind: str) -> None:
    """Put a queued job into the queue and note its number there. Doing it again changes nothing."""
    queue_id = services.queue(str(job_id), kind)
    if queue_id is None:
        return
    with services.system.session("system") as session:
        session.exec(update(Job).where(col(Job.id) == job_id).values(queue_id=queue_id))
