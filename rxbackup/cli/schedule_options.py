"""What can be said of a schedule on the command line: when, of what, where to, and how long it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rxbackup.errors import UsageError

if TYPE_CHECKING:
    from rxbackup.cadence.rules import Rule

Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule's name or id.")]
Daily = Annotated[str | None, typer.Option("--daily", metavar="HH:MM", help="Every day.")]
Weekly = Annotated[str | None, typer.Option("--weekly", metavar="mon,thu@HH:MM", help="On some weekdays.")]
Monthly = Annotated[
    str | None, typer.Option("--monthly", metavar="1,last@HH:MM", help="On some days of the month, or its last.")
]
Every = Annotated[str | None, typer.Option("--every", metavar="6h", help="Every so many hours, from midnight on.")]
Cron = Annotated[str | None, typer.Option("--cron", metavar='"30 2 * * 1-5"', help="By a cron expression.")]
Zone = Annotated[str | None, typer.Option("--zone", metavar="IANA", help="Whose clocks count; default: UTC.")]
Groups = Annotated[str | None, typer.Option("--groups", metavar="A,B", help="Only these groups; default: all.")]
Store = Annotated[str | None, typer.Option("--store", help="Where backups rest; default: database.")]
CopyTo = Annotated[
    list[str] | None, typer.Option("--copy-to", metavar="STORE", help="Copy them there as well; may be repeated.")
]
FullEvery = Annotated[int | None, typer.Option("--full-every", metavar="N", help="One of N reads every row again.")]
Jitter = Annotated[int | None, typer.Option("--jitter", metavar="MINUTES", help="Begin up to so much later.")]
Note = Annotated[str | None, typer.Option("--note", help="Anything worth remembering.")]
KeepDays = Annotated[int | None, typer.Option("--keep-days", metavar="N", help="All of the last N days.")]
KeepLast = Annotated[int | None, typer.Option("--keep-last", metavar="N", help="The newest N.")]
KeepHourly = Annotated[int | None, typer.Option("--keep-hourly", metavar="N", help="The last of N hours each.")]
KeepDaily = Annotated[int | None, typer.Option("--keep-daily", metavar="N", help="The last of N days each.")]
KeepWeekly = Annotated[int | None, typer.Option("--keep-weekly", metavar="N", help="The last of N weeks each.")]
KeepMonthly = Annotated[int | None, typer.Option("--keep-monthly", metavar="N", help="The last of N months each.")]
KeepYearly = Annotated[int | None, typer.Option("--keep-yearly", metavar="N", help="The last of N years each.")]
KeepProven = Annotated[
    int | None, typer.Option("--keep-proven", metavar="N", help="Never fewer than the newest N verified; default: 1.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and save nothing.")]


def rule_of(
    daily: str | None, weekly: str | None, monthly: str | None, every: str | None, cron: str | None
) -> Rule | None:
    """The rule that the options name; None if they name none.

    Raises:
        UsageError: they name several, or one that makes no sense.
    """
    from rxbackup.cadence import rules

    given = [value for value in (daily, weekly, monthly, every, cron) if value is not None]
    if len(given) > 1:
        raise UsageError("Several rules are given.", hint="Give one, and add another schedule for the other.")
    if daily is not None:
        return rules.daily(daily)
    if weekly is not None:
        return rules.weekly(*_days_and_time("--weekly", weekly))
    if monthly is not None:
        return rules.monthly(*_days_and_time("--monthly", monthly))
    if every is not None:
        hours = every.strip().lower().removesuffix("h")
        if not hours.isdecimal():
            raise UsageError(f"{every!r} is no number of hours.", hint="Write it as 6h.")
        return rules.hourly(int(hours))
    return rules.cron(cron) if cron is not None else None


def _days_and_time(option: str, value: str) -> tuple[str, str]:
    days, at, time = value.partition("@")
    if not at:
        raise UsageError(f"{option} {value!r} lacks a time.", hint=f"Write days, @ and a time, as {value}@02:00.")
    return days, time


def given(**values: Any) -> dict[str, Any]:
    """The values that were given at all."""
    return {name: value for name, value in values.items() if value is not None}
