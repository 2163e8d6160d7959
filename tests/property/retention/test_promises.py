"""What retention promises, over random histories. `RXBACKUP_TEST_EXAMPLES=10000` looks at ten thousand."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from rxbackup.retention.judging import Candidate, judge
from rxbackup.retention.policy import Policy

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu")]
LINES = [each.name for each in fields(Policy) if each.name != "floor"]
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)

numbers = st.one_of(st.none(), st.integers(0, 12))
policies = st.builds(Policy, **dict.fromkeys(LINES, numbers), floor=st.integers(1, 4))
histories = st.lists(
    st.builds(
        Candidate,
        id=st.uuids().map(str),
        taken_at=st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes)),
        complete=st.booleans(),
        verified=st.booleans(),
        exempt=st.sampled_from(["", "", "", "pinned", "in use"]),
    ),
    max_size=60,
    unique_by=lambda b: b.id,
)
zones = st.sampled_from(ZONES)


@given(policies, histories, zones)
def test_everything_complete_is_judged_once(policy: Policy, history: list[Candidate], zone: ZoneInfo) -> None:
    verdict = judge(policy, history, zone)
    judged = [k.id for k in verdict.kept] + list(verdict.going)
    assert sorted(judged) == sorted(b.id for b in history if b.complete)
    assert all(k.reasons and all(k.reasons) for k in verdict.kept)


@given(policies, histories, zones)
def test_every_reason_is_named(policy: Policy, history: list[Candidate], zone: ZoneInfo) -> None:
    """What stays bears the reason of each line that alone would keep it, and no other one."""
    expected: dict[str, set[str]] = {}
    lines = {line: at for line in LINES if (at := getattr(policy, line)) is not None}
    for line, at in lines.items():
        for kept in judge(Policy(floor=policy.floor, **{line: at}), history, zone).kept:
            expected.setdefault(kept.id, set()).update(kept.reasons)
    if lines:
        assert {kept.id: set(kept.reasons) for kept in judge(policy, history, zone).kept} == expected


@given(policies, histories, zones)
def test_judging_again_removes_nothing_more(policy: Policy, history: list[Candidate], zone: ZoneInfo) -> None:
    gone = set(judge(policy, history, zone).going)
    rest = [b for b in history if b.id not in gone]
    assert judge(policy, rest, zone).going == ()


@given(policies, histories, zones, st.sampled_from([*LINES, "floor"]), st.integers(1, 5))
def test_asking_for_more_never_keeps_less(
    policy: Policy, history: list[Candidate], zone: ZoneInfo, line: str, more: int
) -> None:
    now = getattr(policy, line)
    if now is None:
        return  # a line that says nothing and one that says zero differ only where no other line speaks
    larger = replace(policy, **{line: now + more})
    assert set(judge(larger, history, zone).going) <= set(judge(policy, history, zone).going)


@given(policies, histories, zones)
def test_the_floor_holds(policy: Policy, history: list[Candidate], zone: ZoneInfo) -> None:
    kept = {k.id for k in judge(policy, history, zone).kept}
    good = [b for b in history if b.complete and not b.exempt]
    verified = sorted((b for b in good if b.verified), key=lambda b: (b.taken_at, b.id), reverse=True)
    assert {b.id for b in verified[: policy.floor]} <= kept
    assert len([b for b in good if b.id in kept]) >= min(policy.floor, len(good))


@given(policies, histories, zones)
def test_pins_and_backups_in_use_stay_and_change_nothing(
    policy: Policy, history: list[Candidate], zone: ZoneInfo
) -> None:
    verdict = judge(policy, history, zone)
    assert {b.id for b in history if b.complete and b.exempt} <= {k.id for k in verdict.kept}
    assert judge(policy, [b for b in history if not b.exempt], zone).going == verdict.going


@given(policies, histories, zones, st.integers(0, 50))
def test_a_failed_run_changes_nothing(policy: Policy, history: list[Candidate], zone: ZoneInfo, failures: int) -> None:
    failed = [Candidate(f"failed {n}", BEGIN + timedelta(days=800 + n), complete=False) for n in range(failures)]
    assert judge(policy, [*history, *failed], zone) == judge(policy, history, zone)


@given(policies, histories, zones)
def test_held_lets_nothing_go(policy: Policy, history: list[Candidate], zone: ZoneInfo) -> None:
    assert judge(policy, history, zone, held="someone must look first").going == ()


@given(policies, histories, zones)
def test_the_newest_good_backup_stays(policy: Policy, history: list[Candidate], zone: ZoneInfo) -> None:
    """Whatever a policy says: with the floor, either it is kept or a verified one instead."""
    good = [b for b in history if b.complete]
    if good:
        assert judge(policy, history, zone).kept
