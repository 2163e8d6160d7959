"""The values that tell about schedules, their runs and what they keep; doors take them from `views`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rxbackup.cadence.rules import Rule
from rxbackup.retention.policy import Policy


@dataclass(frozen=True, slots=True)
class NewSchedule:
    """What somebody wants backed up by itself.

    Attributes:
        rule: the local times of `zone` at which it is due.
        zone: IANA name.
        groups: None is everything.
        copies: further stores.
        policy: how long its backups are kept.
        full_every: one of so many backups reads every row again; None leaves that to the engine.
        jitter_minutes: it begins up to so much later, each due moment by an amount of its own.
    """

    name: str
    rule: Rule
    zone: str = "UTC"
    description: str = ""
    groups: tuple[str, ...] | None = None
    store: str = "database"
    copies: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    full_every: int | None = None
    jitter_minutes: int = 0


@dataclass(frozen=True, slots=True)
class OccurrenceView:
    """One due moment of a schedule and what became of it.

    Attributes:
        state: queued, running, done, failed, missed or skipped; as its run is now.
        message: what came of it, or why nothing did; for people.
        missed: how many due moments before this one had no run that this one makes up for; where the state is missed,
            how many this line stands for.
        by: who asked for it, where it was not due by itself.
    """

    schedule_id: str
    schedule: str
    due_at: datetime
    state: str
    message: str
    missed: int
    job_id: str | None
    backup_id: str | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule: what it does, in values and in words.

    Attributes:
        sentence: all of what it does, for people.
        when: the rule in words.
        keeps: the policy in words.
        cadence, policy: the same as plain values.
        owner: in whose name, and with whose rights, its backups are taken.
        paused_because: why it rests, where nobody paused it by hand.
        next_at: when its next run begins; None while it is paused, or if it is never due again.
        coming: its next due moments, UTC, also while it is paused.
        last: what became of its latest due moment.
        is_running: whether a backup of it is waiting or running.
        backups: how many complete ones there are, the trash not counted.
    """

    id: str
    name: str
    description: str
    sentence: str
    when: str
    keeps: str
    cadence: Mapping[str, Any]
    policy: Mapping[str, int]
    zone: str
    groups: tuple[str, ...] | None
    store: str
    copies: tuple[str, ...]
    full_every: int | None
    jitter_minutes: int
    active: bool
    paused_because: str
    owner: str
    created_at: datetime
    next_at: datetime | None
    coming: tuple[datetime, ...]
    last: OccurrenceView | None
    is_running: bool
    backups: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a schedule would do, before it is saved: in a sentence, and its first due moments (UTC)."""

    sentence: str
    coming: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class JudgedView:
    """One backup as its schedule's policy sees it.

    Attributes:
        reasons: why it is kept, in words; none where it goes.
        until: when it goes if backups go on as they are asked to; None where that depends on those to come.
        going: whether it goes to the trash.
    """

    id: str
    name: str
    when: datetime
    verified: bool
    stored_bytes: int
    reasons: tuple[str, ...]
    until: datetime | None
    going: bool


@dataclass(frozen=True, slots=True)
class RetentionView:
    """What a policy makes of the backups of a schedule, newest first.

    `held` says why nothing goes now, whatever the policy says; "" where it decides.
    """

    schedule: str
    keeps: str
    held: str
    backups: tuple[JudgedView, ...]

    @property
    def going(self) -> tuple[JudgedView, ...]:
        """Those that go to the trash."""
        return tuple(each for each in self.backups if each.going)
