"""From what somebody wants to the row of a schedule: refused where it makes no sense."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from rxbackup.cadence.due import refuse_if_too_often, zone_of
from rxbackup.errors import Refused, UsageError
from rxbackup.operations._backups.wishing import check_wish
from rxbackup.operations._schedules.timetable import Timetable
from rxbackup.operations.services import Services
from rxbackup.operations.views import NewBackup, NewSchedule
from rxbackup.tables.system import Schedule

_LONGEST_NAME = 200
"""A backup's name is this, and a moment."""
_LONGEST_JITTER = 720
_MOST_BETWEEN_FULL = 10_000
_LOOK_AT = 200


def check_schedule(services: Services, identity: str, new: NewSchedule) -> None:
    """Refuse what no schedule can be made of.

    Raises:
        UsageError: a value makes no sense, or a group is unknown.
        NotFound: a store is unknown.
    """
    zone_of(new.zone)
    name = new.name.strip()
    if not name:
        raise UsageError("The schedule needs a name.", hint='For example "Nightly".')
    if len(name) > _LONGEST_NAME:
        raise UsageError(f"The name has {len(name)} characters; at most {_LONGEST_NAME} fit.", hint="Shorten it.")
    if new.full_every is not None and not 1 <= new.full_every <= _MOST_BETWEEN_FULL:
        raise UsageError(
            f"One full backup in {new.full_every} makes no sense.", hint=f"Write 1 to {_MOST_BETWEEN_FULL}."
        )
    if not 0 <= new.jitter_minutes <= _LONGEST_JITTER:
        raise UsageError(
            f"A schedule cannot begin {new.jitter_minutes} minutes later.", hint=f"Write 0 to {_LONGEST_JITTER}."
        )
    check_wish(
        services,
        identity,
        NewBackup(name, new.description, groups=new.groups, store=new.store, copies=new.copies),
    )


def check_times(timetable: Timetable, now: datetime) -> None:
    """Refuse a rule that is never due or due too often, and a patience that lasts to the next run.

    Raises:
        UsageError: with the reason.
    """
    refuse_if_too_often(timetable.rule, timetable.zone, now)
    shortest = min((b - a for a, b in pairwise(timetable.coming(now, _LOOK_AT))), default=None)
    if shortest is not None and timedelta(minutes=timetable.jitter_minutes) >= shortest:
        minutes = int(shortest.total_seconds() // 60)
        raise UsageError(
            f"It may begin {timetable.jitter_minutes} minutes later, but is due again after {minutes}.",
            hint=f"Write less than {minutes} minutes.",
        )


def check_free(session: Session, name: str) -> None:
    """Refuse the name of another schedule.

    Raises:
        Refused: there is one.
    """
    if session.exec(select(Schedule.id).where(col(Schedule.name) == name.strip())).first() is not None:
        raise Refused(f"There is a schedule named {name.strip()!r} already.", hint="Choose another name.")


def wanted_timetable(new: NewSchedule, schedule_id: UUID) -> Timetable:
    """The timetable that the schedule would have."""
    return Timetable(schedule_id, new.rule, zone_of(new.zone), new.jitter_minutes)


def begin_anew(schedule: Schedule, timetable: Timetable, now: datetime) -> None:
    """Count from now on: nothing before is due."""
    schedule.last_due_at = now
    schedule.next_due_at = timetable.next_at(now) if schedule.active else None


def values_of(new: NewSchedule) -> dict[str, Any]:
    """The values of the row, but for those of who wants it and of when it is due."""
    return {
        "name": new.name.strip(),
        "description": new.description or None,
        "cadence": new.rule.as_json(),
        "zone": new.zone,
        "groups": None if new.groups is None else list(new.groups),
        "store": new.store,
        "copy_to": list(new.copies),
        "retention": new.policy.as_json(),
        "full_every": new.full_every,
        "jitter_minutes": new.jitter_minutes,
    }
