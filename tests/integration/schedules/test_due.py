"""What is due is queued once, by whoever looks first, and what became of it is written down."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import psycopg
import pytest

from rxbackup.access.actor import Actor
from rxbackup.cadence.rules import daily, hourly
from rxbackup.errors import Busy, DatabaseUnavailable, NotFound, Refused, UsageError
from rxbackup.operations import backups, jobs, schedules, verifications
from rxbackup.operations.views import BackupQuery, NewBackup, NewSchedule
from rxbackup.worker.dispatch import perform_job
from tests.support.installation import CONSOLE
from tests.support.schedules import MONDAY, TimeMachine


def _at(day: int, hour: int = 2, minute: int = 0) -> datetime:
    return MONDAY.replace(day=day, hour=hour, minute=minute)


def test_a_schedule_takes_its_backup_when_it_is_due(machine: TimeMachine, admin: Actor) -> None:
    view = machine.add(admin, description="why")
    assert view.sentence == "Every day at 02:00 (UTC): back up everything to database. Keep everything."
    assert view.coming[:2] == (_at(24), _at(25))
    assert (machine.look(), machine.states()) == (0, [])

    machine.to(_at(24))
    assert machine.look() == 1
    assert machine.look() == 0
    assert schedules.show_schedule(machine.services, admin, "Nightly").is_running
    machine.work()
    assert machine.states() == [("done", _at(24))]
    run = machine.runs()[0]
    taken = backups.show_backup(machine.services, admin, str(run.backup_id)).view
    assert (taken.name, taken.trigger, taken.created_by) == ("Nightly 24 Nov 2026, 02:00", "schedule", admin.email)
    assert (taken.schedule_id, taken.description, taken.rows) == (view.id, "why", 570)
    assert "570 rows" in run.message
    after = schedules.show_schedule(machine.services, admin, "Nightly")
    assert (after.next_at, after.backups, after.is_running) == (_at(25), 1, False)
    assert backups.list_backups(machine.services, admin, BackupQuery(schedule_id=view.id)).total == 1


def test_a_backup_says_which_schedule_took_it_as_long_as_there_is_one(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin, "Büro")
    schedules.run_schedule(machine.services, admin, "Büro")
    machine.work()
    backups.perform_backup(machine.services, admin, NewBackup("by hand"))

    def listed(**query: str | bool) -> list[tuple[str, str]]:
        page = backups.list_backups(machine.services, admin, BackupQuery(**query))  # type: ignore[arg-type]
        return [(view.schedule, view.created_by) for view in page.items]

    assert listed(sort="by", descending=True) == [("Büro", admin.email), ("", admin.email)]
    backups.perform_backup(machine.services, admin, NewBackup("again"))
    machine.installation.system_sql("UPDATE rxbackup.backups SET name = 'x' WHERE trigger = 'schedule'")
    assert listed(text="bür") == [("Büro", admin.email)]
    schedules.delete_schedule(machine.services, admin, "Büro")
    assert listed(text="bür") == []
    assert {schedule for schedule, _ in listed()} == {""}


def test_what_became_of_a_run_is_known_before_the_next_look(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin)
    machine.to(_at(24))
    machine.look()
    machine.installation.system_sql("UPDATE rxbackup.jobs SET state = 'running', started_at = now()")
    assert machine.states() == [("running", _at(24))]
    machine.installation.system_sql("UPDATE rxbackup.jobs SET state = 'queued', started_at = NULL")
    [(job_id, kind)] = machine.installation.queue.jobs
    perform_job(machine.services, job_id, kind)
    seen = machine.runs()[0]
    assert (seen.state, "570 rows" in seen.message) == ("done", True)
    machine.look()
    assert machine.runs()[0] == seen

    machine.to(_at(25))
    machine.look()
    failed = """state = 'failed', error = '{"message": "The disk is full."}'"""
    machine.installation.system_sql(f"UPDATE rxbackup.jobs SET {failed} WHERE state = 'queued'")
    seen = schedules.show_schedule(machine.services, admin, "Nightly").last
    assert seen is not None
    assert (seen.state, seen.message) == ("failed", "The disk is full.")
    machine.installation.system_sql("DELETE FROM rxbackup.jobs WHERE state = 'failed'")
    assert machine.runs()[0].message == "Its run is not known any more."


def test_three_days_away_are_made_up_for_by_one_backup(machine: TimeMachine, admin: Actor) -> None:
    for name in ("Nightly", "Noon"):
        machine.add(admin, name, daily("02:00" if name == "Nightly" else "12:00"))
    machine.to(_at(24))
    machine.look()
    machine.work()
    machine.to(_at(27, 15))
    assert machine.look() == 2
    machine.work()
    assert machine.look() == 0
    assert machine.states() == [("done", _at(24)), ("missed", _at(25)), ("done", _at(27))]
    gap, run = machine.runs()[1], machine.runs()[0]
    assert (gap.missed, run.missed) == (2, 2)
    assert "did not run" in gap.message
    assert "2 earlier ones" in run.message
    assert machine.states("Noon") == [("missed", _at(24, 12)), ("done", _at(27, 12))]
    assert backups.list_backups(machine.services, admin).total == 3


def test_a_run_that_is_still_going_on_lets_the_next_one_be_skipped(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin, rule=hourly(1))
    machine.to(_at(23, 13))
    machine.look()
    machine.to(_at(23, 14))
    assert machine.look() == 0
    assert machine.states() == [("queued", _at(23, 13)), ("skipped", _at(23, 14))]
    assert "still waits for a worker" in machine.runs()[0].message
    with pytest.raises(Busy):
        schedules.run_schedule(machine.services, admin, "Nightly")
    machine.work()
    machine.to(_at(23, 15))
    assert machine.look() == 1


def test_what_fails_is_told_with_its_error(machine: TimeMachine, admin: Actor) -> None:
    machine.installation.patient(0.2)
    machine.add(admin)
    machine.to(_at(24))
    machine.look()
    with psycopg.connect(machine.services.source_url) as conn:
        conn.execute("LOCK TABLE public.orders IN ACCESS EXCLUSIVE MODE")
        machine.work()
    [run] = machine.runs()
    assert run.state == "failed"
    assert "lock" in run.message.lower()


def test_a_run_that_is_cancelled_has_failed_and_the_next_one_comes(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin)
    machine.to(_at(24))
    machine.look()
    jobs.cancel_job(machine.services, admin, str(machine.runs()[0].job_id))
    machine.work()
    machine.to(_at(25))
    assert machine.look() == 1
    assert [state for state, _ in machine.states()] == ["failed", "queued"]


@pytest.mark.parametrize("change", ["active = false", "role = 'viewer'"])
def test_a_schedule_whose_owner_is_no_admin_any_more_is_paused_aloud(
    machine: TimeMachine, admin: Actor, change: str
) -> None:
    view = machine.add(admin)
    machine.installation.system_sql(f"UPDATE rxbackup.accounts SET {change}")
    machine.to(_at(24))
    assert machine.look() == 0
    [run] = machine.runs()
    assert (run.state, admin.email in run.message) == ("skipped", True)
    paused = schedules.show_schedule(machine.services, CONSOLE, "Nightly")
    assert (paused.active, paused.next_at, admin.email in paused.paused_because) == (False, None, True)
    alert = "SELECT kind, about, severity, solved_by FROM rxbackup.alerts"
    assert machine.installation.system_sql(alert) == [("schedule-paused", view.id, "critical", None)]
    machine.to(_at(26))
    assert machine.look() == 0

    console = Actor.console()
    resumed = schedules.resume_schedule(machine.services, console, "Nightly")
    assert (resumed.owner, resumed.active, resumed.paused_because) == (console.email, True, "")
    assert machine.installation.system_sql(alert)[0][3] == console.email
    assert machine.look() == 0
    machine.to(_at(27))
    assert machine.look() == 1
    machine.work()
    assert machine.states()[-1] == ("done", _at(27))


def test_a_pause_keeps_settings_and_makes_up_for_nothing(machine: TimeMachine, admin: Actor) -> None:
    before = machine.add(admin)
    paused = schedules.pause_schedule(machine.services, admin, "Nightly")
    assert (paused.active, paused.next_at, paused.cadence) == (False, None, before.cadence)
    machine.to(_at(27))
    assert machine.look() == 0
    schedules.resume_schedule(machine.services, admin, "Nightly")
    assert (machine.look(), machine.states()) == (0, [])
    machine.to(_at(28))
    assert machine.look() == 1


def test_run_now_works_also_while_paused(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin)
    schedules.pause_schedule(machine.services, admin, "Nightly")
    job = schedules.run_schedule(machine.services, admin, "Nightly")
    assert job.backup_name == "Nightly 23 Nov 2026, 12:00"
    machine.work()
    machine.clock.forward(seconds=1)
    again = schedules.run_schedule(machine.services, admin, "Nightly")
    assert again.backup_name == "Nightly 23 Nov 2026, 12:00 (2)"
    machine.work()
    assert [(run.state, run.by) for run in machine.runs()] == [("done", admin.email)] * 2


def test_a_clock_that_jumps_and_comes_back_runs_nothing_twice_and_stops_nothing(
    machine: TimeMachine, admin: Actor
) -> None:
    machine.add(admin)
    machine.to(_at(24))
    machine.look()
    machine.work()
    machine.to(_at(24, 1))  # an hour back: 02:00 comes again
    assert machine.look() == 0
    machine.to(_at(24, 2, 5))
    assert (machine.look(), machine.states()) == (0, [("done", _at(24))])
    machine.to(_at(24, 3) + timedelta(days=3650))
    assert machine.look() == 1
    machine.work()
    machine.to(_at(24, 4))
    assert machine.look() == 0
    machine.to(_at(25))
    assert machine.look() == 1


def test_the_clock_of_an_instance_decides_nothing(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin)
    machine.installation.clock.forward(days=1000)
    assert machine.look() == 0
    machine.to(_at(24))
    machine.installation.clock.forward(days=-2000)
    assert machine.look() == 1


def test_a_change_of_the_rule_counts_from_now_on_and_another_one_loses_nothing(
    machine: TimeMachine, admin: Actor
) -> None:
    machine.add(admin)
    machine.to(_at(24))
    schedules.change_schedule(machine.services, admin, "Nightly", NewSchedule("Night", daily("02:00"), full_every=7))
    assert machine.look() == 1
    machine.work()
    schedules.change_schedule(machine.services, admin, "Night", NewSchedule("Night", daily("01:00")))
    assert machine.look() == 0
    assert schedules.show_schedule(machine.services, admin, "Night").next_at == _at(25, 1)
    machine.to(_at(24) + timedelta(hours=23))
    assert machine.look() == 1


def test_one_of_so_many_backups_is_full(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin, full_every=3)
    full = []
    for day in range(24, 30):
        machine.to(_at(day))
        machine.look()
        machine.work()
        job = machine.runs()[0].job_id
        [(wanted,)] = machine.installation.system_sql("SELECT parameters->'full' FROM rxbackup.jobs WHERE id = %s", job)
        full.append(wanted)
    assert full == [True, False, False, True, False, False]


def test_jitter_is_the_same_for_everybody_and_shorter_than_the_rule(machine: TimeMachine, admin: Actor) -> None:
    view = machine.add(admin, jitter_minutes=30)
    assert view.next_at is not None
    assert timedelta(0) <= view.next_at - _at(24) < timedelta(minutes=30)
    machine.to(view.next_at - timedelta(seconds=1))
    assert machine.look() == 0
    machine.to(view.next_at)
    assert machine.look() == 1
    assert machine.states() == [("queued", _at(24))]
    with pytest.raises(UsageError):
        machine.add(admin, "Other", hourly(1), jitter_minutes=60)


def test_zones_and_the_night_without_half_past_two(machine: TimeMachine, admin: Actor) -> None:
    zone = ZoneInfo("Europe/Berlin")
    machine.to(datetime(2027, 3, 27, 12, tzinfo=zone))
    view = machine.add(admin, rule=daily("02:30"), zone="Europe/Berlin")
    gap = datetime(2027, 3, 28, 3, 0, tzinfo=timezone(timedelta(hours=2)))
    assert view.coming[0] == gap
    machine.to(gap)
    assert machine.look() == 1
    machine.work()
    made = backups.list_backups(machine.services, admin).items[0]
    assert made.name == "Nightly 28 Mar 2027, 03:00"


def test_a_deleted_schedule_leaves_its_backups(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin)
    machine.to(_at(24))
    machine.look()
    schedules.delete_schedule(machine.services, admin, "Nightly")
    machine.work()  # it was deleted while its backup waited
    made = backups.list_backups(machine.services, admin).items[0]
    assert (made.state, made.schedule_id) == ("complete", None)
    with pytest.raises(NotFound):
        schedules.show_schedule(machine.services, admin, "Nightly")


def test_what_makes_no_sense_is_refused(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin)
    with pytest.raises(Refused):
        machine.add(admin)
    with pytest.raises(UsageError):
        machine.add(admin, "Mars", zone="Mars/Olympus")
    with pytest.raises(NotFound):
        machine.add(admin, "Moon", store="moon")
    with pytest.raises(UsageError):
        machine.add(admin, "Groups", groups=("No such group",))
    assert [view.name for view in schedules.list_schedules(machine.services, admin)] == ["Nightly"]


def test_a_broken_schedule_does_not_stop_the_others(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin, "Broken")
    machine.add(admin)
    machine.installation.system_sql("UPDATE rxbackup.schedules SET zone = 'Mars/Olympus' WHERE name = 'Broken'")
    machine.to(_at(24))
    assert machine.look() == 1
    broken, healthy = schedules.list_schedules(machine.services, admin)
    assert ("Mars/Olympus" in broken.when, broken.coming, broken.next_at) == (True, (), None)
    assert healthy.next_at == _at(25)


def test_a_zone_whose_rules_have_changed_is_counted_anew(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin)
    # As if an earlier release of the zones had put it elsewhere.
    machine.installation.system_sql("UPDATE rxbackup.schedules SET next_due_at = '2030-01-01T00:00:00Z'")
    assert machine.look() == 0
    assert machine.installation.system_sql("SELECT next_due_at FROM rxbackup.schedules") == [(_at(24),)]
    machine.to(_at(24))
    assert machine.look() == 1


def test_a_job_that_the_queue_did_not_take_is_handed_over_later(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin)
    machine.to(_at(24))
    whole = machine.installation.services

    def away(job_id: str, kind: str) -> int:
        raise DatabaseUnavailable

    machine.installation.services = dataclasses.replace(whole, queue=away)
    machine.look()
    machine.installation.services = whole
    assert (machine.states(), machine.installation.queue.jobs) == ([("queued", _at(24))], [])
    jobs.reap_dead_jobs(machine.services, Actor.system())
    machine.work()
    assert machine.states() == [("done", _at(24))]


def test_backups_of_schedules_are_proven_by_themselves(machine: TimeMachine, admin: Actor) -> None:
    def proven() -> str | None:
        return backups.show_backup(machine.services, admin, str(machine.runs()[0].backup_id)).view.verified_level

    def prove() -> str:
        queued = verifications.verify_regularly(machine.services, Actor.system())
        if queued is None:
            return ""
        # The rows of jobs bear the server's own time; this one was queued when our clock says.
        [(level,)] = machine.installation.system_sql(
            "UPDATE rxbackup.jobs SET created_at = %s WHERE id = %s RETURNING parameters->>'level'",
            machine.clock.now,
            queued.id,
        )
        machine.work()
        return str(level)

    backups.perform_backup(machine.services, admin, NewBackup("By hand"))
    assert prove() == ""
    machine.to(datetime.now(UTC).replace(hour=1, minute=0))
    machine.add(admin)
    assert prove() == ""
    machine.clock.forward(hours=1)
    machine.look()
    machine.work()
    assert (proven(), prove()) == ("stored", "")  # its structure waits to be verified
    machine.work()
    assert proven() == "readable"
    assert (prove(), proven(), prove()) == ("contents", "decrypted", "")
    machine.clock.forward(days=8)
    machine.look()
    machine.work()
    machine.work()
    assert (prove(), prove()) == ("contents", "")

    settings = machine.installation.services.settings.model_copy(update={"drill_days": 30})
    machine.installation.services = dataclasses.replace(machine.installation.services, settings=settings)
    assert (prove(), proven(), prove()) == ("drill", "restored", "")
    schedules.pause_schedule(machine.services, admin, "Nightly")
    machine.clock.forward(days=60)
    assert prove() == ""
