from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rxbackup.cadence.lateness import GRACE, late_from
from rxbackup.cadence.rules import Rule, daily, hourly, monthly, weekly

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("rule", "last_good", "late"),
    [
        (daily("02:00"), "2026-11-22 01:05", "2026-11-23 13:00"),  # 02:00 in Berlin is 01:00 UTC
        (hourly(6), "2026-11-22 05:10", "2026-11-22 14:00"),
        (weekly("mon,tue,wed,thu,fri", "02:00"), "2026-11-20 01:05", "2026-11-23 13:00"),
        (weekly("sun", "02:00"), "2026-11-22 01:05", "2026-12-02 13:00"),
        (monthly("last", "02:00"), "2026-11-30 01:05", "2027-01-15 13:00"),
        # Taken by hand just before it was due: the next due one is not late because of that.
        (daily("02:00"), "2026-11-22 00:55", "2026-11-22 13:00"),
    ],
)
def test_late_is_one_and_a_half_intervals_after_the_last_good_run(rule: Rule, last_good: str, late: str) -> None:
    expected = datetime.fromisoformat(late).replace(tzinfo=UTC) + GRACE
    assert late_from(rule, BERLIN, datetime.fromisoformat(last_good).replace(tzinfo=UTC)) == expected


def test_a_rule_that_is_never_due_is_never_late() -> None:
    assert late_from(Rule("cron", expression="0 0 30 2 *"), BERLIN, datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_late_lies_after_the_next_due_moment() -> None:
    at = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the night of the gap follows
    late = late_from(daily("02:30"), BERLIN, at)
    assert late is not None
    assert timedelta(hours=20) < late - at < timedelta(hours=40)
