"""What a schedule will hold in a year, if every run goes well: its rule and its policy, played through."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from rxbackup.cadence.due import due_after
from rxbackup.cadence.rules import Rule
from rxbackup.retention.judging import Candidate, judge
from rxbackup.retention.policy import Policy
from rxbackup.ui import wording

_A_YEAR = timedelta(days=365)
_MOST = 1500
"""More runs a year are not played through: nobody waits for that while typing."""
_DAYS_A_MONTH = 30.44


def in_a_year(rule: Rule, zone: ZoneInfo, policy: Policy, now: datetime) -> str:
    """As "In a year it holds about 34 backups, reaching back 11 months."; "" where that is not worth a guess."""
    if policy.keeps_everything:
        return "It keeps every backup: what it holds grows without end."
    moments: list[datetime] = []
    for each in takewhile(lambda due: due <= now + _A_YEAR, due_after(rule, zone, now)):
        if len(moments) == _MOST:
            return ""
        moments.append(each)
    if not moments:
        return ""
    taken = [Candidate(str(number), at, verified=True) for number, at in enumerate(moments)]
    kept = judge(policy, taken, zone).kept
    oldest = min(moments[int(each.id)] for each in kept)
    return f"In a year it holds about {wording.plural(len(kept), 'backup')}{_reach(moments[-1] - oldest)}."


def _reach(span: timedelta) -> str:
    days = round(span / timedelta(days=1))
    if days < 1:
        return ""
    if days < 2 * _DAYS_A_MONTH:
        return f", reaching back {wording.plural(days, 'day')}"
    return f", reaching back {wording.plural(round(days / _DAYS_A_MONTH), 'month')}"
