"""A database store whose server restarts, goes away, refuses, or was never migrated."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from rxbackup.errors import ObjectNotFound, Refused, StoreNotWritable, StoreUnavailable
from rxbackup.stores.database import DatabaseStore
from tests.support.objects_table import make_objects_table
from tests.support.postgres import admin_url


@pytest.fixture
def store(database: str) -> Iterator[DatabaseStore]:
    make_objects_table(database)
    made = DatabaseStore(database, actor="ada@example.org")
    yield made
    made.close()


def _as_admin(url: str, statement: str) -> None:
    with psycopg.connect(admin_url(url), autocommit=True) as connection:
        connection.execute(statement)


def _cut_all(url: str) -> None:
    _as_admin(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def test_cut_connection_is_replaced_once(store: DatabaseStore, database: str) -> None:
    store.put("a", b"1")
    _cut_all(database)
    assert store.get("a") == b"1"
    _cut_all(database)
    assert store.put("b", b"2", if_absent=True)
    assert [found.name for found in store.list()] == ["a", "b"]


def test_server_that_is_away_is_told_without_a_secret() -> None:
    store = DatabaseStore("postgresql://ada:hunter2@127.0.0.1:1/none", actor="system")
    with pytest.raises(StoreUnavailable) as caught:
        store.get("a")
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint} {store.describe()}"


def test_missing_table_says_to_migrate(database: str) -> None:
    store = DatabaseStore(database, actor="system")
    with pytest.raises(StoreUnavailable) as caught:
        store.put("a", b"")
    assert "rxbackup migrate" in caught.value.hint
    store.close()


def test_read_only_database_is_told_and_the_store_goes_on(store: DatabaseStore, database: str) -> None:
    store.put("a", b"1")
    _as_admin(database, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on',"
                        " current_database()); END $$")  # fmt: skip
    store.close()
    with pytest.raises(StoreNotWritable):
        store.put("b", b"2")
    assert store.get("a") == b"1"


def test_row_level_security_holds_for_an_actor_without_a_name(store: DatabaseStore, database: str) -> None:
    store.put("a", b"1")
    nobody = DatabaseStore(database, actor="")
    with pytest.raises(ObjectNotFound):
        nobody.get("a")
    with pytest.raises(StoreNotWritable):
        nobody.put("b", b"2")
    nobody.close()


def test_actor_is_quoted(store: DatabaseStore, database: str) -> None:
    odd = DatabaseStore(database, actor="o'brien\\'; DROP TABLE rxbackup.objects; --@example.org")
    odd.put("a", b"1")
    assert store.get("a") == b"1"
    odd.close()


def test_object_in_use_is_not_deleted(store: DatabaseStore, database: str) -> None:
    store.put("a", b"1")
    _as_admin(
        database,
        "CREATE TABLE rxbackup.uses (object_name text REFERENCES rxbackup.objects ON DELETE RESTRICT);"
        "INSERT INTO rxbackup.uses VALUES ('a')",
    )
    with pytest.raises(Refused, match="used by a backup"):
        store.delete("a")
    assert store.get("a") == b"1"


def test_connection_is_left_outside_any_transaction(store: DatabaseStore, database: str) -> None:
    store.put("a", b"1")
    with pytest.raises(ObjectNotFound):
        store.get("b")
    list(store.list())
    assert store._connection is not None
    assert store._connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_content_travels_in_binary(store: DatabaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    formats = []
    original = psycopg.Cursor.execute

    def watching(cursor: psycopg.Cursor, query: object, params: object = None, **more: object) -> psycopg.Cursor:
        done = original(cursor, query, params, **more)
        if done.pgresult and done.pgresult.nfields == 1:
            formats.append((query, done.pgresult.fformat(0)))
        return done

    store.put("a", bytes(range(256)))
    monkeypatch.setattr(psycopg.Cursor, "execute", watching)
    assert store.get("a") == bytes(range(256))
    assert 1 in [each for query, each in formats if "content" in str(query)]
