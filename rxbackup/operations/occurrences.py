"""What is due: claim it once, queue its backup, and write down what became of it.

The database's clock decides, and a row that can be inserted only once: any number of instances may look at the same
moment. What was missed while nobody looked is made up for by one backup, never by a burst.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, or_, select

from rxbackup import audit
from rxbackup.access.actor import CONSOLE_EMAIL, SYSTEM_EMAIL, Actor, Door
from rxbackup.access.roles import Permission, Role
from rxbackup.errors import DatabaseTrouble, RxbackupError
from rxbackup.operations._people import role_of
from rxbackup.operations._runs.process import this_process
from rxbackup.operations._runs.queueing import hand_over
from rxbackup.operations._schedules.retaining import retain
from rxbackup.operations._schedules.schedule_rows import come_to, occurrences_of
from rxbackup.operations._schedules.scheduled_runs import queue_run, run_under_way
from rxbackup.operations._schedules.timetable import Due, Timetable, timetable_of
from rxbackup.operations._telling.alerting import CRITICAL, raise_alert
from rxbackup.operations._telling.noticing import notice_ended
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.verifications import request_verify
from rxbackup.operations.views import OccurrenceView
from rxbackup.operations.wording import counted, moment
from rxbackup.tables.system import Job, Occurrence, Schedule

__all__ = ["OccurrenceView", "list_occurrences", "queue_due_backups", "settle_occurrences"]

_LATE = timedelta(minutes=10)
_ASLEEP = "Nobody looked at the clock: the app did not run, or could not reach its database."

_logger = logging.getLogger(__name__)


@requires(Permission.VIEW)
def list_occurrences(
    services: Services, actor: Actor, schedule_id: str | None = None, *, limit: int = 50
) -> tuple[OccurrenceView, ...]:
    """The latest due moments of one schedule, or of all, newest first, and what became of them."""
    with services.system.session(actor.identity) as session:
        return occurrences_of(session, UUID(schedule_id) if schedule_id else None, limit=max(1, min(limit, 500)))


@requires(Permission.ADMINISTER)
def queue_due_backups(services: Services, actor: Actor) -> int:
    """Queue one backup for each schedule that is due.

    Returns:
        How many were queued here; another instance may have been quicker.
    """
    queued = []
    for schedule_id in _ready(services, actor):
        try:
            job_id = _claim(services, actor, schedule_id)
            if job_id is not None:
                queued.append(job_id)
                hand_over(services, job_id, "backup")
        except RxbackupError as error:
            # The others are due all the same. A job that was not handed over is found by `reap_dead_jobs`.
            _logger.warning("Schedule %s: %s", schedule_id, error.message)
    return len(queued)


@requires(Permission.ADMINISTER)
def settle_occurrences(services: Services, actor: Actor) -> int:
    """Write down what became of runs that have ended.

    After a good one its schedule removes what it keeps no more, and the structure of the new backup is verified.

    Returns:
        How many ended.
    """
    with services.system.session(actor.identity) as session:
        ended = session.exec(
            select(Occurrence, Job)
            .join(Job, col(Job.id) == col(Occurrence.job_id), isouter=True)
            .where(
                col(Occurrence.state) == "queued",
                or_(col(Job.id).is_(None), col(Job.state).not_in(["queued", "running"])),
            )
            .with_for_update(of=Occurrence, skip_locked=True)
        ).all()
        for occurrence, job in ended:
            state, message = come_to(occurrence, job)
            occurrence.state, occurrence.message = state, message or None
            session.add(occurrence)
        good = {
            occurrence.schedule_id: str(job.parameters.get("backup_id"))
            for occurrence, job in ended
            if job is not None and occurrence.state == "done"
        }
    if good:
        # Nothing is removed before the radar has seen the newest backup.
        notice_ended(services, actor.identity)
    for schedule_id, backup_id in good.items():
        try:
            retain(services, actor, schedule_id)
            request_verify(services, actor, backup_id, level="structure")
        except RxbackupError as error:
            _logger.warning("After the backup of schedule %s: %s", schedule_id, error.message)
    return len(ended)


def _ready(services: Services, actor: Actor) -> list[UUID]:
    """The schedules that are due; what their rows say about the next time is brought up to date on the way."""
    ready = []
    with services.system.session(actor.identity) as session:
        now = services.database_clock(session)
        for schedule in session.exec(select(Schedule).where(col(Schedule.active))):
            try:
                timetable = timetable_of(schedule)
            except RxbackupError as error:
                _logger.warning("Schedule %s: %s", schedule.name, error.message)
                continue
            seen = schedule.last_due_at
            if seen is None or seen > now:
                # The clock was ahead when somebody last looked. What ran then cannot be claimed again.
                seen = now
                _move(session, schedule, last_due_at=now)
            if timetable.due_now(seen, now):
                ready.append(schedule.id)
            elif schedule.next_due_at != (expected := timetable.next_at(seen)):
                # The rules of a time zone may change from one release of the zones to the next.
                _move(session, schedule, next_due_at=expected)
    return ready


def _move(session: Session, schedule: Schedule, **values: datetime | None) -> None:
    unchanged = (col(Schedule.last_due_at).is_not_distinct_from(schedule.last_due_at), col(Schedule.active))
    session.exec(update(Schedule).where(col(Schedule.id) == schedule.id, *unchanged).values(**values))


def _claim(services: Services, actor: Actor, schedule_id: UUID) -> UUID | None:
    """Deal with all that is due of one schedule; the job, if there is one now."""
    with services.system.session(actor.identity) as session:
        schedule = session.exec(
            select(Schedule)
            .where(col(Schedule.id) == schedule_id, col(Schedule.active))
            .with_for_update(skip_locked=True)
        ).first()
        if schedule is None:
            return None
        now = services.database_clock(session)
        timetable = timetable_of(schedule)
        due = timetable.due_now(schedule.last_due_at or now, now)
        if due is None:
            return None
        schedule.last_due_at = due.latest
        schedule.next_due_at = timetable.next_at(due.latest)
        session.add(schedule)
        session.flush()
        if due.earlier:
            _write_gap(session, timetable, due)
        return _begin(services, session, schedule, due, now)


def _begin(services: Services, session: Session, schedule: Schedule, due: Due, now: datetime) -> UUID | None:
    owner = _owner(services, session, schedule)
    other = run_under_way(session, schedule.id)
    if owner is None:
        because = f"{schedule.created_by}, in whose name it ran, has no account of an admin any more."
        if _insert(session, schedule, due, state="skipped", message=because):
            _pause(session, schedule, because)
        return None
    if other is not None:
        begun, state = other
        still = "still waits for a worker" if state == "queued" else "is still running"
        _insert(session, schedule, due, state="skipped", message=f"The backup due {moment(begun)} UTC {still}.")
        return None
    job_id = uuid4()
    if not _insert(session, schedule, due, state="queued", message=_lateness(due, now), job_id=job_id):
        return None
    queue_run(session, schedule, owner, due.latest, job_id)
    return job_id


def _insert(session: Session, schedule: Schedule, due: Due, **values: Any) -> bool:
    """Claim the due moment; False if it was claimed before.

    One that was written down as missed was not: the clock was ahead then, and has been set back.
    """
    claim = {"missed": due.earlier, "claimed_by": this_process(), **values}
    statement = (
        insert(Occurrence)
        .values(schedule_id=schedule.id, due_at=due.latest, **claim)
        .on_conflict_do_update(
            index_elements=["schedule_id", "due_at"], set_=claim, where=col(Occurrence.state) == "missed"
        )
        .returning(col(Occurrence.due_at))
    )
    return session.connection().execute(statement).first() is not None


def _write_gap(session: Session, timetable: Timetable, due: Due) -> None:
    """One line for all that was missed before the one that is made up for."""
    last = moment(due.latest.astimezone(timetable.zone))
    message = f"{_ASLEEP} The backup due {last} makes up for {counted(due.earlier, 'one', 'all')}."
    values = {"state": "missed", "missed": due.earlier, "message": message, "claimed_by": this_process()}
    statement = insert(Occurrence).values(schedule_id=timetable.schedule_id, due_at=due.first, **values)
    session.connection().execute(statement.on_conflict_do_nothing())


def _lateness(due: Due, now: datetime) -> str:
    if not due.earlier and now - due.latest < _LATE:
        return ""
    missed = f", for {counted(due.earlier, 'earlier one')} as well" if due.earlier else ""
    return f"Made up for at {moment(now)} UTC{missed}. {_ASLEEP}"


def _owner(services: Services, session: Session, schedule: Schedule) -> Actor | None:
    """In whose name it runs; None if that is no admin any more."""
    email = schedule.created_by
    try:
        is_admin = email in {SYSTEM_EMAIL, CONSOLE_EMAIL} or role_of(services, session, email) == Role.ADMIN
    except DatabaseTrouble:
        # Nobody can say just now. The worker asks again before it begins.
        is_admin = True
    return Actor(email, Role.ADMIN, door=Door.SYSTEM) if is_admin else None


def _pause(session: Session, schedule: Schedule, because: str) -> None:
    schedule.active, schedule.paused_because, schedule.next_due_at = False, because, None
    session.add(schedule)
    session.flush()
    hint = f"An admin takes it over with `rxbackup schedule resume {schedule.name}`."
    message = f'The schedule "{schedule.name}" is paused: {because}'
    about = str(schedule.id)
    raise_alert(session, "schedule-paused", about, CRITICAL, message, hint, details={"schedule": schedule.name})
    audit.append(
        session,
        actor=SYSTEM_EMAIL,
        action="schedule.paused",
        object_type="schedule",
        object_id=about,
        details={"name": schedule.name, "because": because},
    )
