"""What a schedule may say: every day, on some days of the week or the month, every few hours, or a cron expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim, CronSimError

from rxbackup.errors import UsageError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LAST_DAY = 0
"""The day of a month that is its last one, whichever that is."""

_EVERY_HOURS = (1, 2, 3, 4, 6, 8, 12)
_SHORT_MONTHS = {29: "2", 30: "2", 31: "2,4,6,9,11"}
"""Months that have no such day (February is looked at as if it had 28)."""
_LONG_MONTHS = {29: "1,3-12", 30: "1,3-12", 31: "1,3,5,7,8,10,12"}
_CRON_HINT = "Write five fields, as `30 2 * * 1-5`: minute, hour, day of month, month, day of week."
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for the local times of one time zone. Made by the functions of this module, which check it.

    Attributes:
        kind: "daily", "weekly", "monthly", "hourly" or "cron".
        at: minutes after midnight; for "hourly" minutes after the hour.
        days: weekdays (0 is Monday) or days of the month (1 to 31, `LAST_DAY`), ascending.
        hours: for "hourly": every so many hours, counted from midnight.
        expression: for "cron": five fields.
    """

    kind: str
    at: int = 0
    days: tuple[int, ...] = ()
    hours: int = 0
    expression: str = ""

    @property
    def expressions(self) -> tuple[str, ...]:
        """Cron expressions whose times, put together, are those of the rule."""
        if self.kind == "cron":
            return (self.expression,)
        if self.kind == "hourly":
            # Not */6: cron drops such a time in a gap, and repeats it where clocks are put back.
            hours = "*" if self.hours == 1 else ",".join(map(str, range(0, 24, self.hours)))
            return (f"{self.at} {hours} * * *",)
        time = f"{self.at % 60} {self.at // 60}"
        if self.kind == "daily":
            return (f"{time} * * *",)
        if self.kind == "weekly":
            # Cron's week begins on Sunday.
            return (f"{time} * * {','.join(str((day + 1) % 7) for day in self.days)}",)
        return tuple(e for day in self.days for e in _on_day(time, day))

    def as_json(self) -> dict[str, Any]:
        """Names and values to keep; `rule_from_json` reads them."""
        kept: dict[str, Any] = {"kind": self.kind}
        if self.kind == "cron":
            return {**kept, "expression": self.expression}
        kept["at"] = clock_time(self.at)
        if self.days:
            kept["days"] = list(self.days)
        if self.hours:
            kept["hours"] = self.hours
        return kept


def _on_day(time: str, day: int) -> tuple[str, ...]:
    """A month that lacks the day has its last day instead: nobody who says "on the 31st" means seven times a year."""
    if day == LAST_DAY:
        return (f"{time} L * *",)
    if day not in _SHORT_MONTHS:
        return (f"{time} {day} * *",)
    return (f"{time} {day} {_LONG_MONTHS[day]} *", f"{time} L {_SHORT_MONTHS[day]} *")


def daily(at: str) -> Rule:
    """Every day at a time such as "02:00"."""
    return Rule("daily", _minutes(at))


def weekly(days: str, at: str) -> Rule:
    """On weekdays such as "mon,thu"."""
    return Rule("weekly", _minutes(at), _chosen(days, _weekday))


def monthly(days: str, at: str) -> Rule:
    """On days of the month such as "1,15" or "last"."""
    return Rule("monthly", _minutes(at), _chosen(days, _month_day))


def hourly(hours: int, *, minute: int = 0) -> Rule:
    """Every so many hours from midnight on, so many minutes after the hour."""
    if hours not in _EVERY_HOURS:
        raise UsageError(
            f"Every {hours} hours does not divide a day.", hint=f"Choose one of {', '.join(map(str, _EVERY_HOURS))}."
        )
    if not 0 <= minute < 60:  # noqa: PLR2004 - minutes of an hour
        raise UsageError(f"There is no minute {minute}.", hint="Minutes go from 0 to 59.")
    return Rule("hourly", minute, hours=hours)


def cron(expression: str) -> Rule:
    """A cron expression of five fields: minute, hour, day of month, month, day of week."""
    fields = expression.split()
    if len(fields) != 5:  # noqa: PLR2004 - cron's own number; a sixth field would be seconds
        raise UsageError(f"{expression!r} has {len(fields)} fields instead of five.", hint=_CRON_HINT)
    try:
        CronSim(expression, _SOME_TIME)
    except CronSimError as error:
        raise UsageError(f"{expression!r} is no cron expression: {error}.", hint=_CRON_HINT) from None
    return Rule("cron", expression=" ".join(fields))


def rule_from_json(kept: Mapping[str, Any]) -> Rule:
    """Read what `as_json` wrote, and check it again: it may have been written by hand.

    Raises:
        UsageError: it is no rule.
    """
    kind, at = kept.get("kind"), str(kept.get("at", ""))
    days = ",".join(_day_word(str(kind), day) for day in kept.get("days") or ())
    if kind == "daily":
        return daily(at)
    if kind == "weekly":
        return weekly(days, at)
    if kind == "monthly":
        return monthly(days, at)
    if kind == "hourly":
        return hourly(int(kept.get("hours") or 0), minute=_minutes(at))
    if kind == "cron":
        return cron(str(kept.get("expression", "")))
    raise UsageError(f"There is no rule of the kind {kind!r}.", hint="Write daily, weekly, monthly, hourly or cron.")


def clock_time(minutes: int) -> str:
    """Minutes after midnight as "02:00"."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _minutes(at: str) -> int:
    match = _TIME.fullmatch(at.strip())
    if match is None:
        raise UsageError(f"{at!r} is no time of the day.", hint="Write hours and minutes, as 02:00 or 14:30.")
    return int(match["hour"]) * 60 + int(match["minute"])


def _chosen(words: str, read: Callable[[str], int]) -> tuple[int, ...]:
    chosen = tuple(sorted({read(word.strip().lower()) for word in words.split(",") if word.strip()}))
    if not chosen:
        raise UsageError("No day is chosen.", hint="Name at least one day.")
    return chosen


def _weekday(word: str) -> int:
    for number, name in enumerate(WEEKDAYS):
        if word.startswith(name):
            return number
    raise UsageError(f"{word!r} is no day of the week.", hint=f"Write {', '.join(WEEKDAYS)}.")


def _month_day(word: str) -> int:
    if word == "last":
        return LAST_DAY
    if word.isdecimal() and 1 <= int(word) <= 31:  # noqa: PLR2004 - days of a month
        return int(word)
    raise UsageError(f"{word!r} is no day of a month.", hint="Write 1 to 31, or last.")


def _day_word(kind: str, day: object) -> str:
    if kind == "weekly" and isinstance(day, int) and 0 <= day < len(WEEKDAYS):
        return WEEKDAYS[day]
    return "last" if day == LAST_DAY else str(day)
