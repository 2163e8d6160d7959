"""A rule as a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from rxbackup.cadence.rules import LAST_DAY, Rule, clock_time

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WORKDAYS = (0, 1, 2, 3, 4)


def in_words(rule: Rule) -> str:
    """As "Every Monday and Thursday at 02:00"; the zone is said by whoever shows it."""
    if rule.kind == "cron":
        return f"By the cron expression {rule.expression}"
    if rule.kind == "hourly":
        every = "Every hour" if rule.hours == 1 else f"Every {rule.hours} hours"
        return f"{every}, {rule.at} minutes past" if rule.at else f"{every}, on the hour"
    at = f"at {clock_time(rule.at)}"
    if rule.kind == "daily" or (rule.kind == "weekly" and len(rule.days) == len(_DAYS)):
        return f"Every day {at}"
    if rule.kind == "weekly":
        days = "workday" if rule.days == _WORKDAYS else _joined([_DAYS[day] for day in rule.days])
        return f"Every {days} {at}"
    return f"On the {_joined([_ordinal(day) for day in _last_at_the_end(rule.days)])} of every month {at}"


def _last_at_the_end(days: Sequence[int]) -> list[int]:
    return sorted(days, key=lambda day: (day == LAST_DAY, day))


def _ordinal(day: int) -> str:
    if day == LAST_DAY:
        return "last day"
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")  # noqa: PLR2004 - 11th to 13th
    return f"{day}{ending}"


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
