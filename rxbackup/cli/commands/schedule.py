"""`rxbackup schedule …`: backups that are taken by themselves."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import words
from rxbackup.cli.options import AsJson, Yes, names
from rxbackup.cli.schedule_options import (
    CopyTo,
    Cron,
    Daily,
    DryRun,
    Every,
    FullEvery,
    Groups,
    Jitter,
    KeepDaily,
    KeepDays,
    KeepHourly,
    KeepLast,
    KeepMonthly,
    KeepProven,
    KeepWeekly,
    KeepYearly,
    Monthly,
    Name,
    Note,
    Store,
    Weekly,
    Zone,
    given,
    rule_of,
)
from rxbackup.cli.session import answer, confirm, installation, plain, say, table
from rxbackup.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from rxbackup.operations.views import OccurrenceView, ScheduleView

app = typer.Typer(no_args_is_help=True, help="Backups that are taken by themselves.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its backups are named after it.")],
    *,
    daily: Daily = None,
    weekly: Weekly = None,
    monthly: Monthly = None,
    every: Every = None,
    cron: Cron = None,
    zone: Zone = None,
    groups: Groups = None,
    store: Store = None,
    copy_to: CopyTo = None,
    full_every: FullEvery = None,
    jitter: Jitter = None,
    note: Note = None,
    keep_days: KeepDays = None,
    keep_last: KeepLast = None,
    keep_hourly: KeepHourly = None,
    keep_daily: KeepDaily = None,
    keep_weekly: KeepWeekly = None,
    keep_monthly: KeepMonthly = None,
    keep_yearly: KeepYearly = None,
    keep_proven: KeepProven = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add a schedule."""
    from rxbackup.operations.schedules import add_schedule, foretell_schedule
    from rxbackup.operations.views import NewSchedule
    from rxbackup.retention.policy import Policy

    rule = rule_of(daily, weekly, monthly, every, cron)
    if rule is None:
        raise UsageError("Say when: --daily, --weekly, --monthly, --every or --cron.", hint="As --daily 02:00.")
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
    changes = given(
        zone=zone,
        groups=names(groups),
        store=store,
        copies=tuple(copy_to) if copy_to else None,
        full_every=full_every,
        jitter_minutes=jitter,
        description=note,
    )
    new = NewSchedule(name=name, rule=rule, policy=Policy(**keep), **changes)
    with installation() as at:
        if dry_run:
            forecast = foretell_schedule(at.services, at.actor, new)
            answer(forecast, as_json=as_json, text=lambda: _say_forecast(forecast.sentence, forecast.coming, new.zone))
            return
        view = add_schedule(at.services, at.actor, new)
    answer(view, as_json=as_json, text=lambda: _say_forecast(view.sentence, view.coming, view.zone))


@app.command()
def edit(
    name: Name,
    *,
    new_name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    daily: Daily = None,
    weekly: Weekly = None,
    monthly: Monthly = None,
    every: Every = None,
    cron: Cron = None,
    zone: Zone = None,
    groups: Groups = None,
    all_groups: Annotated[bool, typer.Option("--all-groups", help="Back up all groups again.")] = False,
    store: Store = None,
    copy_to: CopyTo = None,
    no_copies: Annotated[bool, typer.Option("--no-copies", help="Make no copies any more.")] = False,
    full_every: FullEvery = None,
    jitter: Jitter = None,
    note: Note = None,
    keep_days: KeepDays = None,
    keep_last: KeepLast = None,
    keep_hourly: KeepHourly = None,
    keep_daily: KeepDaily = None,
    keep_weekly: KeepWeekly = None,
    keep_monthly: KeepMonthly = None,
    keep_yearly: KeepYearly = None,
    keep_proven: KeepProven = None,
    keep_everything: Annotated[bool, typer.Option("--keep-everything", help="Forget what was said before.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Change what is given; the rest stays."""
    from rxbackup.cadence.rules import rule_from_json
    from rxbackup.operations.schedules import change_schedule, foretell_schedule, show_schedule
    from rxbackup.operations.views import NewSchedule
    from rxbackup.retention.policy import Policy

    rule = rule_of(daily, weekly, monthly, every, cron)
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
        now = show_schedule(at.services, at.actor, name)
        old = NewSchedule(
            name=now.name,
            rule=rule or rule_from_json(now.cadence),
            zone=now.zone,
            description=now.description,
            groups=None if all_groups else now.groups,
            store=now.store,
            copies=() if no_copies else now.copies,
            policy=Policy(**{**({} if keep_everything else now.policy), **keep}),
            full_every=now.full_every,
            jitter_minutes=now.jitter_minutes,
        )
        changes = given(
            name=new_name,
            zone=zone,
            groups=names(groups),
            store=store,
            copies=tuple(copy_to) if copy_to else None,
            full_every=full_every,
            jitter_minutes=jitter,
            description=note,
        )
        new = dataclasses.replace(old, **changes)
        if dry_run:
            forecast = foretell_schedule(at.services, at.actor, new)
            answer(forecast, as_json=as_json, text=lambda: _say_forecast(forecast.sentence, forecast.coming, new.zone))
            return
        view = change_schedule(at.services, at.actor, now.id, new)
    answer(view, as_json=as_json, text=lambda: _say_forecast(view.sentence, view.coming, view.zone))


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List schedules."""
    from rxbackup.operations.schedules import list_schedules

    with installation() as at:
        found = list_schedules(at.services, at.actor)

    def show() -> None:
        if not found:
            say("No schedules. `rxbackup schedule add Nightly --daily 02:00 --keep-days 30` adds one.")
            return
        headings = ["Name", "When", "Zone", "Next run", "Last", "Backups", "By"]
        table(headings, [_row(view) for view in found], right=(5,))

    answer({"schedules": found}, as_json=as_json, text=show)


@app.command()
def show(
    name: Name,
    *,
    runs: Annotated[int, typer.Option("--runs", min=1, max=500, help="How many of its latest runs.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show a schedule, its next five runs and what became of the latest."""
    from rxbackup.operations.occurrences import list_occurrences
    from rxbackup.operations.schedules import show_schedule

    with installation() as at:
        view = show_schedule(at.services, at.actor, name)
        latest = list_occurrences(at.services, at.actor, view.id, limit=runs)
    answer({**plain(view), "runs": latest}, as_json=as_json, text=lambda: _say_schedule(view, latest))


@app.command()
def pause(name: Name, *, as_json: AsJson = False) -> None:
    """Let a schedule rest; its settings stay."""
    from rxbackup.operations.schedules import pause_schedule

    with installation() as at:
        view = pause_schedule(at.services, at.actor, name)
    answer(view, as_json=as_json, text=lambda: say(f"{view.name} is paused."))


@app.command()
def resume(name: Name, *, as_json: AsJson = False) -> None:
    """Let a schedule go on."""
    from rxbackup.operations.schedules import resume_schedule

    with installation() as at:
        view = resume_schedule(at.services, at.actor, name)
    answer(view, as_json=as_json, text=lambda: say(f"{view.name} goes on. Next run: {_at(view.next_at, view.zone)}."))


@app.command()
def run(name: Name, *, as_json: AsJson = False) -> None:
    """Queue a backup of a schedule now; a worker takes it."""
    from rxbackup.operations.schedules import run_schedule

    with installation() as at:
        job = run_schedule(at.services, at.actor, name)
    answer(job, as_json=as_json, text=lambda: say(f"{job.backup_name} is queued."))


@app.command()
def delete(name: Name, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a schedule; its backups stay."""
    from rxbackup.operations.schedules import delete_schedule, show_schedule

    with installation() as at:
        view = show_schedule(at.services, at.actor, name)
        confirm(f'Delete the schedule "{view.name}"? Its {words.counted(view.backups, "backup")} stay.', yes=yes)
        delete_schedule(at.services, at.actor, view.id)
    told = f"Deleted {view.name}. Its backups stay until somebody deletes them."
    answer({"deleted": view.id, "name": view.name, "backups": view.backups}, as_json=as_json, text=lambda: say(told))


def _at(moment: datetime | None, zone: str) -> str:
    """A moment by the clocks of a zone, with the day of the week: people check schedules by it."""
    from zoneinfo import ZoneInfo

    return f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}" if moment else "–"


def _row(view: ScheduleView) -> list[str]:
    if not view.active:
        state = f"paused: {view.paused_because}" if view.paused_because else "paused"
    else:
        state = "running" if view.is_running else _at(view.next_at, view.zone)
    last = f"{view.last.state}, {words.moment(view.last.due_at)}" if view.last else "–"
    return [view.name, view.when, view.zone, state, last, str(view.backups), view.owner]


def _say_forecast(sentence: str, coming: tuple[datetime, ...], zone: str) -> None:
    say(sentence)
    say("Next runs:")
    for each in coming:
        say(f"  {_at(each, zone)}")


def _say_schedule(view: ScheduleView, runs: tuple[OccurrenceView, ...]) -> None:
    say(f"{view.name}{'' if view.active else ' (paused)'}")
    say(view.sentence)
    if view.paused_because:
        say(f"Paused: {view.paused_because}")
    if view.description:
        say(view.description)
    say(f"In the name of {view.owner}; {words.counted(view.backups, 'backup')}.")
    say("\nNext runs, once it is resumed:" if not view.active else "\nNext runs:")
    for each in view.coming:
        say(f"  {_at(each, view.zone)}")
    if runs:
        say()
        table(["Due", "State", ""], [[_at(each.due_at, view.zone), each.state, each.message] for each in runs])
