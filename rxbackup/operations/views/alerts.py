"""The values that tell about alerts and freshness; doors take them from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AlertView:
    """Something that wants a person.

    Attributes:
        kind: failure, overdue, radar, verification-failed, store-nearly-full or schedule-paused.
        about: the id of a schedule or a backup, the name of a store; empty for the whole.
        title: a few words.
        severity: notice, warning or critical.
        facts: names and values, in the order in which to read them.
        solved_by: an email, or `system` where it was found to be over.
    """

    id: str
    kind: str
    about: str
    title: str
    severity: str
    message: str
    hint: str
    facts: tuple[tuple[str, str], ...]
    details: Mapping[str, Any]
    raised_at: datetime
    solved_at: datetime | None
    solved_by: str | None


@dataclass(frozen=True, slots=True)
class FreshnessView:
    """How fresh the backups of a schedule are, or all of them.

    Attributes:
        schedule_id, schedule: whose; empty for the whole.
        state: ok, late or never; paused for a schedule that rests.
        last_good_at: the instant whose rows the newest complete backup holds.
        last_proven_at: when a backup was last read back to the last row, or restored by a drill, and found whole.
        next_due_at: when the next one is due.
        late_from: the moment from which it counts as late.
        sentence: the same for people.
        zone: IANA name of the zone by whose clocks the next one is due; empty where none is.
    """

    schedule_id: str
    schedule: str
    state: str
    last_good_at: datetime | None
    last_proven_at: datetime | None
    next_due_at: datetime | None
    late_from: datetime | None
    sentence: str
    zone: str = ""
