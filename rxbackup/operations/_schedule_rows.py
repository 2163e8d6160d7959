"""Between rows and views: schedules and their runs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from rxbackup.cadence.words import in_words
from rxbackup.errors import NotFound
from rxbackup.operations._scheduled_runs import run_under_way
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


def schedule_view(session: Session, schedule: Schedule, now: datetime) -> ScheduleView:
    """The view of one schedule, as it is now by the database's clock."""
    timetable = timetable_of(schedule)
    policy = policy_from_json(schedule.retention)
    last = occurrences_of(session, schedule.id, limit=1)
    complete = (col(Backup.state) == "complete", col(Backup.trashed_at).is_(None))
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
        last=last[0] if last else None,
        is_running=run_under_way(session, schedule.id) is not None,
        backups=session.exec(
            select(func.count()).select_from(Backup).where(col(Backup.schedule_id) == schedule.id, *complete)
        ).one(),
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
    statement = (
        select(Occurrence, Schedule.name, col(Job.parameters)["backup_id"].astext)
        .join(Schedule, col(Schedule.id) == col(Occurrence.schedule_id))
        .join(Job, col(Job.id) == col(Occurrence.job_id), isouter=True)
        .order_by(col(Occurrence.due_at).desc(), col(Occurrence.schedule_id))
        .limit(limit)
    )
    if schedule_id is not None:
        statement = statement.where(col(Occurrence.schedule_id) == schedule_id)
    return tuple(_occurrence_view(each, name, backup_id) for each, name, backup_id in session.exec(statement))


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
