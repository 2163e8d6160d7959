"""`rxbackup retention …`: how long backups stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import words
from rxbackup.cli.options import AsJson
from rxbackup.cli.schedule_options import (
    KeepDaily,
    KeepDays,
    KeepHourly,
    KeepLast,
    KeepMonthly,
    KeepProven,
    KeepWeekly,
    KeepYearly,
    Name,
    given,
)
from rxbackup.cli.session import answer, installation, say, table

if TYPE_CHECKING:
    from rxbackup.operations.views import RetentionView

app = typer.Typer(no_args_is_help=True, help="How long the backups of schedules stay.")


@app.callback()
def _group() -> None:
    """Commands about retention."""


@app.command()
def preview(
    name: Name,
    *,
    keep_days: KeepDays = None,
    keep_last: KeepLast = None,
    keep_hourly: KeepHourly = None,
    keep_daily: KeepDaily = None,
    keep_weekly: KeepWeekly = None,
    keep_monthly: KeepMonthly = None,
    keep_yearly: KeepYearly = None,
    keep_proven: KeepProven = None,
    zone: Annotated[str, typer.Option("--zone", metavar="IANA", help="In another time zone than its own.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show which backups of a schedule stay, why and until when, and which would go; with other numbers, if any."""
    from rxbackup.operations.retentions import preview_retention

    keep = given(
        days=keep_days,
        last=keep_last,
        hourly=keep_hourly,
        daily=keep_daily,
        weekly=keep_weekly,
        monthly=keep_monthly,
        yearly=keep_yearly,
        floor=keep_proven,
    )
    with installation() as at:
        found = preview_retention(at.services, at.actor, name, changes=keep, zone=zone)
    answer(found, as_json=as_json, text=lambda: _say_retention(found))


def _say_retention(found: RetentionView) -> None:
    say(f"{found.schedule}: {found.keeps}.")
    if found.held:
        say(f"Held: {found.held}.")
    if not found.backups:
        say("It has no backups yet.")
        return
    rows = [
        [
            each.id[:8],
            each.name,
            words.moment(each.when),
            "goes" if each.going else "stays",
            ", ".join(each.reasons),
            words.moment(each.until) if each.until else "",
        ]
        for each in found.backups
    ]
    table(["Id", "Name", "When", "", "Why", "Until"], rows)
    staying, going = len(found.backups) - len(found.going), len(found.going)
    say(f"{words.counted(staying, 'stays', 'stay')}, {words.counted(going, 'goes', 'go')}.")
