"""Judge the backups of one schedule by its policy.

Only complete backups count: a run that failed takes no place from one that did not. Pins, safety backups and backups in
use stay and take no place either. Age is measured from the newest good backup, not from the clock: where backups stop,
or a clock jumps, nothing expires. Where something looks like lost data, nothing expires until a person has looked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rxbackup.retention.policy import PERIODS, Policy

_BUCKETS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "hourly": lambda at: (at.year, at.month, at.day, at.hour, at.fold),
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: tuple(at.isocalendar())[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}
_ONE = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One backup, as retention sees it.

    Attributes:
        taken_at: its moment, with a zone.
        complete: whether it can be restored at all.
        verified: whether somebody read it back after it was stored.
        exempt: why it stays and takes no place ("pinned", "being restored" …); "" if nothing like that holds.
    """

    id: str
    taken_at: datetime
    complete: bool = True
    verified: bool = False
    exempt: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup that stays.

    Attributes:
        reasons: in words, at least one.
        until: when it goes if backups go on as they are asked to; None where that depends on those to come.
    """

    id: str
    reasons: tuple[str, ...]
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What stays, newest first, and what goes, oldest first. Incomplete backups are in neither: they keep nothing."""

    kept: tuple[Kept, ...]
    going: tuple[str, ...]


def judge(policy: Policy, backups: Sequence[Candidate], zone: ZoneInfo, *, held: str = "") -> Judgement:
    """Return what a policy keeps of these backups.

    Args:
        policy: what the schedule says.
        backups: all of one schedule, in any order.
        zone: whose days, weeks and months count.
        held: why nothing may go now; "" lets the policy decide.
    """
    newest_first = sorted((b for b in backups if b.complete), key=lambda b: (b.taken_at, b.id), reverse=True)
    counting = [b for b in newest_first if not b.exempt]
    reasons: dict[str, list[str]] = {b.id: [b.exempt] if b.exempt else [] for b in newest_first}
    until: dict[str, datetime] = {}
    if held:
        _note(reasons, counting, held)
    if policy.keeps_everything:
        _note(reasons, counting, "this schedule keeps everything")
    if policy.days is not None and counting:
        oldest = counting[0].taken_at - timedelta(days=policy.days)
        young = [b for b in counting if b.taken_at >= oldest]
        _note(reasons, young, "of the last day" if policy.days == 1 else f"of the last {policy.days} days")
        until = {b.id: b.taken_at + timedelta(days=policy.days) for b in young}
    if policy.last is not None:
        _note(reasons, counting[: policy.last], "the newest" if policy.last == 1 else f"of the newest {policy.last}")
    for period in PERIODS:
        places = getattr(policy, period)
        if places:
            _note(reasons, _newest_of_each(counting, _BUCKETS[period], zone, places), f"the last of its {_ONE[period]}")
    _note(reasons, _floor(policy, counting), "the newest that is proven" if policy.floor == 1 else "of the proven ones")
    return Judgement(
        kept=tuple(
            Kept(b.id, tuple(reasons[b.id]), until.get(b.id) if len(reasons[b.id]) == 1 else None)
            for b in newest_first
            if reasons[b.id]
        ),
        going=tuple(b.id for b in reversed(newest_first) if not reasons[b.id]),
    )


def _note(reasons: dict[str, list[str]], backups: Sequence[Candidate], reason: str) -> None:
    for backup in backups:
        reasons[backup.id].append(reason)


def _newest_of_each(
    newest_first: Sequence[Candidate], bucket: Callable[[datetime], tuple[int, ...]], zone: ZoneInfo, places: int
) -> list[Candidate]:
    found: dict[tuple[int, ...], Candidate] = {}
    for backup in newest_first:
        found.setdefault(bucket(backup.taken_at.astimezone(zone)), backup)
        if len(found) > places:
            break
    return list(found.values())[:places]


def _floor(policy: Policy, newest_first: Sequence[Candidate]) -> list[Candidate]:
    """The newest verified ones; where there are too few, the newest unverified ones beside them."""
    verified = [b for b in newest_first if b.verified][: policy.floor]
    lacking = policy.floor - len(verified)
    return verified + [b for b in newest_first if not b.verified][:lacking]
