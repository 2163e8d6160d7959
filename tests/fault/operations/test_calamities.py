"""Connections that die and notes that cannot be written. What was promised must hold all the same.

Processes that are killed: see `tests/fault/processes`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import DatabaseTrouble, DatabaseUnavailable
from rxbackup.operations import backups, jobs, restores
from rxbackup.operations._runs import running
from rxbackup.operations.views import NewBackup, NewRestore
from rxbackup.restore import run as restore_run
from tests.support.installation import Installation


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
    note_commit = running.Run.note_commit

    def cut(run: running.Run, xid: str, result: Mapping[str, Any]) -> None:
        note_commit(run, xid, result)
        from tests.support.postgres import admin_url

        with psycopg.connect(admin_url(services.source_url), autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'rxbackup restore' AND datname = current_database()"
            )

    monkeypatch.setattr(running.Run, "note_commit", cut)
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

    def away(run: running.Run, xid: str, result: Mapping[str, Any]) -> None:
        raise DatabaseUnavailable(f"The system database is away, {xid}.")

    monkeypatch.setattr(running.Run, "note_commit", away)
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

    monkeypatch.setattr("rxbackup.operations._backups.taking.run_backup", full)
    with pytest.raises(Exception, match="no space left"):
        restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    assert installation.image() == before
    job = jobs.recent_jobs(services, admin)[0]
    assert (job.kind, job.state, job.error and job.error.code) == ("restore", "failed", "store-full")
    unfinished = [b for b in backups.list_backups(services, admin).items if b.trigger == "safety"]
    assert [b.state for b in unfinished] == ["failed"]
