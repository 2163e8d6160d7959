"""When a rule's next good run is so late that people must hear of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from rxbackup.cadence.due import due_after
from rxbackup.cadence.rules import Rule

GRACE = timedelta(minutes=15)
"""Runs take their time, and wait for others."""
_ONLY_ONCE = timedelta(days=1)


def late_from(rule: Rule, zone: ZoneInfo, last_good: datetime) -> datetime | None:
    """The moment from which a rule whose last good run was at `last_good` is overdue; None if it is never due.

    That is one and a half intervals after it, where the interval is the rule's own at that time: after a Friday, a rule
    for workdays is late from Monday on.
    """
    coming = list(islice(due_after(rule, zone, last_good), 2))
    if not coming:
        return None
    interval = coming[1] - coming[0] if len(coming) > 1 else _ONLY_ONCE
    return coming[0] + interval / 2 + GRACE
