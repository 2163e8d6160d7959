"""Numbers about the installation; doors take them from here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from rxbackup.operations.views.alerts import FreshnessView
from rxbackup.operations.views.stores import StoreView


@dataclass(frozen=True, slots=True)
class RunCount:
    """How many runs of a kind ended so, or are still under way; `seconds` is what those that began took together."""

    kind: str
    state: str
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LatestBackup:
    """The newest complete backup that was taken here; no names, no rows."""

    taken_at: datetime
    rows: int
    tables: int
    raw_bytes: int
    stored_bytes: int
    seconds: float
    segments_total: int
    segments_read: int


@dataclass(frozen=True, slots=True)
class Measures:
    """What a monitoring wants to know at one moment.

    Attributes:
        freshness: the whole first, then each schedule.
        runs: of all time, by kind and state.
        backups: how many there are by state.
        alerts: open ones by kind and severity.
        messages: of the outbox by state.
        scheduler_at: when the scheduler's duties last ran to their end.
    """

    freshness: tuple[FreshnessView, ...]
    runs: tuple[RunCount, ...]
    backups: tuple[tuple[str, int], ...]
    latest: LatestBackup | None
    stores: tuple[StoreView, ...]
    alerts: tuple[tuple[str, str, int], ...]
    messages: tuple[tuple[str, int], ...]
    scheduler_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoreSizeView:
    """What a store held at the end of a day (UTC), or until now on the present one."""

    store: str
    day: date
    stored_bytes: int
    backups: int
    free_bytes: int | None


@dataclass(frozen=True, slots=True)
class DayOfRuns:
    """What became of the backups of a day (UTC): those begun by hand and by schedules together.

    Attributes:
        seconds: the median of what the good ones took; None if there was none.
        raw_bytes, stored_bytes: of the good ones together.
    """

    day: date
    succeeded: int
    failed: int
    seconds: float | None
    raw_bytes: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class History:
    """What charts show: a line for each day that had something, oldest first.

    Attributes:
        success_rate: the share of backups that were good over all these days; None if there were none.
    """

    runs: tuple[DayOfRuns, ...]
    sizes: tuple[StoreSizeView, ...]
    success_rate: float | None
