"""When the runs of a schedule begin: its rule in its zone, and a patience that differs from run to run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from rxbackup.cadence.due import due_after, missed_between, next_due, zone_of
from rxbackup.cadence.rules import Rule, rule_from_json
from rxbackup.tables.system import Schedule

_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now.

    Attributes:
        first: the earliest due moment that nobody dealt with.
        latest: the one whose run makes up for all; equal to `first` where nothing was missed.
        earlier: how many there are before `latest`.
    """

    first: datetime
    latest: datetime
    earlier: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """The due moments of one schedule, in UTC, and when their runs begin."""

    schedule_id: UUID
    rule: Rule
    zone: ZoneInfo
    jitter_minutes: int = 0

    def coming(self, after: datetime, count: int) -> tuple[datetime, ...]:
        """The next due moments."""
        return tuple(islice(due_after(self.rule, self.zone, after), count))

    def begins_at(self, due: datetime) -> datetime:
        """When the run of a due moment begins: the same for whoever asks, whenever."""
        if not self.jitter_minutes:
            return due
        seed = sha256(f"{self.schedule_id} {due.timestamp():.0f}".encode()).digest()
        return due + timedelta(seconds=int.from_bytes(seed[:8]) % (self.jitter_minutes * 60))

    def next_at(self, after: datetime) -> datetime | None:
        """When the next run begins if everything due until `after` is dealt with."""
        due = next_due(self.rule, self.zone, after)
        return self.begins_at(due) if due else None

    def due_now(self, after: datetime, now: datetime) -> Due | None:
        """What has to begin now if everything due until `after` is dealt with; None if nothing."""
        missed = missed_between(self.rule, self.zone, after, now)
        if missed and self.begins_at(missed.latest) > now:
            # No patience is as long as the time between two runs: the one before has none left.
            missed = missed_between(self.rule, self.zone, after, missed.latest - _A_MOMENT)
        if missed is None:
            return None
        first = next_due(self.rule, self.zone, after) or missed.latest
        return Due(min(first, missed.latest), missed.latest, missed.earlier)


def timetable_of(schedule: Schedule) -> Timetable:
    """The timetable of a row.

    Raises:
        UsageError: somebody wrote a rule or a zone into the row that is none.
    """
    return Timetable(schedule.id, rule_from_json(schedule.cadence), zone_of(schedule.zone), schedule.jitter_minutes)
