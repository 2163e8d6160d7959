"""Rules: what people write, what is kept, what is said back, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest

from rxbackup.cadence.due import due_after, missed_between, next_due, refuse_if_too_often, zone_of
from rxbackup.cadence.rules import Rule, cron, daily, hourly, monthly, rule_from_json, weekly
from rxbackup.cadence.words import in_words
from rxbackup.errors import UsageError

SPRING = datetime(2026, 3, 1, tzinfo=UTC)
BERLIN = zone_of("Europe/Berlin")

SAID = [
    (daily("02:00"), "Every day at 02:00"),
    (daily("9:05"), "Every day at 09:05"),
    (weekly("mon,thu", "14:30"), "Every Monday and Thursday at 14:30"),
    (weekly("Friday,mon,tue,wed,thu", "02:00"), "Every workday at 02:00"),
    (weekly("sun,mon,tue,wed,thu,fri,sat", "02:00"), "Every day at 02:00"),
    (monthly("1", "00:00"), "On the 1st of every month at 00:00"),
    (monthly("last,15,2", "23:59"), "On the 2nd, 15th and last day of every month at 23:59"),
    (monthly("11,21,22,23", "02:00"), "On the 11th, 21st, 22nd and 23rd of every month at 02:00"),
    (hourly(1), "Every hour, on the hour"),
    (hourly(6, minute=20), "Every 6 hours, 20 minutes past"),
    (cron("30  2 * * 1-5"), "By the cron expression 30 2 * * 1-5"),
]


@pytest.mark.parametrize(("rule", "words"), SAID, ids=[words for _, words in SAID])
def test_a_rule_is_said_and_kept(rule: Rule, words: str) -> None:
    assert in_words(rule) == words
    assert rule_from_json(rule.as_json()) == rule


@pytest.mark.parametrize(
    "make",
    [
        lambda: daily("24:00"),
        lambda: daily("2 o'clock"),
        lambda: daily(""),
        lambda: weekly("", "02:00"),
        lambda: weekly("someday", "02:00"),
        lambda: monthly("0", "02:00"),
        lambda: monthly("32", "02:00"),
        lambda: monthly("-1", "02:00"),
        lambda: hourly(5),
        lambda: hourly(0),
        lambda: hourly(6, minute=60),
        lambda: cron("* * * *"),
        lambda: cron("*/10 * * * * *"),
        lambda: cron("61 * * * *"),
        lambda: cron(""),
        lambda: rule_from_json({}),
        lambda: rule_from_json({"kind": "daily"}),
        lambda: rule_from_json({"kind": "weekly", "at": "02:00", "days": [7]}),
        lambda: zone_of("Europe/Atlantis"),
        lambda: zone_of("../../etc/passwd"),
        lambda: zone_of(""),
    ],
)
def test_nonsense_is_refused_with_a_way_on(make: object) -> None:
    with pytest.raises(UsageError) as refused:
        make()  # type: ignore[operator]
    assert refused.value.hint != UsageError.default_hint


@pytest.mark.parametrize("expression", ["* * * * *", "*/4 * * * *", "0,3 2 * * *", "0 0 30 2 *"])
def test_too_often_and_never_are_refused(expression: str) -> None:
    with pytest.raises(UsageError):
        refuse_if_too_often(cron(expression), BERLIN, SPRING)


@pytest.mark.parametrize("rule", [rule for rule, _ in SAID], ids=[words for _, words in SAID])
def test_sensible_rules_are_not_refused(rule: Rule) -> None:
    refuse_if_too_often(rule, BERLIN, SPRING)


def test_clocks_put_forward_bring_the_first_moment_after_the_gap() -> None:
    """29 March 2026, 02:00 becomes 03:00: half past two does not come."""
    due = due_after(daily("02:30"), BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert next(due) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert next(due) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_clocks_put_back_bring_a_time_once() -> None:
    """25 October 2026, 03:00 becomes 02:00: half past two comes twice."""
    due = due_after(daily("02:30"), BERLIN, datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert next(due) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next(due) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_asked_again_in_the_repeated_hour_it_is_not_due_again() -> None:
    between = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)  # 02:00 for the second time
    assert next_due(daily("02:30"), BERLIN, between) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_every_hour_means_every_hour_in_a_night_of_25() -> None:
    first = datetime(2026, 10, 24, 21, 59, tzinfo=UTC)
    due = due_after(hourly(1), BERLIN, first)
    moments = [next(due) for _ in range(6)]
    assert [b - a for a, b in pairwise(moments)] == [timedelta(hours=1)] * 5


def test_every_two_hours_miss_none_where_clocks_are_put_forward_and_repeat_none_where_they_are_put_back() -> None:
    forward = due_after(hourly(2), BERLIN, datetime(2026, 3, 28, 22, 30, tzinfo=UTC))
    assert [(m.hour, m.minute) for m in islice(forward, 3)] == [(23, 0), (1, 0), (2, 0)]  # 00:00, 03:00, 04:00 there
    back = due_after(hourly(2), BERLIN, datetime(2026, 10, 24, 21, 30, tzinfo=UTC))
    assert [(m.hour, m.minute) for m in islice(back, 3)] == [(22, 0), (0, 0), (3, 0)]  # 00:00, 02:00, 04:00 there


def test_the_31st_is_the_last_day_where_there_is_none() -> None:
    due = due_after(monthly("31", "02:00"), zone_of("UTC"), datetime(2027, 12, 31, 12, tzinfo=UTC))
    assert [next(due).day for _ in range(12)] == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def test_the_29th_and_the_last_day_meet_in_february() -> None:
    due = due_after(monthly("29,last", "02:00"), zone_of("UTC"), datetime(2027, 1, 31, 12, tzinfo=UTC))
    assert [(m.month, m.day) for m in (next(due) for _ in range(3))] == [(2, 28), (3, 29), (3, 31)]


def test_a_day_that_a_country_skipped() -> None:
    """Samoa had no 30 December 2011: that day's run came as the 31st began, and the 31st had its own."""
    due = due_after(daily("02:00"), zone_of("Pacific/Apia"), datetime(2011, 12, 29, 20, tzinfo=UTC))
    assert next(due) == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)
    assert next(due) == datetime(2011, 12, 30, 12, 0, tzinfo=UTC)


def test_three_days_away_are_one_run() -> None:
    missed = missed_between(
        hourly(6), zone_of("UTC"), datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 4, 1, tzinfo=UTC)
    )
    assert missed is not None
    assert (missed.latest, missed.earlier) == (datetime(2026, 5, 4, 0, tzinfo=UTC), 11)


def test_nothing_was_due() -> None:
    assert missed_between(daily("02:00"), BERLIN, SPRING + timedelta(hours=2), SPRING + timedelta(hours=20)) is None


def test_the_moment_asked_about_is_not_due_again() -> None:
    due = next_due(daily("02:00"), BERLIN, SPRING)
    assert due is not None
    assert next_due(daily("02:00"), BERLIN, due) == due + timedelta(days=1)


def test_centuries_away_are_counted_to_an_end() -> None:
    missed = missed_between(hourly(1), zone_of("UTC"), SPRING, SPRING + timedelta(days=3650))
    assert missed is not None
    assert missed.latest > SPRING + timedelta(days=3649)
    assert missed.earlier == 9_999
