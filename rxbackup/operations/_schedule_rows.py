"""Between rows and views: schedules and their runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from rxbackup.cadence.words import in_words
from rxbackup.errors import NotFound
from rxbackup.operations._timetable import timetable_of
from rxbackup.operations.schedule_views import NewSchedule, OccurrenceView, ScheduleView
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
    timetable = timetable_of(schedule)
    policy = policy_from_json(schedule.retention)
    wanted = NewSchedule(
        name=schedule.name,
        rule=timetable.rule,
        zone=schedule.zone,
        description=schedule.description or "",
        groups=None if schedule.groups is None else tuple(schedule.groups),
        store=schedule.store,
        copies=tuple(schedule.copy_to),
        policy=policy,
        full_every=schedule.full_every,
        jitter_minutes=schedule.jitter_minutes,
    )
    seen = schedule.last_due_at or now
    return ScheduleView(
        id=str(schedule.id),
        name=schedule.name,
        description=wanted.description,
        sentence=sentence_of(wanted),
        when=in_words(timetable.rule),
        keeps=policy.in_words(),
        cadence=timetable.rule.as_json(),
        policy=policy.as_json(),
        zone=schedule.zone,
        groups=wanted.groups,
        store=schedule.store,
        copies=wanted.copies,
        full_every=schedule.full_every,
        jitter_minutes=schedule.jitter_minutes,
        active=schedule.active,
        paused_because=schedule.paused_because or "",
        owner=schedule.created_by,
        created_at=schedule.created_at,
        next_at=timetable.next_at(min(seen, now)) if schedule.active else None,
        coming=timetable.coming(now, COMING),
        last=last,
        is_running=is_running,
        backups=backups,
    )


def sentence_of(wanted: NewSchedule) -> str:
    """All of what a schedule does: "Every day at 02:00 (UTC): back up everything to database. Keep 30 days …"."""
    what = "everything" if wanted.groups is None else ", ".join(wanted.groups)
    where = f"{wanted.store}, with a copy in {' and '.join(wanted.copies)}" if wanted.copies else wanted.store
    parts = [f"{in_words(wanted.rule)} ({wanted.zone}): back up {what} to {where}."]
    if wanted.jitter_minutes:
        parts.append(f"It begins up to {counted(wanted.jitter_minutes, 'minute')} later.")
    if wanted.full_every is not None:
        every = "Every one" if wanted.full_every == 1 else f"One of {wanted.full_every}"
        parts.append(f"{every} reads all rows again.")
    return " ".join([*parts, f"{wanted.policy.in_words()}."])


def occurrences_of(session: Session, schedule_id: UUID | None, *, limit: int) -> tuple[OccurrenceView, ...]:
    """The latest due moments, newest first, of one schedule or of all."""
    statement = _told().order_by(col(Occurrence.due_at).desc(), col(Occurrence.schedule_id)).limit(limit)
    if schedule_id is not None:
        statement = statement.where(col(Occurrence.schedule_id) == schedule_id)
    return tuple(_occurrence_view(*row) for row in session.exec(statement))


def _told() -> Select[tuple[Occurrence, str, str | None]]:
    return (
        select(Occurrence, Schedule.name, col(Job.parameters)["backup_id"].astext)
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


def _occurrence_view(occurrence: Occurrence, name: str, backup_id: str | None) -> OccurrenceView:
    by = occurrence.claimed_by or ""
    return OccurrenceView(
        schedule_id=str(occurrence.schedule_id),
        schedule=name,
        due_at=occurrence.due_at,
        state=occurrence.state,
        message=occurrence.message or "",
        missed=occurrence.missed,
        job_id=str(occurrence.job_id) if occurrence.job_id else None,
        backup_id=backup_id,
        # An instance's own name is nobody's email.
        by=by if "@" in by and "|" not in by else "",
    )


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name.strip())
    except ValueError:
        return None
