"""Rows of a backup in a schema of their own: all there, read-only, out of every backup's way, and gone when expired."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from rxbackup import errors
from rxbackup.backup.run import BackupOutcome
from rxbackup.postgres.connecting import connect, set_pins
from rxbackup.postgres.introspection import read_catalogue
from rxbackup.restore.side_schema import (
    SideSchemaReport,
    drop_expired_side_schemas,
    drop_side_schema,
    list_side_schemas,
    make_side_schema,
)
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up, take_image
from tests.support.postgres import admin_url
from tests.support.vaults import new_local_vault

pytestmark = pytest.mark.integration

SOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

_SCHEMA = (
    "CREATE TYPE public.mood AS ENUM ('glad', 'sad')",
    (
        "CREATE TABLE public.people (id int PRIMARY KEY, name text, mood public.mood, "
        "loud text GENERATED ALWAYS AS (upper(name)) STORED, amount numeric(9, 3), tags text[])"
    ),
    (
        "INSERT INTO public.people (id, name, mood, amount, tags) "
        "SELECT n, 'name ' || n, 'glad', n / 7.0, ARRAY['a', NULL] FROM generate_series(1, 900) n"
    ),
    "CREATE SCHEMA other",
    "CREATE TABLE other.people (a int, b int, PRIMARY KEY (b, a))",
    "INSERT INTO other.people SELECT n, 1 FROM generate_series(1, 3) n",
    "CREATE TABLE public.parts (id int, kind int, body text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind)",
    "CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES IN (1)",
    "CREATE TABLE public.parts_2 (body text, kind int NOT NULL, id int NOT NULL)",
    "ALTER TABLE public.parts ATTACH PARTITION public.parts_2 FOR VALUES IN (2)",
    "INSERT INTO public.parts SELECT n, 1 + n % 2, md5(n::text) FROM generate_series(1, 400) n",
    "CREATE TABLE public.none (id int)",
)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with new_local_vault(tmp_path) as vault:
        yield vault


@pytest.fixture
def outcome(system_database: str, vault: Vault) -> BackupOutcome:
    _run(system_database, *_SCHEMA)
    return back_up(system_database, vault)


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


def _rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as conn:
        return conn.execute(query).fetchall()


def _make(
    url: str, vault: Vault, outcome: BackupOutcome, name: str = "yesterday", *, tables: tuple[str, ...] | None = None
) -> SideSchemaReport:
    return make_side_schema(outcome.manifest, name, vault=vault, source_url=url, expires_at=SOON, tables=tables)


def test_it_holds_the_rows_of_the_backup(system_database: str, vault: Vault, outcome: BackupOutcome) -> None:
    then = {
        query: _rows(system_database, query)
        for query in (
            "SELECT id, name, mood, amount, tags FROM public.people ORDER BY 1",
            "SELECT id, kind, body FROM public.parts ORDER BY 1",
            "SELECT b, a FROM other.people ORDER BY 1, 2",
        )
    }
    _run(system_database, "DELETE FROM public.people", "UPDATE public.parts SET body = 'spoiled'")
    damaged = take_image(system_database)
    report = _make(system_database, vault, outcome)
    assert report.tables == {"public.people": 900, "other.people": 3, "public.parts": 400, "public.none": 0}
    assert report.places["public.parts"] == "parts"
    assert report.places["other.people"] == "other_people"
    assert take_image(system_database).rows == damaged.rows  # nothing of it is seen by a backup either
    for query, rows in then.items():
        origin = query.split()[query.split().index("FROM") + 1]
        assert _rows(system_database, query.replace(origin, f"yesterday.{report.places[origin]}")) == rows
    keys = _rows(
        system_database,
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'yesterday'::regnamespace AND contype = 'p' ORDER BY 1",
    )
    assert keys == [
        ("yesterday.other_people", "PRIMARY KEY (b, a)"),
        ("yesterday.parts", "PRIMARY KEY (id, kind)"),
        ("yesterday.public_people", "PRIMARY KEY (id)"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO yesterday.parts VALUES (1000, 1, '')",
        "UPDATE yesterday.parts SET body = ''",
        "DELETE FROM yesterday.parts WHERE false",
        "TRUNCATE yesterday.parts",
    ],
)
def test_nobody_writes_to_it(system_database: str, vault: Vault, outcome: BackupOutcome, statement: str) -> None:
    _make(system_database, vault, outcome, tables=("public.parts",))
    for url in (system_database, admin_url(system_database)):
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="can be read, not changed"):
            _run(url, statement)
    assert _rows(system_database, "SELECT count(*) FROM yesterday.parts") == [(400,)]


def test_others_may_not_read_it_whatever_default_privileges_say(
    system_database: str, vault: Vault, outcome: BackupOutcome
) -> None:
    _run(admin_url(system_database), "DROP ROLE IF EXISTS rxb_curious", "CREATE ROLE rxb_curious")
    try:
        _run(
            system_database,
            "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO rxb_curious, PUBLIC",
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO rxb_curious, PUBLIC",
        )
        _make(system_database, vault, outcome)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            _run(admin_url(system_database), "SET ROLE rxb_curious", "SELECT FROM yesterday.parts")
    finally:
        _run(admin_url(system_database), "DROP OWNED BY rxb_curious", "DROP ROLE rxb_curious")


def test_it_is_listed_and_dropped(system_database: str, vault: Vault, outcome: BackupOutcome) -> None:
    _make(system_database, vault, outcome)
    _make(system_database, vault, outcome, "today", tables=("public.people",))
    found = list_side_schemas(system_database)
    assert [(s.name, s.backup_id, s.expires_at, s.tables, s.owned) for s in found] == [
        ("today", outcome.manifest.backup_id, SOON, 1, True),
        ("yesterday", outcome.manifest.backup_id, SOON, 4, True),
    ]
    assert all(s.bytes > 0 for s in found)
    drop_side_schema(system_database, "today")
    assert drop_expired_side_schemas(system_database, SOON - timedelta(seconds=1)) == ()
    assert drop_expired_side_schemas(system_database, SOON) == ("yesterday",)
    assert list_side_schemas(system_database) == ()
    assert _rows(system_database, "SELECT 1 FROM pg_namespace WHERE nspname IN ('today', 'yesterday')") == []
    with pytest.raises(errors.NotFound):
        drop_side_schema(system_database, "public")


def test_what_somebody_put_there_is_backed_up_and_never_dropped(
    system_database: str, vault: Vault, outcome: BackupOutcome
) -> None:
    _make(system_database, vault, outcome)
    _run(system_database, "CREATE TABLE yesterday.notes (id int)", "INSERT INTO yesterday.notes VALUES (1)")
    with connect(system_database, application_name="test") as conn, conn.transaction():
        set_pins(conn)
        assert [t.qualified for t in read_catalogue(conn).tables if t.schema == "yesterday"] == ["yesterday.notes"]
    with pytest.raises(errors.Refused, match="something else is in it"):
        drop_side_schema(system_database, "yesterday")
    assert drop_expired_side_schemas(system_database, SOON) == ()
    assert _rows(system_database, "SELECT count(*) FROM yesterday.parts") == [(400,)]
    _run(system_database, "DROP TABLE yesterday.notes", "CREATE VIEW public.seen AS SELECT * FROM yesterday.parts")
    with pytest.raises(errors.Refused, match="uses it"):
        drop_side_schema(system_database, "yesterday")
    _run(system_database, "DROP VIEW public.seen")
    assert drop_expired_side_schemas(system_database, SOON) == ("yesterday",)


@pytest.mark.parametrize("name", ["public", "pg_mine", "rxbackup", "", "x" * 64, " padded", "information_schema"])
def test_a_name_that_is_no_good(system_database: str, vault: Vault, outcome: BackupOutcome, name: str) -> None:
    with pytest.raises(errors.UsageError):
        _make(system_database, vault, outcome, name)


@pytest.mark.parametrize("name", ['quo"ted', "Ümlaut; DROP TABLE public.people", "x" * 63])
def test_a_strange_name(system_database: str, vault: Vault, outcome: BackupOutcome, name: str) -> None:
    _make(system_database, vault, outcome, name)
    assert [s.name for s in list_side_schemas(system_database)] == [name]
    drop_side_schema(system_database, name)


def test_all_or_nothing(
    system_database: str, vault: Vault, outcome: BackupOutcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = next(t for t in outcome.manifest.tables if t.qualified == "public.parts_2")
    lost, real = entry.segments[-1].chunks[-1], vault.get_chunk

    def get_chunk(chunk: str) -> bytes:
        if chunk == lost:
            raise errors.ChunkMissing
        return real(chunk)

    monkeypatch.setattr(vault, "get_chunk", get_chunk)
    with pytest.raises(errors.ChunkMissing):
        _make(system_database, vault, outcome)
    assert list_side_schemas(system_database) == ()
    assert _rows(system_database, "SELECT 1 FROM pg_namespace WHERE nspname = 'yesterday'") == []


def test_a_type_that_is_gone(system_database: str, vault: Vault, outcome: BackupOutcome) -> None:
    _run(system_database, "DROP TABLE public.people", "DROP TYPE public.mood")
    with pytest.raises(errors.PlanRefused, match=r"no type public\.mood"):
        _make(system_database, vault, outcome)
    _make(system_database, vault, outcome, tables=("public.parts",))
