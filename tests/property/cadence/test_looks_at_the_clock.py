"""However irregularly somebody looks at the clock, each due moment is dealt with once, and none before its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from rxbackup.cadence.due import due_after
from rxbackup.cadence.rules import Rule, cron, daily, hourly, monthly, weekly
from rxbackup.operations._schedules.timetable import Timetable

BEGIN = datetime(2026, 3, 20, tzinfo=UTC)
RULES = [
    daily("02:30"),
    weekly("sun", "02:30"),
    weekly("mon,tue", "23:45"),
    monthly("1,last", "00:00"),
    hourly(1, minute=30),
    hourly(6),
    cron("*/20 * * * *"),
]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
LOOKS = st.lists(
    st.one_of(
        st.integers(1, 7_200).map(lambda n: timedelta(seconds=n)),
        st.integers(1, 12).map(lambda n: timedelta(days=n, seconds=n)),
    ),
    min_size=1,
    max_size=40,
)


@given(
    st.sampled_from(RULES),
    st.sampled_from(ZONES),
    st.integers(0, 19),
    st.uuids(),
    LOOKS,
)
def test_each_due_moment_is_dealt_with_once(
    rule: Rule, zone: str, jitter: int, schedule_id: UUID, looks: list[timedelta]
) -> None:
    timetable = Timetable(schedule_id, rule, ZoneInfo(zone), jitter)
    now = seen = BEGIN
    dealt_with: list[datetime] = []
    count = 0
    for pause in looks:
        now += pause
        due = timetable.due_now(seen, now)
        if due is None:
            waiting = next(due_after(rule, timetable.zone, seen), None)
            assert waiting is None or timetable.begins_at(waiting) > now
            continue
        assert seen < due.first <= due.latest
        assert timetable.begins_at(due.latest) <= now
        assert (due.first == due.latest) == (due.earlier == 0)
        dealt_with.append(due.latest)
        count += due.earlier + 1
        seen = due.latest
        # Nothing is left that could begin now: one look makes up for all.
        assert timetable.due_now(seen, now) is None
        assert (next_at := timetable.next_at(seen)) is None or next_at > now
    until = _until(rule, timetable.zone, seen)
    assert count == len(until)
    assert set(dealt_with) <= set(until)


def _until(rule: Rule, zone: ZoneInfo, end: datetime) -> list[datetime]:
    found = []
    for each in due_after(rule, zone, BEGIN):
        if each > end:
            break
        found.append(each)
    return found
