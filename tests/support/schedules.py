"""Schedules in tests: the database's clock is turned, and runs that were queued are performed by hand."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from rxbackup.access.actor import Actor
from rxbackup.cadence.rules import Rule, daily
from rxbackup.operations import occurrences, schedules
from rxbackup.operations.services import Services
from rxbackup.operations.views import NewSchedule, OccurrenceView, ScheduleView
from rxbackup.worker.dispatch import perform_job
from tests.support.installation import Installation

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class DatabaseClock:
    """What `SELECT now()` would say; it stands still until it is turned."""

    now: datetime = MONDAY

    def __call__(self, session: Session) -> datetime:
        del session
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class TimeMachine:
    """An installation, the clock of its database, and who does what is due."""

    installation: Installation
    clock: DatabaseClock = field(default_factory=DatabaseClock)

    @property
    def services(self) -> Services:
        return dataclasses.replace(self.installation.services, database_clock=self.clock)

    def add(self, admin: Actor, name: str = "Nightly", rule: Rule | None = None, **values: object) -> ScheduleView:
        return schedules.add_schedule(self.services, admin, NewSchedule(name, rule or daily("02:00"), **values))  # type: ignore[arg-type]

    def look(self) -> int:
        """One look at the clock, as the scheduler takes it every minute; how many backups were queued."""
        queued = occurrences.queue_due_backups(self.services, Actor.system())
        occurrences.settle_occurrences(self.services, Actor.system())
        return queued

    def work(self) -> None:
        """Perform what is queued, as a worker would, and look again."""
        jobs, self.installation.queue.jobs[:] = list(self.installation.queue.jobs), []
        for job_id, kind in jobs:
            perform_job(self.services, job_id, kind)
        occurrences.settle_occurrences(self.services, Actor.system())

    def to(self, moment: datetime) -> None:
        """Turn the clock there, minute by minute where something is due and in one go where nothing is."""
        self.clock.now = moment

    def states(self, name: str = "Nightly") -> list[tuple[str, datetime]]:
        """States and due moments, oldest first."""
        return [(each.state, each.due_at) for each in reversed(self.runs(name))]

    def runs(self, name: str = "Nightly") -> tuple[OccurrenceView, ...]:
        schedule = schedules.show_schedule(self.services, Actor.system(), name)
        return occurrences.list_occurrences(self.services, Actor.system(), schedule.id)
