"""Processes that are killed and connections that die. What was promised must hold all the same."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psutil
import psycopg
import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import DatabaseTrouble, DatabaseUnavailable
from rxbackup.operations import _running, backups, jobs, restores, verifications
from rxbackup.operations.views import BackupView, JobView, NewBackup, NewRestore
from rxbackup.restore import run as restore_run
from rxbackup.wiring.queue import JobQueue
from rxbackup.worker.supervision import child_environment
from tests.support.installation import Installation

BIG = """
CREATE TABLE public.readings (id int PRIMARY KEY, at timestamptz NOT NULL, note text NOT NULL);
INSERT INTO public.readings SELECT n, now(), repeat(md5(n::text), 8) FROM generate_series(1, 250000) n;
ANALYZE;
"""


@contextlib.contextmanager
def _worker(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "rxbackup.worker"],
        env=child_environment(installation.services.settings),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the worker alone; its copy processes must notice and go by themselves."""
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError("copy processes outlived their worker")


def _queue(installation: Installation, job: JobView) -> None:
    queue = JobQueue(installation.services.system_url)
    queue.put(job.id, job.kind)
    queue.close()


def _await(
    installation: Installation, admin: Actor, job: JobView, *, stage: str = "", states: str = "running"
) -> JobView:
    deadline = time.monotonic() + 60
    while True:
        now = jobs.show_job(installation.services, admin, job.id)
        if now.state in states.split() and now.stage.startswith(stage):
            return now
        assert now.is_active, now
        assert time.monotonic() < deadline, now
        time.sleep(0.02)


@pytest.fixture
def kept(installation: Installation, admin: Actor) -> BackupView:
    """A backup from before the calamity, of a shop that holds some 80 MB."""
    installation.sql(BIG)
    return backups.perform_backup(installation.services, admin, NewBackup("Kept"))


def _image(installation: Installation) -> object:
    return installation.image(), installation.sql(
        "SELECT count(*), sum(hashtextextended(r::text, 0)) FROM public.readings r"
    )


def test_a_worker_killed_in_the_middle_of_a_backup_leaves_no_running_job(
    installation: Installation, admin: Actor, kept: BackupView
) -> None:
    services = installation.services
    installation.sql("UPDATE public.readings SET note = reverse(note)")
    job = backups.request_backup(services, admin, NewBackup("Killed"))
    _queue(installation, job)
    with _worker(installation) as worker:
        _await(installation, admin, job, stage="Reading")
        _kill(worker)
    assert jobs.reap_dead_jobs(services, Actor.system()) == (job.id,)
    assert jobs.show_job(services, admin, job.id).state == "interrupted"
    assert backups.show_backup(services, admin, str(job.backup_id)).view.state == "interrupted"
    assert verifications.perform_verify(services, admin, kept.id).ok
    again = backups.perform_backup(services, admin, NewBackup("Again"))
    assert verifications.perform_verify(services, admin, again.id).ok
    backups.delete_backup(services, admin, str(job.backup_id))
    assert verifications.perform_verify(services, admin, again.id).ok


def test_a_worker_killed_in_the_middle_of_a_restore_changes_nothing(
    installation: Installation, admin: Actor, kept: BackupView
) -> None:
    services = installation.services
    installation.sql("UPDATE public.readings SET note = reverse(note)")
    installation.sql("DELETE FROM public.orders")
    before = _image(installation)
    job = restores.request_restore(services, admin, NewRestore(kept.id, safety=False, confirm_name="Kept"))
    _queue(installation, job)
    with _worker(installation) as worker:
        _await(installation, admin, job, stage="Opening the backup")
        time.sleep(0.5)
        _kill(worker)
    assert jobs.reap_dead_jobs(services, Actor.system()) == (job.id,)
    assert jobs.show_job(services, admin, job.id).state == "interrupted"
    assert _image(installation) == before
    restores.perform_restore(services, admin, NewRestore(kept.id, safety=False, confirm_name="Kept"))
    assert installation.sql("SELECT count(*) FROM public.orders") == [(500,)]


def test_a_worker_that_is_told_to_end_says_so_within_ten_seconds(
    installation: Installation, admin: Actor, kept: BackupView
) -> None:
    services = installation.services
    installation.sql("UPDATE public.readings SET note = reverse(note)")
    job = backups.request_backup(services, admin, NewBackup("Stopped"))
    _queue(installation, job)
    with _worker(installation) as worker:
        _await(installation, admin, job, stage="Reading")
        began = time.monotonic()
        worker.terminate()
        worker.wait(timeout=10)
        assert time.monotonic() - began < 10
    ended = jobs.show_job(services, admin, job.id)
    if ended.state != "succeeded":  # it may just have been through
        assert ended.state == "interrupted"
        assert backups.show_backup(services, admin, str(job.backup_id)).view.state == "interrupted"
    assert [p for p in psutil.process_iter(["ppid"]) if p.info["ppid"] == worker.pid] == []
    del kept


def test_the_job_of_a_committed_restore_says_so_although_the_connection_died(
    installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = installation.services
    before = installation.image()
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("DELETE FROM public.orders")
    commit = restore_run._commit

    def cut(conn: Any, before_commit: Any) -> None:
        commit(conn, before_commit)
        raise DatabaseUnavailable("The connection was lost.")

    monkeypatch.setattr(restore_run, "_commit", cut)
    done = restores.perform_restore(services, admin, NewRestore(backup.id, safety=False, confirm_name="First"))
    assert "just after" in done.note
    assert jobs.show_job(services, admin, done.job).state == "succeeded"
    assert installation.image() == before


def test_the_job_of_a_restore_that_was_cut_before_its_commit_failed(
    installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("DELETE FROM public.orders")
    before = installation.image()
    note_commit = _running.Run.note_commit

    def cut(run: _running.Run, xid: str) -> None:
        note_commit(run, xid)
        from tests.support.postgres import admin_url

        with psycopg.connect(admin_url(services.source_url), autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'rxbackup restore' AND datname = current_database()"
            )

    monkeypatch.setattr(_running.Run, "note_commit", cut)
    with pytest.raises(DatabaseTrouble):
        restores.perform_restore(services, admin, NewRestore(backup.id, safety=False, confirm_name="First"))
    assert jobs.recent_jobs(services, admin)[0].state == "failed"
    assert installation.image() == before


@pytest.mark.parametrize(("end", "state"), [("COMMIT", "succeeded"), ("ROLLBACK", "interrupted")])
def test_a_restore_found_dead_is_judged_by_its_transaction(
    installation: Installation, admin: Actor, end: str, state: str
) -> None:
    services = installation.services
    job_id = str(uuid.uuid4())
    with psycopg.connect(services.source_url, autocommit=True) as conn:
        conn.execute("BEGIN")
        xid = conn.execute("SELECT pg_current_xact_id()::text").fetchone()
        assert xid is not None
        installation.system_sql(
            "INSERT INTO rxbackup.jobs (id, kind, actor, state, started_at, heartbeat_at, commit_xid) "
            "VALUES (%s, 'restore', 'ada@example.org', 'running', now(), now() - interval '1 hour', %s)",
            job_id,
            xid[0],
        )
        assert jobs.reap_dead_jobs(services, Actor.system()) == ()
        assert jobs.show_job(services, admin, job_id).state == "running"
        conn.execute(end)
    assert jobs.reap_dead_jobs(services, Actor.system()) == (job_id,)
    assert jobs.show_job(services, admin, job_id).state == state


def test_nothing_changes_if_the_note_before_the_commit_cannot_be_written(
    installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("DELETE FROM public.orders")
    before = installation.image()

    def away(run: _running.Run, xid: str) -> None:
        raise DatabaseUnavailable(f"The system database is away, {xid}.")

    monkeypatch.setattr(_running.Run, "note_commit", away)
    with pytest.raises(DatabaseUnavailable):
        restores.perform_restore(services, admin, NewRestore(backup.id, safety=False, confirm_name="First"))
    assert installation.image() == before


def test_no_restore_begins_without_its_safety_backup(
    installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("DELETE FROM public.orders")
    before = installation.image()

    def full(*arguments: object, **named: object) -> None:
        from rxbackup.errors import StoreFull

        raise StoreFull

    monkeypatch.setattr("rxbackup.operations._taking.run_backup", full)
    with pytest.raises(Exception, match="no space left"):
        restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    assert installation.image() == before
    job = jobs.recent_jobs(services, admin)[0]
    assert (job.kind, job.state, job.error and job.error.code) == ("restore", "failed", "store-full")
    unfinished = [b for b in backups.list_backups(services, admin).items if b.trigger == "safety"]
    assert [b.state for b in unfinished] == ["failed"]
