"""How it went lately, in numbers: what charts draw and tables say, made from the history that operations return."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from rxbackup.operations.views.measures import DayOfRuns, History
from rxbackup.ui import wording

UNMEASURED = -1


@dataclass(frozen=True)
class RunDay:
    """What became of the backups of a day, and what a typical good one took; "" where none was good."""

    day: str
    succeeded: int
    failed: int
    took: str


@dataclass(frozen=True)
class StoreLine:
    """Bytes that a store held on each of the days that are drawn; `UNMEASURED` where nobody measured."""

    name: str
    held: list[int]


@dataclass(frozen=True)
class Lately:
    """Some days in numbers.

    Attributes:
        first, last: the days that the chart of backups spans, ISO.
        days: those on which a backup ended.
        rate, rate_of: how many were good, as a percentage, and of how many; "" where there were none.
        took, slowest: what a typical good one took, and one of the slowest day.
        raw_bytes, stored_bytes: rows as text that were backed up; what that added to stores.
        measured: the days on which stores were measured and those between.
        stores: what they held; one that was empty all the time is left out.
    """

    known: bool = False
    first: str = ""
    last: str = ""
    days: list[RunDay] = field(default_factory=list)
    rate: str = ""
    rate_of: str = ""
    took: str = ""
    slowest: str = ""
    raw_bytes: int = 0
    stored_bytes: int = 0
    measured: list[str] = field(default_factory=list)
    stores: list[StoreLine] = field(default_factory=list)


def lately(history: History, days: int, today: date, holding: Mapping[str, int] | None = None) -> Lately:
    """The last so many days.

    Args:
        history: at least so many days of it.
        days: how many. today: the last one, UTC.
        holding: bytes that stores hold at this moment, which is newer than what was measured today.
    """
    first = today - timedelta(days=days - 1)
    runs = [run for run in history.runs if run.day >= first]
    good, bad = sum(run.succeeded for run in runs), sum(run.failed for run in runs)
    measured, stores = _stores(_held(history, first, today, holding or {}))
    slowest = max((run.seconds for run in runs if run.seconds is not None), default=None)
    return Lately(
        known=True,
        first=first.isoformat(),
        last=max([today, *(run.day for run in runs)]).isoformat(),
        days=[RunDay(run.day.isoformat(), run.succeeded, run.failed, _took(run.seconds)) for run in runs],
        rate=percentage(good, good + bad),
        rate_of=f"{wording.number(good)} of {wording.plural(good + bad, 'backup')}" if runs else "",
        took=_took(_typical(runs)),
        slowest=_took(slowest),
        raw_bytes=sum(run.raw_bytes for run in runs),
        stored_bytes=sum(run.stored_bytes for run in runs),
        measured=measured,
        stores=stores,
    )


def percentage(part: int, whole: int) -> str:
    """A share, never rounded up: one failure among a thousand is not 100 %."""
    if not whole:
        return ""
    tenths = math.floor(1000 * part / whole)
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"


def _took(seconds: float | None) -> str:
    return "" if seconds is None else wording.span(seconds)


def _typical(runs: list[DayOfRuns]) -> float | None:
    """The median day's median, each day counting as often as it had good backups."""
    timed = sorted((run.seconds, run.succeeded) for run in runs if run.seconds is not None)
    half = sum(count for _, count in timed) / 2
    for seconds, count in timed:
        half -= count
        if half <= 0:
            return seconds
    return None


def _held(history: History, first: date, today: date, holding: Mapping[str, int]) -> dict[tuple[str, date], int]:
    measured = {(size.store, size.day): size.stored_bytes for size in history.sizes if size.day >= first}
    return measured | {(store, today): held for store, held in holding.items()}


def _stores(held: Mapping[tuple[str, date], int]) -> tuple[list[str], list[StoreLine]]:
    names = sorted({store for (store, _), stored in held.items() if stored})
    if not names:
        return [], []
    begin, end = min(day for _, day in held), max(day for _, day in held)
    days = [begin + timedelta(days=number) for number in range((end - begin).days + 1)]
    lines = [StoreLine(name, [held.get((name, day), UNMEASURED) for day in days]) for name in names]
    return [day.isoformat() for day in days], lines
