"""Writers beside a restore: those of untouched tables go on, no transaction is torn, and nobody dies of a deadlock."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from rxbackup.backup.run import BackupOutcome
from rxbackup.restore.report import RestoreReport
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up, restore, take_image
from tests.support.gates import gate_at_row, until
from tests.support.vaults import new_local_vault

pytestmark = pytest.mark.integration

_SCHEMA = (
    "CREATE TABLE public.firms (id int PRIMARY KEY, body text)",
    "CREATE TABLE public.calm (id int PRIMARY KEY, body text)",
    "CREATE TABLE public.orders (id int PRIMARY KEY, firm int REFERENCES public.firms, body text)",
    "CREATE TABLE public.lines (id int PRIMARY KEY, orders int REFERENCES public.orders ON DELETE CASCADE)",
    *(f"INSERT INTO public.{t} SELECT n, md5(n::text) FROM generate_series(1, 2000) n" for t in ("firms", "calm")),
    "INSERT INTO public.orders SELECT n, n, md5(n::text) FROM generate_series(1, 2000) n",
    "INSERT INTO public.lines SELECT n, n FROM generate_series(1, 2000) n",
)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with new_local_vault(tmp_path) as vault:
        yield vault


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


def _ids(url: str, table: str, condition: str = "true") -> set[int]:
    with psycopg.connect(url) as conn:
        return {row[0] for row in conn.execute(f"SELECT id FROM public.{table} WHERE {condition}")}


def _backed_up(url: str, vault: Vault) -> BackupOutcome:
    _run(url, *_SCHEMA)
    return back_up(url, vault)


def _waits_for_a_lock(url: str) -> Callable[[], object]:
    def claim() -> object:
        with psycopg.connect(url) as conn:
            return conn.execute(
                "SELECT 1 FROM pg_stat_activity WHERE application_name = 'rxbackup restore' "
                "AND datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone()

    return claim


@pytest.fixture
def beside() -> Iterator[Callable[..., Future[Any]]]:
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit


def test_writers_of_untouched_tables_go_on(
    system_database: str, vault: Vault, beside: Callable[..., Future[RestoreReport]]
) -> None:
    outcome = _backed_up(system_database, vault)
    _run(system_database, "UPDATE public.orders SET body = 'spoiled' WHERE id = 7")
    with gate_at_row(system_database, "public.orders", f"body = md5('{7}')") as gate:
        running = beside(restore, system_database, vault, outcome)
        gate.wait()
        _run(
            system_database,
            "SET lock_timeout = '1s'",
            "INSERT INTO public.calm VALUES (9001, 'new')",
            "UPDATE public.firms SET body = 'new' WHERE id = 3",
        )
        # What a foreign key's action could reach is kept from writers, like what differs.
        for kept in ("UPDATE public.orders SET body = 'x' WHERE id = 1", "DELETE FROM public.lines WHERE id = 1"):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                _run(system_database, "SET lock_timeout = '100ms'", kept)
        with psycopg.connect(system_database) as reader:
            assert reader.execute("SELECT body FROM public.orders WHERE id = 7").fetchone() == ("spoiled",)
        gate.open()
        report = running.result(60)
    assert report.tables["public.orders"].changed == 1
    assert report.tables["public.calm"].rows == 2000
    assert 9001 in _ids(system_database, "calm")
    assert _ids(system_database, "firms", "body = 'new'") == {3}
    assert not _ids(system_database, "orders", "body = 'spoiled'")


def test_nobody_may_change_the_definition_of_an_untouched_table(
    system_database: str, vault: Vault, beside: Callable[..., Future[RestoreReport]]
) -> None:
    outcome = _backed_up(system_database, vault)
    _run(system_database, "UPDATE public.orders SET body = 'spoiled' WHERE id = 7")
    with gate_at_row(system_database, "public.orders", f"body = md5('{7}')") as gate:
        running = beside(restore, system_database, vault, outcome)
        gate.wait()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            _run(system_database, "SET lock_timeout = '100ms'", "TRUNCATE public.calm")
        gate.open()
        running.result(60)


def test_a_transaction_that_ends_before_the_locks_is_undone_in_all_tables(
    system_database: str, vault: Vault, beside: Callable[..., Future[RestoreReport]]
) -> None:
    """It wrote to a table that was untouched when the restore looked first."""
    outcome = _backed_up(system_database, vault)
    before = take_image(system_database)
    _run(system_database, "UPDATE public.orders SET body = 'spoiled' WHERE id = 7")
    with psycopg.connect(system_database) as writer:
        writer.execute("INSERT INTO public.calm VALUES (9001, 'both')")
        writer.execute("UPDATE public.orders SET body = 'both' WHERE id = 8")
        running = beside(restore, system_database, vault, outcome)
        until(_waits_for_a_lock(system_database), "the restore waits for the writer")
        writer.commit()
        running.result(60)
    assert take_image(system_database).differing(before) == []


def test_a_transaction_that_goes_on_after_the_restore_is_kept_in_all_tables(
    system_database: str, vault: Vault, beside: Callable[..., Future[Any]]
) -> None:
    outcome = _backed_up(system_database, vault)
    _run(system_database, "UPDATE public.orders SET body = 'spoiled' WHERE id = 7")
    with (
        gate_at_row(system_database, "public.orders", f"body = md5('{7}')") as gate,
        psycopg.connect(system_database) as writer,
    ):
        writer.execute("INSERT INTO public.calm VALUES (9001, 'both')")
        running = beside(restore, system_database, vault, outcome)
        gate.wait()
        waiting = beside(writer.execute, "UPDATE public.orders SET body = 'both' WHERE id = 8")
        time.sleep(0.2)
        assert not waiting.done()
        gate.open()
        running.result(60)
        waiting.result(60)
        writer.commit()
    assert 9001 in _ids(system_database, "calm")
    assert _ids(system_database, "orders", "body = 'both'") == {8}
    assert not _ids(system_database, "orders", "body = 'spoiled'")


def test_a_writer_that_holds_a_parent_and_wants_its_children_is_let_by(
    system_database: str, vault: Vault, beside: Callable[..., Future[Any]]
) -> None:
    """The restore must insert a child of a row which the writer holds, in a table that the writer wants."""
    outcome = _backed_up(system_database, vault)
    before = take_image(system_database)
    _run(system_database, "DELETE FROM public.orders WHERE id = 7")
    with psycopg.connect(system_database) as writer:
        writer.execute("SELECT FROM public.firms WHERE id = 7 FOR UPDATE")
        running = beside(restore, system_database, vault, outcome)
        until(_waits_for_a_lock(system_database), "the restore waits for the writer")
        writer.execute("UPDATE public.orders SET body = 'both' WHERE id = 8")
        writer.execute("UPDATE public.firms SET body = 'both' WHERE id = 8")
        writer.commit()
        running.result(60)
    assert take_image(system_database).differing(before) == []


def test_a_parent_deleted_meanwhile_comes_back(
    system_database: str, vault: Vault, beside: Callable[..., Future[Any]]
) -> None:
    outcome = _backed_up(system_database, vault)
    before = take_image(system_database)
    _run(system_database, "DELETE FROM public.orders WHERE id = 7")
    with psycopg.connect(system_database) as writer:
        writer.execute("DELETE FROM public.firms WHERE id = 7")
        running = beside(restore, system_database, vault, outcome)
        until(_waits_for_a_lock(system_database), "the restore waits for the writer")
        writer.commit()
        running.result(60)
    assert take_image(system_database).differing(before) == []


@pytest.mark.parametrize("action", ["NO ACTION", "RESTRICT"])
def test_a_child_that_comes_while_its_parent_goes_goes_with_it(
    system_database: str, vault: Vault, beside: Callable[..., Future[Any]], action: str
) -> None:
    _run(system_database, *_SCHEMA)
    _run(system_database, "ALTER TABLE public.orders DROP CONSTRAINT orders_firm_fkey")
    _run(
        system_database, f"ALTER TABLE public.orders ADD FOREIGN KEY (firm) REFERENCES public.firms ON DELETE {action}"
    )
    outcome, before = back_up(system_database, vault), take_image(system_database)
    _run(system_database, "INSERT INTO public.firms VALUES (9001, 'new')")
    with psycopg.connect(system_database) as writer:
        writer.execute("INSERT INTO public.orders VALUES (9001, 9001, 'new')")
        running = beside(restore, system_database, vault, outcome)
        until(_waits_for_a_lock(system_database), "the restore waits for the writer")
        writer.commit()
        running.result(60)
    assert take_image(system_database).differing(before) == []


def test_a_writer_that_has_drawn_a_number_and_wants_the_table_is_not_waited_for(
    system_database: str, vault: Vault, beside: Callable[..., Future[Any]]
) -> None:
    _run(
        system_database,
        "CREATE TABLE public.numbered (id serial PRIMARY KEY, body text)",
        "INSERT INTO public.numbered (body) SELECT md5(n::text) FROM generate_series(1, 500) n",
    )
    outcome = _backed_up(system_database, vault)
    _run(system_database, "DELETE FROM public.numbered WHERE id > 7", "SELECT setval('public.numbered_id_seq', 7)")
    with (
        gate_at_row(system_database, "public.numbered", "id = 8") as gate,
        psycopg.connect(system_database) as writer,
    ):
        assert writer.execute("SELECT nextval('public.numbered_id_seq')").fetchone() == (8,)
        running = beside(restore, system_database, vault, outcome)
        gate.wait()
        waiting = beside(writer.execute, "INSERT INTO public.numbered (body) VALUES ('new') RETURNING id")
        gate.open()
        running.result(60)
        assert waiting.result(60).fetchone() == (501,)


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_an_untouched_table_without_a_key_that_a_cascade_could_reach(
    system_database: str, vault: Vault, action: str
) -> None:
    _run(
        system_database,
        "CREATE TABLE public.marks (firm int, note text)",
        "INSERT INTO public.marks SELECT n, md5(n::text) FROM generate_series(1, 2000) n",
    )
    _run(system_database, *_SCHEMA)
    _run(system_database, f"ALTER TABLE public.marks ADD FOREIGN KEY (firm) REFERENCES public.firms ON DELETE {action}")
    outcome, before = back_up(system_database, vault), take_image(system_database)
    _run(system_database, "INSERT INTO public.firms VALUES (9001, 'new')")
    report = restore(system_database, vault, outcome)
    assert report.tables["public.firms"].removed == 1
    assert take_image(system_database).differing(before) == []


def test_readers_see_before_or_after_and_nothing_between(system_database: str, vault: Vault) -> None:
    outcome = _backed_up(system_database, vault)
    _run(
        system_database,
        "UPDATE public.firms SET body = 'spoiled'",
        "DELETE FROM public.orders WHERE id > 1000",
        "UPDATE public.orders SET body = 'spoiled'",
    )
    stop, seen = threading.Event(), list[tuple[int, int, int]]()

    def read() -> None:
        with psycopg.connect(system_database, autocommit=True) as conn:
            conn.execute("SET statement_timeout = '5s'")
            while not stop.is_set():
                row = conn.execute(
                    "SELECT (SELECT count(*) FROM public.firms WHERE body = 'spoiled'), "
                    "(SELECT count(*) FROM public.orders WHERE body = 'spoiled'), "
                    "(SELECT count(*) FROM public.lines)"
                ).fetchone()
                assert row is not None
                seen.append((row[0], row[1], row[2]))

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            until(lambda: seen, "somebody reads")
            restore(system_database, vault, outcome)
            number = len(seen)
            until(lambda: len(seen) > number + 4, "somebody reads afterwards")
        finally:
            stop.set()
        for reader in readers:
            reader.result(60)
    assert set(seen) == {(2000, 1000, 1000), (0, 0, 2000)}


def test_random_writers_are_never_torn_and_never_die(system_database: str, vault: Vault) -> None:
    """Every transaction leaves its token in two or three tables, in any order. In the end all have it, or none."""
    tables = [f"ledger_{n}" for n in range(4)]
    _run(
        system_database,
        *(f"CREATE TABLE public.{t} (id uuid PRIMARY KEY, places text[])" for t in tables),
        "CREATE TABLE public.damage (id int PRIMARY KEY, body text)",
        "INSERT INTO public.damage SELECT n, md5(n::text) FROM generate_series(1, 500) n",
    )
    stop, died, written = threading.Event(), list[BaseException](), [0]

    def write(seed: int) -> None:
        chance = random.Random(seed)
        with psycopg.connect(system_database, autocommit=True) as conn:
            while not stop.is_set():
                chosen = chance.sample(tables, chance.choice([2, 3]))
                try:
                    with conn.transaction():
                        token = uuid4()
                        for table in chosen:
                            conn.execute(f"INSERT INTO public.{table} VALUES (%s, %s)", (token, sorted(chosen)))
                            time.sleep(chance.choice([0, 0, 0.02, 0.2]))
                    written[0] += 1
                except psycopg.Error as error:
                    died.append(error)
                time.sleep(chance.choice([0.05, 1]))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    try:
        for number in range(5):
            outcome = back_up(system_database, vault)
            _run(system_database, f"UPDATE public.damage SET body = 'spoiled' WHERE id = {number}")
            time.sleep(0.3 * number)
            report = restore(system_database, vault, outcome)
            assert report.tables["public.damage"].changed == (1 if number else 0)
    finally:
        stop.set()
        for writer in writers:
            writer.join(60)
    assert died == []
    assert written[0] > 20
    found: dict[Any, tuple[list[str], list[str]]] = {}
    with psycopg.connect(system_database) as conn:
        for table in tables:
            for token, places in conn.execute(f"SELECT id, places FROM public.{table}"):
                found.setdefault(token, (places, []))[1].append(table)
    assert [token for token, (wanted, places) in found.items() if wanted != sorted(places)] == []
