"""Runs: from the request to an end that tells the truth."""

from __future__ import annotations

import dataclasses
import re
import threading
import time
import uuid
from collections.abc import Callable

import psycopg
import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import (
    Busy,
    Cancelled,
    DatabaseUnavailable,
    Interrupted,
    JobNotFound,
    LockNotAvailable,
    PermissionDenied,
    WorkerLost,
)
from rxbackup.operations import accounts, backups, groups, jobs, previews, restores, verifications
from rxbackup.operations._runs import running
from rxbackup.operations.views import BackupView, JobView, NewBackup, NewRestore
from rxbackup.progress import Progress
from rxbackup.worker.dispatch import perform_job
from rxbackup.worker.scheduler import tick
from tests.support.installation import CONSOLE, PASSWORD, Installation


def _until(look: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _perform_queued(installation: Installation) -> JobView:
    job_id, kind = installation.queue.jobs[-1]
    perform_job(installation.services, job_id, kind)
    return jobs.show_job(installation.services, CONSOLE, job_id)


def test_a_requested_backup_waits_runs_and_succeeds(installation: Installation, admin: Actor) -> None:
    services = installation.services
    job = backups.request_backup(services, admin, NewBackup("First", description="why"))
    assert (job.state, job.kind, job.actor, job.backup_name) == ("queued", "backup", admin.email, "First")
    assert [j.id for j in jobs.active_jobs(services, admin)] == [job.id]
    assert backups.list_backups(services, admin).total == 0

    done = _perform_queued(installation)
    assert (done.state, done.percent, done.error) == ("succeeded", 100.0, None)
    assert done.result["rows"] == 570
    assert (done.started_at is not None, done.finished_at is not None) == (True, True)
    made = backups.show_backup(services, admin, str(job.backup_id)).view
    assert (made.state, made.description, made.created_by, made.job_id) == ("complete", "why", admin.email, job.id)
    assert jobs.active_jobs(services, admin) == ()


def test_a_job_is_performed_once_however_often_it_is_delivered(installation: Installation, admin: Actor) -> None:
    job = backups.request_backup(installation.services, admin, NewBackup("First"))
    threads = [threading.Thread(target=perform_job, args=(installation.services, job.id, "backup")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert jobs.show_job(installation.services, admin, job.id).state == "succeeded"
    assert backups.list_backups(installation.services, admin).total == 1


def test_a_waiting_job_is_cancelled_at_once(installation: Installation, admin: Actor) -> None:
    services = installation.services
    job = backups.request_backup(services, admin, NewBackup("First"))
    assert jobs.cancel_job(services, admin, job.id).state == "cancelled"
    assert _perform_queued(installation).state == "cancelled"
    assert backups.list_backups(services, admin).total == 0


def test_a_running_job_is_cancelled_at_its_next_step(installation: Installation, admin: Actor) -> None:
    services = installation.services
    kept = backups.perform_backup(services, admin, NewBackup("Kept"))
    reached = threading.Event()

    def watch(progress: Progress) -> None:
        if not reached.is_set():
            reached.set()
            assert jobs.cancel_job(services, admin, jobs.active_jobs(services, admin)[0].id).cancel_requested
        time.sleep(0.2)
        del progress

    with pytest.raises(Cancelled):
        backups.perform_backup(services, admin, NewBackup("Unwanted"), on_progress=watch)
    assert jobs.recent_jobs(services, admin)[0].state == "cancelled"
    unwanted = backups.show_backup(services, admin, "Unwanted").view
    assert (unwanted.state, unwanted.error is not None) == ("interrupted", True)
    assert verifications.perform_verify(services, admin, kept.id).ok


@pytest.mark.parametrize("kind", ["backup", "restore", "preview"])
def test_a_run_that_waits_for_a_lock_hears_of_its_cancellation(
    installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(running, "HEARTBEAT_SECONDS", 0.2)
    kept = backups.perform_backup(installation.services, admin, NewBackup("Kept"))
    services = installation.patient(600)
    asked = NewRestore(kept.id, confirm_name="Kept", safety=False)
    ask: dict[str, Callable[[], JobView]] = {
        "backup": lambda: backups.request_backup(services, admin, NewBackup("Blocked")),
        "restore": lambda: restores.request_restore(services, admin, asked),
        "preview": lambda: previews.request_preview(services, admin, asked),
    }
    image = installation.image()
    job = ask[kind]()
    with psycopg.connect(services.source_url) as conn:
        conn.execute("LOCK TABLE public.orders IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=perform_job, args=(services, job.id, kind))
        thread.start()
        _until(lambda: _waits_for_a_lock(installation))
        assert jobs.cancel_job(services, admin, job.id).cancel_requested
        thread.join(timeout=60)
        assert not thread.is_alive()
        assert jobs.show_job(services, admin, job.id).state == "cancelled"
    assert installation.image() == image


def _waits_for_a_lock(installation: Installation) -> bool:
    return bool(
        installation.sql(
            "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted"
            " AND a.datname = current_database() AND a.application_name LIKE 'rxbackup%'"
        )
    )


def test_who_asks_for_a_restore_hears_of_a_locked_table_soon(installation: Installation, admin: Actor) -> None:
    kept = backups.perform_backup(installation.services, admin, NewBackup("Kept"))
    services = installation.patient(600)
    with psycopg.connect(services.source_url, application_name="a migration") as conn:
        conn.execute("LOCK TABLE public.orders IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LockNotAvailable, match=r"public\.orders is locked by a migration"):
            restores.request_restore(services, admin, NewRestore(kept.id, confirm_name="Kept"))
    assert jobs.active_jobs(services, admin) == ()


def test_a_statement_that_somebody_else_ended_is_a_failure(installation: Installation, admin: Actor) -> None:
    services = installation.patient(600)
    with psycopg.connect(services.source_url) as conn:
        conn.execute("LOCK TABLE public.orders IN ACCESS EXCLUSIVE MODE")
        job = backups.request_backup(services, admin, NewBackup("Ended"))
        thread = threading.Thread(target=perform_job, args=(services, job.id, "backup"))
        thread.start()
        _until(lambda: _waits_for_a_lock(installation))
        installation.sql(
            "SELECT pg_cancel_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.datname = current_database()"
        )
        thread.join(timeout=60)
    done = jobs.show_job(services, admin, job.id)
    assert (done.state, done.error and done.error.code) == ("failed", "statement-cancelled")


def test_a_failure_is_told_on_job_and_backup(installation: Installation, admin: Actor) -> None:
    services = installation.patient(0.2)
    with psycopg.connect(services.source_url, application_name="a migration") as conn:
        conn.execute("LOCK TABLE public.orders IN ACCESS EXCLUSIVE MODE")
        job = backups.request_backup(services, admin, NewBackup("Blocked"))
        done = _perform_queued(installation)
    assert done.error is not None
    assert (done.state, done.error.code) == ("failed", "lock-not-available")
    assert "public.orders is locked by a migration" in done.error.message
    view = backups.show_backup(services, admin, str(job.backup_id)).view
    assert (view.state, view.error) == ("failed", done.error)


def test_an_unexpected_error_shows_no_insides(installation: Installation, admin: Actor) -> None:
    services = installation.services

    def explode(progress: Progress) -> None:
        raise ZeroDivisionError("secret insides")

    with pytest.raises(ZeroDivisionError):
        backups.perform_backup(services, admin, NewBackup("First"), on_progress=explode)
    job = jobs.recent_jobs(services, admin)[0]
    assert job.state == "failed"
    assert job.error is not None
    assert "secret" not in job.error.message + job.error.hint


def _running_job(installation: Installation, *, silent: bool, worker: str | None = None) -> tuple[str, str]:
    """A job and its backup, both left running by a process that is no more."""
    job_id, backup_id = str(uuid.uuid4()), str(uuid.uuid4())
    beat = "now() - interval '31 seconds'" if silent else "now()"
    installation.system_sql(
        "INSERT INTO rxbackup.jobs (id, kind, actor, parameters, state, started_at, heartbeat_at, worker) "
        f"VALUES (%s, 'backup', 'ada@example.org', '{{}}', 'running', now(), {beat}, %s)",
        job_id,
        worker,
    )
    installation.system_sql(
        "INSERT INTO rxbackup.backups (id, name, created_by, store, state, job_id) "
        "VALUES (%s, 'Left', 'ada@example.org', 'database', 'running', %s)",
        backup_id,
        job_id,
    )
    return job_id, backup_id


def test_silent_jobs_are_found_dead(installation: Installation, admin: Actor) -> None:
    services = installation.services
    job_id, backup_id = _running_job(installation, silent=True)
    assert jobs.reap_dead_jobs(services, Actor.system()) == (job_id,)
    job = jobs.show_job(services, admin, job_id)
    assert (job.state, job.error and job.error.code) == ("interrupted", "worker-lost")
    view = backups.show_backup(services, admin, backup_id).view
    assert (view.state, view.error) == ("interrupted", job.error)
    assert jobs.reap_dead_jobs(services, Actor.system()) == ()


def test_living_jobs_are_left_alone_and_jobs_of_dead_processes_are_not(
    installation: Installation, admin: Actor
) -> None:
    from rxbackup.operations._runs.process import this_process

    mine = this_process()
    living, _ = _running_job(installation, silent=False, worker=mine)
    elsewhere, _ = _running_job(installation, silent=False, worker="otherhost|pid:[1]|1|1")
    dead, _ = _running_job(installation, silent=False, worker=mine.rpartition("|")[0] + "|1")
    assert jobs.reap_dead_jobs(installation.services, Actor.system()) == (dead,)
    assert {j.id for j in jobs.active_jobs(installation.services, admin)} == {living, elsewhere}


def test_a_process_believed_dead_cannot_finish(installation: Installation, admin: Actor) -> None:
    services = installation.services
    reaped = []

    def stall(progress: Progress) -> None:
        if not reaped:
            installation.system_sql("UPDATE rxbackup.jobs SET heartbeat_at = now() - interval '1 minute'")
            reaped.extend(jobs.reap_dead_jobs(services, Actor.system()))
        del progress

    with pytest.raises(WorkerLost):
        backups.perform_backup(services, admin, NewBackup("Zombie"), on_progress=stall)
    assert len(reaped) == 1
    assert jobs.recent_jobs(services, admin)[0].state == "interrupted"
    assert backups.show_backup(services, admin, "Zombie").view.state == "interrupted"


def test_a_process_that_is_told_to_end_interrupts_its_jobs(
    installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()
    monkeypatch.setattr(running, "stopping", stopping)
    with pytest.raises(Interrupted):
        backups.perform_backup(installation.services, admin, NewBackup("Stopped"), on_progress=lambda _: stopping.set())
    assert jobs.recent_jobs(installation.services, admin)[0].state == "interrupted"


def test_a_second_restore_is_refused_and_told_whose_the_first_is(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    new = NewRestore(backup.id, tables=("public.notes", "public.orders"), safety=False, confirm_name="First")
    overlapping = dataclasses.replace(new, tables=("public.notes", "public.customers"))
    apart = dataclasses.replace(new, tables=("public.customers",))
    told: list[str] = []

    def others(progress: Progress) -> None:
        if not told:
            for other in (overlapping, apart):
                for ask in (restores.perform_restore, restores.request_restore):
                    with pytest.raises(Busy) as busy:
                        ask(services, admin, other)
                    told.append(busy.value.message)
        del progress

    restores.perform_restore(services, admin, new, on_progress=others)
    assert len(told) == 4
    assert all(re.match(r"A restore of First by ada@example.org is running since \d\d:\d\d UTC\. ", m) for m in told)
    assert [m.partition("UTC. ")[2] for m in told[::2]] == [
        "It restores public.notes too.",
        "It restores other tables, but foreign keys may tie them: restores take turns.",
    ]
    states = [job.state for job in jobs.recent_jobs(services, admin) if job.kind == "restore"]
    assert states == ["succeeded"]
    assert restores.perform_restore(services, admin, overlapping).tables.keys() == {"public.notes", "public.customers"}


def test_a_worker_says_why_a_job_did_not_begin(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    restores.request_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    installation.system_sql("UPDATE rxbackup.backups SET state = 'failed'")
    job = _perform_queued(installation)
    assert (job.state, job.error and job.error.code) == ("failed", "refused")


def test_who_lost_the_right_meanwhile_gets_nothing(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backups.request_backup(services, admin, NewBackup("First"))
    installation.system_sql("UPDATE rxbackup.accounts SET active = false")
    job = _perform_queued(installation)
    assert (job.state, job.error and job.error.code) == ("failed", "permission-denied")
    installation.system_sql("UPDATE rxbackup.accounts SET active = true, role = 'viewer'")
    accounts.create_admin(services, CONSOLE, "other@example.org", PASSWORD)
    backups.request_backup(services, Actor("other@example.org", "admin"), NewBackup("Second"))
    installation.system_sql("UPDATE rxbackup.accounts SET role = 'viewer'")
    job = _perform_queued(installation)
    assert (job.state, job.error and job.error.code) == ("failed", "permission-denied")
    assert backups.list_backups(services, CONSOLE).total == 0


def test_forgotten_jobs_are_handed_over_again(installation: Installation, admin: Actor) -> None:
    job = backups.request_backup(installation.services, admin, NewBackup("First"))
    jobs.reap_dead_jobs(installation.services, Actor.system())
    assert installation.queue.jobs == [(job.id, "backup")]
    installation.system_sql("UPDATE rxbackup.jobs SET created_at = now() - interval '2 minutes'")
    jobs.reap_dead_jobs(installation.services, Actor.system())
    assert installation.queue.jobs == [(job.id, "backup")] * 2


def test_unknown_jobs_are_not_found(installation: Installation, admin: Actor) -> None:
    for unknown in (str(uuid.uuid4()), "nonsense", ""):
        with pytest.raises(JobNotFound):
            jobs.show_job(installation.services, admin, unknown)


def test_the_tick_does_every_duty_although_one_fails(
    installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rxbackup.operations import health
    from rxbackup.worker import scheduler

    def broken(services: object, actor: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(scheduler, "_DUTIES", (broken, *scheduler._DUTIES))
    assert not health.readiness(installation.services).checks["scheduler"].ok
    tick(installation.services)
    assert health.readiness(installation.services).ok
    installation.clock.forward(minutes=4)
    assert not health.readiness(installation.services).checks["scheduler"].ok
    del admin


def test_many_backups_at_once_all_succeed(installation: Installation, admin: Actor) -> None:
    made: list[BackupView] = []

    def take(number: int) -> None:
        made.append(backups.perform_backup(installation.services, admin, NewBackup(f"B{number}")))

    threads = [threading.Thread(target=take, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    for view in made[1:]:
        backups.delete_backup(installation.services, admin, view.id)
    assert verifications.perform_verify(installation.services, admin, made[0].id).ok


def test_a_double_click_is_one_wish(installation: Installation, admin: Actor) -> None:
    services = installation.services
    asked: list[str] = []
    group = groups.count_groups(services, admin)[0].name

    def click() -> None:
        asked.append(backups.request_backup(services, admin, NewBackup("First", groups=(group,))).id)

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 8
    assert len(set(asked)) == 1
    assert backups.request_backup(services, admin, NewBackup("Second")).id not in asked


def test_what_could_not_be_queued_does_not_run_later(installation: Installation, admin: Actor) -> None:
    def away(job_id: str, kind: str) -> int:
        raise DatabaseUnavailable(f"The queue is away, {job_id} {kind}.")

    services = dataclasses.replace(installation.services, queue=away)
    with pytest.raises(DatabaseUnavailable):
        backups.request_backup(services, admin, NewBackup("First"))
    assert jobs.recent_jobs(services, admin)[0].state == "failed"
    assert jobs.active_jobs(services, admin) == ()


def test_who_may_not_restore_may_not_stop_a_restore(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    job = restores.request_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    with pytest.raises(PermissionDenied):
        jobs.cancel_job(services, Actor(admin.email, "operator"), job.id)
    assert jobs.show_job(services, admin, job.id).state == "queued"


def test_a_cancellation_that_was_accepted_holds_even_at_the_last_moment(
    installation: Installation, admin: Actor
) -> None:
    services = installation.services

    def watch(progress: Progress) -> None:
        if progress.stage.startswith("Writing the manifest"):
            assert jobs.cancel_job(services, admin, jobs.active_jobs(services, admin)[0].id).cancel_requested

    with pytest.raises(Cancelled):
        backups.perform_backup(services, admin, NewBackup("Unwanted"), on_progress=watch)
    assert jobs.recent_jobs(services, admin)[0].state == "cancelled"
    assert backups.show_backup(services, admin, "Unwanted").view.state == "interrupted"
