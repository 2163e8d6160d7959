"""Schedules: add, change, pause, resume, run now, delete. What is due is queued in `occurrences`."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import func
from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import CONSOLE_EMAIL, SYSTEM_EMAIL, Actor
from rxbackup.access.roles import Permission, Role
from rxbackup.errors import Busy, Refused
from rxbackup.operations._backups.catalogue import find_job, job_view
from rxbackup.operations._people import role_of
from rxbackup.operations._runs.queueing import hand_over
from rxbackup.operations._schedules.schedule_rows import (
    COMING,
    find_schedule,
    schedule_view,
    schedule_views,
    sentence_of,
)
from rxbackup.operations._schedules.scheduled_runs import queue_run, run_under_way
from rxbackup.operations._schedules.scheduling import (
    begin_anew,
    check_free,
    check_schedule,
    check_times,
    values_of,
    wanted_timetable,
)
from rxbackup.operations._schedules.timetable import timetable_of
from rxbackup.operations._telling.alerting import solve_alert
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import Forecast, JobView, NewSchedule, ScheduleView
from rxbackup.tables.system import Alert, Occurrence, Schedule

__all__ = [
    "Forecast",
    "NewSchedule",
    "ScheduleView",
    "add_schedule",
    "change_schedule",
    "delete_schedule",
    "foretell_schedule",
    "list_schedules",
    "pause_schedule",
    "resume_schedule",
    "run_schedule",
    "show_schedule",
]

_MOST = 500


@requires(Permission.VIEW)
def list_schedules(services: Services, actor: Actor) -> tuple[ScheduleView, ...]:
    """All schedules, by name."""
    with services.system.session(actor.identity) as session:
        rows = session.exec(select(Schedule).order_by(func.lower(col(Schedule.name)))).all()
        return schedule_views(session, rows, services.database_clock(session))


@requires(Permission.VIEW)
def show_schedule(services: Services, actor: Actor, name: str) -> ScheduleView:
    """One schedule, by its name or its id.

    Raises:
        NotFound: there is none.
    """
    with services.system.session(actor.identity) as session:
        return schedule_view(session, find_schedule(session, name), services.database_clock(session))


@requires(Permission.VIEW)
def foretell_schedule(services: Services, actor: Actor, new: NewSchedule) -> Forecast:
    """What a schedule would do; nothing is saved. Raises as `add_schedule`."""
    check_schedule(services, actor.identity, new)
    with services.system.session(actor.identity) as session:
        now = services.database_clock(session)
    timetable = wanted_timetable(new, uuid4())
    check_times(timetable, now)
    return Forecast(sentence_of(new), timetable.coming(now, COMING))


@requires(Permission.ADMINISTER)
def add_schedule(services: Services, actor: Actor, new: NewSchedule) -> ScheduleView:
    """Add a schedule. Its backups are taken in the name of who adds it, and with his rights.

    Raises:
        UsageError: a value makes no sense; says which.
        NotFound: a store is unknown.
        Refused: there is a schedule of that name already, or there are too many.
    """
    check_schedule(services, actor.identity, new)
    with services.system.session(actor.identity) as session:
        now = services.database_clock(session)
        check_free(session, new.name)
        if session.exec(select(func.count()).select_from(Schedule)).one() >= _MOST:
            raise Refused(f"There are {_MOST} schedules already.", hint="Delete one that is no longer needed.")
        schedule = Schedule(id=uuid4(), created_by=actor.email, created_at=now, **values_of(new))
        timetable = wanted_timetable(new, schedule.id)
        check_times(timetable, now)
        begin_anew(schedule, timetable, now)
        _save(session, actor, schedule, "schedule.added", now)
        return schedule_view(session, schedule, now)


@requires(Permission.ADMINISTER)
def change_schedule(services: Services, actor: Actor, name: str, new: NewSchedule) -> ScheduleView:
    """Give a schedule new values, all of them. Who changes it becomes the one in whose name it runs.

    With another rule or zone it counts from now on; otherwise nothing that is due is lost.

    Raises:
        NotFound: there is no such schedule.
        UsageError, Refused: as `add_schedule`.
    """
    check_schedule(services, actor.identity, new)
    with services.system.session(actor.identity) as session:
        schedule = find_schedule(session, name, lock=True)
        now = services.database_clock(session)
        if new.name.strip() != schedule.name:
            check_free(session, new.name)
        same_times = (schedule.cadence, schedule.zone) == (new.rule.as_json(), new.zone)
        for field, value in values_of(new).items():
            setattr(schedule, field, value)
        schedule.created_by = actor.email
        timetable = wanted_timetable(new, schedule.id)
        check_times(timetable, now)
        if same_times and schedule.last_due_at is not None:
            schedule.next_due_at = timetable.next_at(schedule.last_due_at) if schedule.active else None
        else:
            begin_anew(schedule, timetable, now)
        _save(session, actor, schedule, "schedule.changed", now)
        return schedule_view(session, schedule, now)


@requires(Permission.ADMINISTER)
def pause_schedule(services: Services, actor: Actor, name: str) -> ScheduleView:
    """Let a schedule rest; its settings stay. A backup that is running goes on.

    Raises:
        NotFound: there is no such schedule.
    """
    with services.system.session(actor.identity) as session:
        schedule = find_schedule(session, name, lock=True)
        now = services.database_clock(session)
        if schedule.active:
            schedule.active, schedule.paused_because, schedule.next_due_at = False, None, None
            _save(session, actor, schedule, "schedule.paused", now)
        return schedule_view(session, schedule, now)


@requires(Permission.ADMINISTER)
def resume_schedule(services: Services, actor: Actor, name: str) -> ScheduleView:
    """Let a schedule go on from now; what was due while it rested is not made up for.

    If it was paused because its owner is no admin any more, who resumes it becomes its owner.

    Raises:
        NotFound: there is no such schedule.
    """
    with services.system.session(actor.identity) as session:
        schedule = find_schedule(session, name, lock=True)
        now = services.database_clock(session)
        if not schedule.active:
            owner = schedule.created_by
            if owner not in {SYSTEM_EMAIL, CONSOLE_EMAIL} and role_of(services, session, owner) != Role.ADMIN:
                schedule.created_by = actor.email
            schedule.active, schedule.paused_because = True, None
            begin_anew(schedule, timetable_of(schedule), now)
            solve_alert(session, "schedule-paused", str(schedule.id), actor.email)
            _save(session, actor, schedule, "schedule.resumed", now)
        return schedule_view(session, schedule, now)


@requires(Permission.BACK_UP)
def run_schedule(services: Services, actor: Actor, name: str) -> JobView:
    """Queue a backup of a schedule now, in the name of who asks; also while the schedule is paused.

    Raises:
        NotFound: there is no such schedule.
        Busy: a backup of it is waiting or running.
    """
    job_id = uuid4()
    with services.system.session(actor.identity) as session:
        schedule = find_schedule(session, name, lock=True)
        other = run_under_way(session, schedule.id)
        if other is not None:
            raise Busy(f'A backup of "{schedule.name}" is {"waiting" if other[1] == "queued" else "running"} already.')
        now = services.database_clock(session)
        session.add(
            Occurrence(schedule_id=schedule.id, due_at=now, state="queued", claimed_by=actor.email, job_id=job_id)
        )
        queue_run(session, schedule, actor, now, job_id)
    hand_over(services, job_id, "backup")
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.ADMINISTER)
def delete_schedule(services: Services, actor: Actor, name: str) -> ScheduleView:
    """Delete a schedule and the trail of its runs. Its backups stay, and nothing removes them by itself any more.

    Raises:
        NotFound: there is no such schedule.
    """
    with services.system.session(actor.identity) as session:
        schedule = find_schedule(session, name, lock=True)
        view = schedule_view(session, schedule, services.database_clock(session))
        for kind in session.exec(
            select(Alert.kind).where(col(Alert.about) == view.id, col(Alert.solved_at).is_(None))
        ).all():
            solve_alert(session, kind, view.id, actor.email)
        session.delete(schedule)
        session.flush()
        _audit(session, actor, "schedule.deleted", schedule)
    return view


def _save(session: Session, actor: Actor, schedule: Schedule, action: str, now: datetime) -> None:
    schedule.updated_at = now
    session.add(schedule)
    session.flush()
    _audit(session, actor, action, schedule)


def _audit(session: Session, actor: Actor, action: str, schedule: Schedule) -> None:
    audit.append(
        session,
        actor=actor.email,
        action=action,
        object_type="schedule",
        object_id=str(schedule.id),
        details={
            "name": schedule.name,
            "cadence": schedule.cadence,
            "zone": schedule.zone,
            "retention": schedule.retention,
            "owner": schedule.created_by,
            "door": actor.door,
        },
    )
