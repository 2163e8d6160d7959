"""Whatever ends a drill, nothing of it stays for long, and nobody drops the place of a drill that lives."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event

import psycopg
import pytest
from psycopg import sql

from rxbackup.backup.run import BackupOutcome
from rxbackup.errors import Cancelled, DatabaseUnavailable
from rxbackup.postgres.connecting import connect
from rxbackup.postgres.scratch_trying import execute_watched
from rxbackup.progress import Progress
from rxbackup.vault.vault import Vault
from rxbackup.verify.drill import RESTORING, drop_leftovers
from tests.support.databases import back_up
from tests.support.drills import drill, leftovers, once, role_of_its_own, run
from tests.support.gates import until
from tests.support.postgres import admin_url
from tests.support.vaults import new_vault

STAGES = [
    "Preparing the drill",
    RESTORING,
    "Checking keys and constraints",
    "Setting the sequences",
    "Trying to write",
]
SHOP = """
CREATE TABLE kinds (id serial PRIMARY KEY, code text);
CREATE TABLE things (id serial PRIMARY KEY, kind int REFERENCES kinds);
INSERT INTO kinds (code) SELECT 'code ' || n FROM generate_series(1, 9) n;
INSERT INTO things (kind) SELECT 1 + n % 9 FROM generate_series(1, 90) n;
CREATE SCHEMA other; CREATE TABLE other.things (id int);
"""
_FORK = multiprocessing.get_context("fork")


@pytest.fixture(params=["", "CREATEDB"], ids=["schema", "database"])
def url(request: pytest.FixtureRequest, database: str) -> Iterator[str]:
    run(database, SHOP)
    with role_of_its_own(database, options=request.param, rights="CREATE") as url:
        yield url


def test_a_cancelled_drill_leaves_nothing(url: str, database: str) -> None:
    vault = new_vault()
    outcome = back_up(admin_url(database), vault)

    def cancel() -> None:
        raise Cancelled

    for stage in STAGES:
        with pytest.raises(Cancelled):
            drill(url, vault, outcome, on_progress=once(stage, cancel))
        assert leftovers(url) == [], stage


def test_a_cancelled_statement_ends_at_once(database: str) -> None:
    began = time.monotonic()

    def watch() -> None:
        raise Cancelled

    with connect(database, application_name="test") as conn:
        with pytest.raises(Cancelled):
            execute_watched(conn, sql.SQL("SELECT pg_catalog.pg_sleep({})").format(sql.Literal(60)), watch)
        assert conn.execute("SELECT 1").fetchone() == (1,)
    assert time.monotonic() - began < 20


def test_a_drill_whose_connection_is_ended_leaves_nothing(url: str, database: str) -> None:
    vault = new_vault()
    outcome = back_up(admin_url(database), vault)

    def end() -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'rxbackup drill' AND wait_event = 'ClientRead'"
            )

    with pytest.raises(DatabaseUnavailable):
        drill(url, vault, outcome, on_progress=once("Checking keys and constraints", end))
    drop_leftovers(url)
    assert leftovers(url) == []


# Not in the middle of a COPY: a backend that waits for rows holds up every DROP DATABASE of the server.
@pytest.mark.parametrize("stage", ["Checking keys and constraints", "Trying to write"])
def test_leftovers_of_a_killed_drill_go_but_a_living_one_stays(url: str, database: str, stage: str) -> None:
    vault = new_vault()
    outcome = back_up(admin_url(database), vault)
    with _paused_drill(url, vault, outcome, stage) as kill:
        there = leftovers(url)
        assert there
        assert drop_leftovers(url) == ()
        assert leftovers(url) == there
        # Another one does its work meanwhile, and cleans up nothing but its own.
        assert drill(url, vault, outcome).ok
        assert leftovers(url) == there
        kill()

    assert leftovers(url) == there
    until(lambda: set(drop_leftovers(url)) == set(there) or not leftovers(url), "the leftovers are dropped")
    assert leftovers(url) == []


def test_a_drill_cleans_up_after_one_that_was_killed(url: str, database: str) -> None:
    vault = new_vault()
    outcome = back_up(admin_url(database), vault)
    with _paused_drill(url, vault, outcome, RESTORING) as kill:
        kill()

    def gone() -> bool:
        assert drill(url, vault, outcome).ok
        return not leftovers(url)

    until(gone, "the next drill has dropped the leftovers")


def test_a_schema_of_somebody_else_is_let_alone(database: str) -> None:
    run(database, "CREATE SCHEMA rxbackup_drill_notes; CREATE SCHEMA rxbackup_drill_0123456789abcdef_old")

    assert drop_leftovers(database) == ()
    assert len(leftovers(database)) == 2


@contextmanager
def _paused_drill(url: str, vault: Vault, outcome: BackupOutcome, stage: str) -> Iterator[Callable[[], None]]:
    """A drill in a process of its own that waits at a stage; yields what kills it."""
    reached = _FORK.Event()
    process = _FORK.Process(target=_drill_and_wait, args=(url, vault, outcome, stage, reached))
    process.start()

    def kill() -> None:
        process.kill()
        process.join()

    try:
        assert reached.wait(60)
        yield kill
    finally:
        kill()


def _drill_and_wait(url: str, vault: Vault, outcome: BackupOutcome, stage: str, reached: Event) -> None:
    def on_progress(progress: Progress) -> None:
        if progress.stage == stage:
            reached.set()
            time.sleep(600)

    drill(url, vault, outcome, on_progress=on_progress)
