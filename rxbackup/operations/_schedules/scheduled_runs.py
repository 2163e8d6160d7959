"""One run of a schedule: the backup that it wants now, and whether another one is still under way."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.cadence.due import zone_of
from rxbackup.operations._backups.taking import LONGEST_NAME
from rxbackup.operations._backups.wishing import parameters_of
from rxbackup.operations._runs.queueing import write_job
from rxbackup.operations.views import NewBackup
from rxbackup.operations.wording import moment
from rxbackup.tables.system import Backup, Job, Occurrence, Schedule


def run_under_way(session: Session, schedule_id: UUID) -> tuple[datetime, str] | None:
    """The due moment and the state of the schedule's backup that is waiting or running, if there is one."""
    return session.exec(
        select(Occurrence.due_at, Job.state)
        .join(Job, col(Job.id) == col(Occurrence.job_id))
        .where(col(Occurrence.schedule_id) == schedule_id, col(Job.state).in_(["queued", "running"]))
        .order_by(col(Occurrence.due_at).desc())
    ).first()


def queue_run(session: Session, schedule: Schedule, actor: Actor, due: datetime, job_id: UUID) -> None:
    """Write the job of a schedule's backup, in the caller's transaction and as its last act."""
    new = NewBackup(
        name=_free_name(session, f"{schedule.name} {moment(due.astimezone(zone_of(schedule.zone)))}"),
        description=schedule.description or "",
        groups=None if schedule.groups is None else tuple(schedule.groups),
        store=schedule.store,
        full=_wants_full(session, schedule),
        trigger="schedule",
        copies=tuple(schedule.copy_to),
        schedule_id=str(schedule.id),
    )
    write_job(session, actor, "backup", parameters_of(new, str(uuid4())), job_id=job_id)


def _wants_full(session: Session, schedule: Schedule) -> bool:
    """Whether none of the last good runs but one was full."""
    if schedule.full_every is None:
        return False
    recent = session.exec(
        select(col(Job.parameters)["full"].as_boolean())
        .join(Occurrence, col(Occurrence.job_id) == col(Job.id))
        .where(col(Occurrence.schedule_id) == schedule.id, col(Job.state) == "succeeded")
        .order_by(col(Occurrence.due_at).desc())
        .limit(schedule.full_every - 1)
    ).all()
    return not any(recent)


def _free_name(session: Session, wanted: str) -> str:
    number, end = 1, ""
    while True:
        name = wanted[: LONGEST_NAME - len(end)] + end
        if session.exec(select(Backup.id).where(col(Backup.name) == name).limit(1)).first() is None:
            return name
        number += 1
        end = f" ({number})"
