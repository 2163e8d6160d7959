"""Ten years in every time zone of the world: each occurrence once, against an oracle that knows nothing of cron.

By default the days around every change of the clocks; `RXBACKUP_TEST_TEN_YEARS=1` walks all days (half an hour).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxbackup.cadence.due import due_after
from rxbackup.cadence.rules import Rule, daily, hourly, monthly, weekly

ALL_DAYS = os.environ.get("RXBACKUP_TEST_TEN_YEARS") == "1"
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
MARGIN = timedelta(days=3)
Changes = tuple[tuple[datetime, timedelta | None], ...]
RULES = [
    *(daily(at) for at in ("00:00", "00:30", "01:00", "01:59", "02:00", "02:30", "03:00", "12:00", "23:30", "23:59")),
    weekly("sun", "02:30"),
    weekly("sat,sun", "00:00"),
    weekly("mon,tue,wed,thu,fri", "02:00"),
    monthly("1", "00:30"),
    monthly("last", "02:30"),
    monthly("29", "01:30"),
    monthly("31", "02:00"),
    monthly("1,15,last", "03:00"),
    hourly(1),
    hourly(6, minute=30),
]


@cache
def _zones() -> dict[str, tuple[datetime, ...]]:
    """One zone of each kind → the moments at which its clocks change. Zones that change alike are the same kind."""
    kinds: dict[Changes, str] = {}
    for name in sorted(available_timezones() - {"localtime"}):
        kinds.setdefault(_changes(ZoneInfo(name)), name)
    return {name: tuple(moment for moment, _ in changes[1:]) for changes, name in kinds.items()}


def _changes(zone: ZoneInfo) -> Changes:
    """The moments, to the second, from which on another offset holds, with that offset; first of all the beginning.

    Two kinds of zones may change within the same day of UTC and not at the same moment, as Beirut and Chisinau do.
    """
    days = [BEGIN - MARGIN + timedelta(days=n) for n in range((END - BEGIN + 2 * MARGIN).days + 1)]
    offsets = [_offset(day, zone) for day in days]
    found = [(days[0], offsets[0])]
    for (low, before), (high, after) in pairwise(zip(days, offsets, strict=True)):
        if before != after:
            # No zone of these years changes twice within a day.
            found.append((_first(low, high, _having(after, zone)), after))
    return tuple(found)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def _having(offset: timedelta | None, zone: ZoneInfo) -> Callable[[datetime], bool]:
    return lambda moment: _offset(moment, zone) == offset


def _first(low: datetime, high: datetime, holds: Callable[[datetime], bool]) -> datetime:
    """The first full second after `low` from which on something holds; it does at `high`."""
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high.replace(microsecond=0)


def _first_valid(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The moment of a local time: the first one if it comes twice, the end of the gap if it does not come."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    days = timedelta(days=2)
    return _first(moment - days, moment + days, lambda at: at.astimezone(zone).replace(tzinfo=None) >= wall)


def _matches(rule: Rule, day: date) -> bool:
    if rule.kind == "weekly":
        return day.weekday() in rule.days
    if rule.kind == "monthly":
        last = (day + timedelta(days=1)).day == 1
        return day.day in rule.days or (last and (0 in rule.days or any(d > day.day for d in rule.days)))
    return True


def _expected(rule: Rule, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    if rule.hours == 1:
        return _every_hour(rule, zone, begin, end)
    times = [rule.at + 60 * hour for hour in range(0, 24, rule.hours)] if rule.hours else [rule.at]
    day = (begin - timedelta(days=2)).date()
    found = set()
    while day <= (end + timedelta(days=2)).date():
        if _matches(rule, day):
            found |= {_first_valid(day, minutes, zone) for minutes in times}
        day += timedelta(days=1)
    return sorted(moment for moment in found if begin < moment <= end)


def _every_hour(rule: Rule, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """Every quarter of an hour of the span whose wall clock says so: no zone is off by less since 1986."""
    found = []
    moment = begin - timedelta(minutes=begin.minute, seconds=begin.second, microseconds=begin.microsecond)
    while moment <= end:
        wall = moment.astimezone(zone)
        if wall.minute == rule.at and moment > begin:
            found.append(moment)
        moment += timedelta(minutes=15)
    return found


def _spans(changes: tuple[datetime, ...]) -> Iterator[tuple[datetime, datetime]]:
    if ALL_DAYS:
        yield BEGIN, END
        return
    for change in changes[:4]:
        yield change - timedelta(days=2), change + timedelta(days=2)


def _actual(rule: Rule, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    return list(takewhile(lambda moment: moment <= end, due_after(rule, zone, begin)))


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.kind} {r.hours or ''} {r.at} {r.days}")
def test_each_occurrence_comes_once(rule: Rule) -> None:
    looked_at = 0
    for name, changes in _zones().items():
        zone = ZoneInfo(name)
        for begin, end in _spans(changes):
            assert _actual(rule, zone, begin, end) == _expected(rule, zone, begin, end), (name, begin)
            looked_at += 1
    assert looked_at >= 50


@given(
    rule=st.sampled_from(RULES),
    name=st.sampled_from(sorted(available_timezones() - {"localtime"})),
    begin=st.integers(0, 3600 * 24 * 365 * 9).map(lambda seconds: BEGIN + timedelta(seconds=seconds)),
    days=st.integers(1, 20),
)
def test_any_span_in_any_zone(rule: Rule, name: str, begin: datetime, days: int) -> None:
    """Ascending, after the moment asked about, and asked again from any of them on the rest is the same."""
    zone, end = ZoneInfo(name), begin + timedelta(days=days)
    moments = _actual(rule, zone, begin, end)
    assert all(a < b for a, b in pairwise([begin, *moments]))
    for n, moment in enumerate(moments[:5]):
        assert _actual(rule, zone, moment, end) == moments[n + 1 :]
    assert moments == _expected(rule, zone, begin, end)
