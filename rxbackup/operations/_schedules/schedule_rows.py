"""Between rows and views: schedules and their runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from rxbackup.cadence.words import in_words
from rxbackup.errors import NotFound, UsageError
from rxbackup.operations._schedules.timetable import timetable_of
from rxbackup.operations.views.schedules import NewSchedule, OccurrenceView, ScheduleView
from rxbackup.operations.wording import counted
from rxbackup.retention.policy import policy_from_json
from rxbackup.tables.system import Backup, Job, Occurrence, Schedule

COMING = 5
"""So many due moments are foretold."""


def find_schedule(session: Session, name: str, *, lock: bool = False) -> Schedule:
    """A schedule by its name or its id.

    Raises:
        NotFound: there is none.
    """
    statement = select(Schedule).where(col(Schedule.name) == name.strip())
    found = session.exec(statement.with_for_update() if lock else statement).first()
    if found is None and (known := _as_id(name)) is not None:
        found = session.get(Schedule, known, with_for_update=lock)
    if found is None:
        raise NotFound(f"There is no schedule {name[:80]!r}.", hint="`rxbackup schedule list` shows them all.")
    return found


def schedule_views(session: Session, schedules: Sequence[Schedule], now: datetime) -> tuple[ScheduleView, ...]:
    """The views of schedules, as they are now by the database's clock; as many questions for all as for one."""
    ids = [schedule.id for schedule in schedules]
    last = {UUID(each.schedule_id): each for each in _latest_of(session, ids)}
    running = _running_of(session, ids)
    backups = _counts_of(session, ids)
    return tuple(
        _view(each, now, last.get(each.id), is_running=each.id in running, backups=backups.get(each.id, 0))
        for each in schedules
    )


def schedule_view(session: Session, schedule: Schedule, now: datetime) -> ScheduleView:
    """The view of one schedule."""
    return schedule_views(session, [schedule], now)[0]


def _view(
    schedule: Schedule, now: datetime, last: OccurrenceView | None, *, is_running: bool, backups: int
) -> ScheduleView:
    policy = policy_from_json(schedule.retention)
    coming: tuple[datetime, ...] = ()
    next_at = None
    try:
        timetable = timetable_of(schedule)
        when = in_words(timetable.rule)
        coming = timetable.coming(now, COMING)
        if schedule.active:
            next_at = timetable.next_at(min(schedule.last_due_at or now, now))
    except UsageError as error:
        # A zone that the next release of the zones does not know must not take the whole list away.
        when = error.message
    return ScheduleView(
        id=str(schedule.id),
        name=schedule.name,
        description=schedule.description or "",
        sentence=_sentence(when, schedule),
        when=when,
        keeps=policy.in_words(),
        cadence=dict(schedule.cadence),
        policy=policy.as_json(),
        zone=schedule.zone,
        groups=None if schedule.groups is None else tuple(schedule.groups),
        store=schedule.store,
        copies=tuple(schedule.copy_to),
        full_every=schedule.full_every,
        jitter_minutes=schedule.jitter_minutes,
        active=schedule.active,
        paused_because=schedule.paused_because or "",
        owner=schedule.created_by,
        created_at=schedule.created_at,
        next_at=next_at,
        coming=coming,
        last=last,
        is_running=is_running,
        backups=backups,
    )


def sentence_of(wanted: NewSchedule) -> str:
    """All of what a schedule does: "Every day at 02:00 (UTC): back up everything to database. Keep 30 days …"."""
    return _sentence(in_words(wanted.rule), wanted)


def _sentence(when: str, told: NewSchedule | Schedule) -> str:
    copies = told.copies if isinstance(told, NewSchedule) else told.copy_to
    policy = told.policy if isinstance(told, NewSchedule) else policy_from_json(told.retention)
    what = "everything" if told.groups is None else ", ".join(told.groups)
    where = f"{told.store}, with a copy in {' and '.join(copies)}" if copies else told.store
    parts = [f"{when} ({told.zone}): back up {what} to {where}."]
    if told.jitter_minutes:
        parts.append(f"It begins up to {counted(told.jitter_minutes, 'minute')} later.")
    if told.full_every is not None:
        every = "Every one" if told.full_every == 1 else f"One of {told.full_every}"
        parts.append(f"{every} reads all rows again.")
    return " ".join([*parts, f"{policy.in_words()}."])


def occurrences_of(session: Session, schedule_id: UUID | None, *, limit: int) -> tuple[OccurrenceView, ...]:
    """The latest due moments, newest first, of one schedule or of all."""
    statement = _told().order_by(col(Occurrence.due_at).desc(), col(Occurrence.schedule_id)).limit(limit)
    if schedule_id is not None:
        statement = statement.where(col(Occurrence.schedule_id) == schedule_id)
    return tuple(_occurrence_view(*row) for row in session.exec(statement))


def come_to(occurrence: Occurrence, job: Job | None) -> tuple[str, str]:
    """State and message of a due moment as its run makes them now, written down already or not."""
    message = occurrence.message or ""
    if occurrence.state not in {"claimed", "queued"} or occurrence.job_id is None:
        return occurrence.state, message
    if job is None:
        return "failed", "Its run is not known any more."
    if job.state in {"queued", "running"}:
        return job.state, message
    told = (job.result if job.state == "succeeded" else job.error) or {}
    parts = (message, str(told.get("message", "")))
    return "done" if job.state == "succeeded" else "failed", " ".join(part for part in parts if part)


def _told() -> Select[Occurrence, str, Job | None]:
    return (
        select(Occurrence, Schedule.name, Job)
        .join(Schedule, col(Schedule.id) == col(Occurrence.schedule_id))
        .join(Job, col(Job.id) == col(Occurrence.job_id), isouter=True)
    )


def _latest_of(session: Session, ids: Sequence[UUID]) -> list[OccurrenceView]:
    latest = (
        select(Occurrence.schedule_id, func.max(Occurrence.due_at))
        .where(col(Occurrence.schedule_id).in_(ids))
        .group_by(col(Occurrence.schedule_id))
    )
    statement = _told().where(tuple_(col(Occurrence.schedule_id), col(Occurrence.due_at)).in_(latest))
    return [_occurrence_view(*row) for row in session.exec(statement)]


def _running_of(session: Session, ids: Sequence[UUID]) -> frozenset[UUID]:
    statement = (
        select(Occurrence.schedule_id)
        .join(Job, col(Job.id) == col(Occurrence.job_id))
        .where(col(Occurrence.schedule_id).in_(ids), col(Job.state).in_(["queued", "running"]))
    )
    return frozenset(session.exec(statement))


def _counts_of(session: Session, ids: Sequence[UUID]) -> dict[UUID | None, int]:
    statement = (
        select(Backup.schedule_id, func.count())
        .where(col(Backup.schedule_id).in_(ids), col(Backup.state) == "complete", col(Backup.trashed_at).is_(None))
        .group_by(col(Backup.schedule_id))
    )
    return dict(session.exec(statement).all())


def _occurrence_view(occurrence: Occurrence, name: str, job: Job | None) -> OccurrenceView:
    by = occurrence.claimed_by or ""
    state, message = come_to(occurrence, job)
    return OccurrenceView(
        schedule_id=str(occurrence.schedule_id),
        schedule=name,
        due_at=occurrence.due_at,
        state=state,
        message=message,
        missed=occurrence.missed,
        job_id=str(occurrence.job_id) if occurrence.job_id else None,
        backup_id=(job.parameters or {}).get("backup_id") if job else None,
        # An instance's own name is nobody's email.
        by=by if "@" in by and "|" not in by else "",
    )


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name.strip())
    except ValueError:
        return None
