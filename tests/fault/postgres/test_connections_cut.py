"""PostgreSQL cuts a connection of ours, or dies: a clear word, nothing half done, and the next run works."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import DatabaseTrouble, DatabaseUnavailable, RxbackupError, StoreUnavailable
from rxbackup.operations import accounts, backups, jobs, restores
from rxbackup.operations.views import BackupView, NewBackup, NewRestore
from rxbackup.postgres.embedded import EmbeddedServer
from tests.support.databases import take_image
from tests.support.gates import Gate, gate_at_row, gate_before_insert, until
from tests.support.installation import ADMIN, CONSOLE, PASSWORD, SHOP, Installation, build
from tests.support.postgres import admin_url, throwaway_server
from tests.support.workers import assert_sound

CHUNKS = "NEW.name LIKE 'chunks/%'"


@pytest.fixture
def kept(installation: Installation, admin: Actor) -> BackupView:
    return _kept(installation, admin)


def _kept(installation: Installation, admin: Actor) -> BackupView:
    backup = backups.perform_backup(installation.services, admin, NewBackup("Kept"))
    installation.sql("UPDATE public.customers SET name = upper(name)")
    installation.sql("DELETE FROM public.orders WHERE id > 100")
    return backup


@contextmanager
def _beside(work: Callable[[], object]) -> Iterator[Future[object]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def _terminate(installation: Installation, application: str) -> None:
    with psycopg.connect(admin_url(installation.services.source_url), autocommit=True) as conn:
        row = conn.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            (application,),
        ).fetchone()
    assert row is not None
    assert row[0] >= 1, f"nobody named {application!r} was there to be cut"


def _failed(future: Future[object], gate: Gate) -> RxbackupError:
    gate.open()
    with pytest.raises(RxbackupError) as caught:
        future.result(60)
    return caught.value


@pytest.mark.parametrize(
    ("victim", "processes", "expected"),
    [
        ("rxbackup backup", None, DatabaseUnavailable),
        ("rxbackup backup", 2, DatabaseUnavailable),
        ("rxbackup backup (copy)", 2, DatabaseUnavailable),
    ],
    ids=["the one that reads", "the leader of copiers", "the copiers"],
)
def test_cut_in_a_backup(
    installation: Installation,
    admin: Actor,
    kept: BackupView,
    victim: str,
    processes: int | None,
    expected: type[RxbackupError],
) -> None:
    settings = installation.services.settings.model_copy(update={"processes": processes})
    services = dataclasses.replace(installation.services, settings=settings)
    with (
        gate_before_insert(services.system_url, "rxbackup.objects", CHUNKS) as gate,
        _beside(lambda: backups.perform_backup(services, admin, NewBackup("Cut"))) as running,
    ):
        gate.wait()
        _terminate(installation, victim)
        error = _failed(running, gate)
    assert isinstance(error, expected), error
    assert (error.exit_code, bool(error.hint)) == (1, True)
    last = jobs.recent_jobs(services, admin)[0]
    assert (last.state, last.error and last.error.code) == ("failed", "database-unavailable")
    assert [b.state for b in backups.list_backups(services, admin).items if b.name == "Cut"] == ["failed"]
    assert_sound(installation, admin, kept)


def test_cut_store_connection_is_replaced_or_told(installation: Installation, admin: Actor, kept: BackupView) -> None:
    services = installation.services
    with (
        gate_before_insert(services.system_url, "rxbackup.objects", CHUNKS) as gate,
        _beside(lambda: backups.perform_backup(services, admin, NewBackup("Cut"))) as running,
    ):
        gate.wait()
        _terminate(installation, "rxbackup store")
        gate.open()
        try:
            running.result(60)
            expected = "complete"
        except StoreUnavailable:
            expected = "failed"
    assert [b.state for b in backups.list_backups(services, admin).items if b.name == "Cut"] == [expected]
    assert_sound(installation, admin, kept)


def test_cut_in_a_restore(installation: Installation, admin: Actor, kept: BackupView) -> None:
    services = installation.services
    wanted = NewRestore(kept.id, safety=False, confirm_name=kept.name)
    with gate_at_row(services.source_url, "public.orders", "id = 300") as gate:
        before = take_image(services.source_url)
        with _beside(lambda: restores.perform_restore(services, admin, wanted)) as running:
            gate.wait()
            _terminate(installation, "rxbackup restore")
            error = _failed(running, gate)
    assert isinstance(error, DatabaseUnavailable), error
    assert error.exit_code == 1
    assert jobs.recent_jobs(services, admin)[0].state == "failed"
    assert take_image(services.source_url) == before
    assert_sound(installation, admin, kept)


@pytest.fixture(scope="module")
def other_server() -> Iterator[EmbeddedServer]:
    with throwaway_server() as server:
        with psycopg.connect(server.url, autocommit=True) as conn:
            conn.execute(SHOP)
        yield server


@pytest.fixture
def apart(system_database: str, other_server: EmbeddedServer, tmp_path: Path) -> Iterator[Installation]:
    """An installation whose protected database is on a server of its own, which may be killed."""
    with psycopg.connect(other_server.url, autocommit=True) as conn:
        conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        conn.execute(SHOP)
    built = build(system_database, other_server.url, tmp_path)
    yield built
    built.services.system.dispose()


def _kill_server(server: EmbeddedServer) -> None:
    pid = int((server.folder / "postmaster.pid").read_text().splitlines()[0])
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    os.kill(pid, signal.SIGKILL)
    until(
        lambda: not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE], "the server is dead"
    )


def test_server_killed_in_a_backup_and_in_a_restore(apart: Installation, other_server: EmbeddedServer) -> None:
    accounts.create_admin(apart.services, CONSOLE, ADMIN, PASSWORD)
    admin, services = Actor(ADMIN, "admin"), apart.services
    kept = _kept(apart, admin)
    with (
        gate_before_insert(services.system_url, "rxbackup.objects", CHUNKS) as gate,
        _beside(lambda: backups.perform_backup(services, admin, NewBackup("Killed"))) as running,
    ):
        gate.wait()
        _kill_server(other_server)
        error = _failed(running, gate)
    assert isinstance(error, DatabaseUnavailable), error
    assert error.exit_code == 1
    assert [b.state for b in backups.list_backups(services, admin).items if b.name == "Killed"] == ["failed"]
    with pytest.raises(DatabaseUnavailable):
        backups.perform_backup(services, admin, NewBackup("While it is away"))

    other_server.ensure_running()
    assert other_server.url == services.source_url
    wanted = NewRestore(kept.id, safety=False, confirm_name=kept.name)
    with gate_at_row(services.source_url, "public.orders", "id = 300") as gate:
        before = take_image(services.source_url)
        with _beside(lambda: restores.perform_restore(services, admin, wanted)) as running:
            gate.wait()
            _kill_server(other_server)
            with pytest.raises(DatabaseTrouble) as caught:
                running.result(60)
        assert isinstance(caught.value, DatabaseUnavailable), caught.value
        other_server.ensure_running()
    assert jobs.recent_jobs(services, admin)[0].state == "failed"
    assert take_image(services.source_url) == before
    assert_sound(apart, admin, kept)
