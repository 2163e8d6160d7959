from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rxbackup.access.throttle import FORGET_AFTER, FREE_TRIES, LONGEST_WAIT, UnknownEmails, count_failure, wait_after

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_first_tries_are_free() -> None:
    assert [wait_after(n) for n in range(FREE_TRIES)] == [timedelta(0)] * FREE_TRIES


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [wait_after(n).total_seconds() for n in range(5, 17)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


@pytest.mark.parametrize("failures", [10**3, 10**6, 2**31])
def test_the_wait_is_never_permanent(failures: int) -> None:
    assert wait_after(failures) == LONGEST_WAIT


def test_ten_thousand_guesses_get_few_looks_an_hour() -> None:
    failures, locked, now, looked = 0, None, NOW, 0
    while now < NOW + timedelta(hours=1):
        if locked is None or locked <= now:
            failures, locked = count_failure(failures, locked, now)
            looked += 1
        now += timedelta(seconds=0.36)
    assert looked <= 50


def test_old_failures_are_forgotten() -> None:
    failures, locked = 9, NOW
    assert count_failure(failures, locked, NOW + FORGET_AFTER + timedelta(seconds=1)) == (1, None)


def test_unknown_emails_wait_like_known_ones_and_stay_bounded() -> None:
    unknown = UnknownEmails()
    for _ in range(FREE_TRIES):
        unknown.count("a@b.c", NOW)
    assert unknown.locked_until("a@b.c") == NOW + timedelta(seconds=1)
    assert unknown.locked_until("x@y.z") is None
    for n in range(10_001):
        unknown.count(f"{n}@b.c", NOW)
    assert unknown.locked_until("a@b.c") is None
    assert len(unknown._states) == 10_000
