"""Retention by example: what stays, and the reasons people are given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rxbackup.errors import UsageError
from rxbackup.retention.judging import Candidate, judge
from rxbackup.retention.policy import Policy, policy_from_json

UTC_ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


def _daily(count: int) -> list[Candidate]:
    """The first is the newest; "0" is taken on 31 March 2026."""
    return [Candidate(str(n), NOON - timedelta(days=n), verified=True) for n in range(count)]


def _kept(policy: Policy, backups: list[Candidate], **more: str) -> list[str]:
    return [k.id for k in judge(policy, backups, UTC_ZONE, **more).kept]


def test_saying_nothing_keeps_everything() -> None:
    assert len(_kept(Policy(), _daily(500))) == 500


def test_days_and_last() -> None:
    assert _kept(Policy(days=2), _daily(9)) == ["0", "1", "2"]
    assert _kept(Policy(last=2), _daily(9)) == ["0", "1"]
    assert _kept(Policy(days=1, last=4), _daily(9)) == ["0", "1", "2", "3"]


def test_grandfathers() -> None:
    """31 March 2026 is a Tuesday: its week began on the 30th, the weeks before end on the 29th and the 22nd."""
    kept = _kept(Policy(daily=3, weekly=3, monthly=2, yearly=1), _daily(100))
    assert kept == ["0", "1", "2", "9", "31"]
    assert judge(Policy(weekly=2), _daily(100), UTC_ZONE).kept[1].id == "2"


def test_the_zone_says_which_day_it_is() -> None:
    night = [Candidate("late", datetime(2026, 3, 1, 23, 30, tzinfo=UTC)), Candidate("early", NOON - timedelta(days=30))]
    assert _kept(Policy(daily=5), night) == ["late"]
    assert [k.id for k in judge(Policy(daily=5), night, ZoneInfo("Europe/Berlin")).kept] == ["late", "early"]


def test_the_repeated_hour_is_two_hours() -> None:
    twice = [Candidate(str(h), datetime(2026, 10, 25, h, 15, tzinfo=UTC)) for h in (0, 1)]
    assert len(judge(Policy(hourly=5), twice, ZoneInfo("Europe/Berlin")).kept) == 2


def test_failed_runs_take_no_place() -> None:
    failed = [replace(b, id=f"failed {b.id}", complete=False, verified=False) for b in _daily(50)]
    old = [Candidate("good", NOON - timedelta(days=400), verified=True)]
    verdict = judge(Policy(days=7, last=3), [*failed, *old], UTC_ZONE)
    assert [k.id for k in verdict.kept] == ["good"]
    assert verdict.going == ()


def test_where_backups_stop_nothing_expires() -> None:
    """Age counts from the newest good backup; there is no clock to run away."""
    assert _kept(Policy(days=3), _daily(4)) == ["0", "1", "2", "3"]


def test_unproven_backups_do_not_replace_a_proven_one() -> None:
    backups = [replace(b, verified=False) for b in _daily(5)] + [Candidate("p", NOON - timedelta(9), verified=True)]
    kept = judge(Policy(last=2), backups, UTC_ZONE).kept
    assert [(k.id, k.reasons) for k in kept] == [
        ("0", ("of the newest 2",)),
        ("1", ("of the newest 2",)),
        ("p", ("the newest that is proven",)),
    ]


def test_without_a_proof_the_newest_stay() -> None:
    backups = [replace(b, verified=False) for b in _daily(5)]
    assert _kept(Policy(last=0, floor=2), backups) == ["0", "1"]


def test_pins_stay_and_take_no_place() -> None:
    backups = _daily(5)
    backups[0] = replace(backups[0], exempt="pinned")
    backups[4] = replace(backups[4], exempt="pinned")
    kept = judge(Policy(last=2), backups, UTC_ZONE).kept
    assert [(k.id, k.reasons[0]) for k in kept] == [
        ("0", "pinned"),
        ("1", "of the newest 2"),
        ("2", "of the newest 2"),
        ("4", "pinned"),
    ]


def test_held_is_held() -> None:
    verdict = judge(Policy(last=1), _daily(3), UTC_ZONE, held="a table was emptied")
    assert verdict.going == ()
    assert all("a table was emptied" in k.reasons for k in verdict.kept)


def test_until_is_said_where_it_is_known() -> None:
    kept = {k.id: k for k in judge(Policy(days=2, last=1), _daily(5), UTC_ZONE).kept}
    assert kept["2"].until == NOON
    assert kept["0"].until is None


@pytest.mark.parametrize(
    "kept", [{"last": -1}, {"floor": 0}, {"days": "7"}, {"fortnightly": 1}, {"last": True}, {"last": 10**9}]
)
def test_nonsense_is_refused(kept: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        policy_from_json(kept)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy(), "Keep everything"),
        (Policy(days=30), "Keep 30 days, never fewer than 1 verified"),
        (Policy(days=1, last=3, floor=2), "Keep 1 day and the last 3, never fewer than 2 verified"),
        (Policy(daily=7, weekly=4, monthly=12), "Keep 7 daily, 4 weekly and 12 monthly, never fewer than 1 verified"),
    ],
)
def test_a_policy_is_said_and_kept(policy: Policy, words: str) -> None:
    assert policy.in_words() == words
    assert policy_from_json(policy.as_json()) == policy
