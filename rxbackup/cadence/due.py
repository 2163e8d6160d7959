"""The moments at which a rule is due.

A rule speaks of local time. Where clocks are put forward and a time does not exist, it is due at the first moment
after the gap; where they are put back and a time comes twice, it is due once, the first time. What is due every hour,
or by a cron expression whose minute or hour begins with a star, follows the clock on the wall instead: not due in a
gap, twice in an hour that comes twice. Moments are handed out in UTC, so they can be compared and kept.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from rxbackup.cadence.rules import Rule
from rxbackup.errors import UsageError

SHORTEST_INTERVAL = timedelta(minutes=5)
"""Nobody's data is saved by backups that follow each other faster; a mistyped field would fill the disk."""

_MOST_MISSED = 10_000
_LOOK_AT = 200


@dataclass(frozen=True, slots=True)
class Missed:
    """What became due since somebody last looked.

    Attributes:
        latest: the moment whose run makes up for all.
        earlier: how many moments before that had no run; counting ends at 10 000.
    """

    latest: datetime
    earlier: int


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name.

    Raises:
        UsageError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"There is no time zone {name!r}.", hint="Write an IANA name, as Europe/Berlin or UTC."
        ) from None


def due_after(rule: Rule, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """Yield the moments (UTC, ascending) at which the rule is due after `moment`, which must know its zone."""
    local = moment.astimezone(zone)
    last: datetime | None = None
    for each in heapq.merge(*(_moments(expression, local) for expression in rule.expressions)):
        # Two expressions of a rule may name the same moment, and a gap may bring two times together.
        if each > moment and each != last:
            last = each
            yield each


def _moments(expression: str, local: datetime) -> Iterator[datetime]:
    try:
        for each in CronSim(expression, local):
            yield each.astimezone(UTC)
    except CronSimError:
        return  # never due again


def next_due(rule: Rule, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Return the first moment after `moment` at which the rule is due; None if it never is."""
    return next(due_after(rule, zone, moment), None)


def missed_between(rule: Rule, zone: ZoneInfo, after: datetime, until: datetime) -> Missed | None:
    """Collapse everything due in (after, until] into one; None if nothing was."""
    latest, count = None, 0
    for each in islice(due_after(rule, zone, after), _MOST_MISSED):
        if each > until:
            break
        latest, count = each, count + 1
    else:
        latest = until
    return Missed(latest, count - 1) if latest else None


def refuse_if_too_often(rule: Rule, zone: ZoneInfo, moment: datetime) -> None:
    """Refuse a rule that is never due, or more often than anybody can want.

    Raises:
        UsageError: with the reason.
    """
    coming = list(islice(due_after(rule, zone, moment), _LOOK_AT))
    if not coming:
        raise UsageError("This rule is never due.", hint="Check its day and month: 30 February does not come.")
    shortest = min((b - a for a, b in pairwise(coming)), default=SHORTEST_INTERVAL)
    if shortest < SHORTEST_INTERVAL:
        raise UsageError(
            f"This rule is due every {int(shortest.total_seconds() // 60)} minutes.",
            hint=f"Leave at least {int(SHORTEST_INTERVAL.total_seconds() // 60)} minutes between two backups.",
        )
