"""`migrate` brings any database to the present schema, once, wholly, by whomever it is run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from rxbackup.errors import DatabaseUnavailable, PermissionDenied, Refused
from rxbackup.postgres.embedded import EmbeddedServer
from rxbackup.tables import migrating
from rxbackup.tables.connecting import make_engine
from rxbackup.tables.migrating import is_current, make_bundled_application, migrate
from rxbackup.tables.session import SystemDatabase
from rxbackup.tables.watermarks import ensure_watermarks
from tests.support.postgres import NewDatabase, admin_url

_SCHEMA = """
    SELECT n.nspname, c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname IN ('rxbackup', 'rxbackup_queue', 'public') ORDER BY 1, 2, 4
"""


_OLD_BACKUP = (
    "INSERT INTO rxbackup.stores (name, kind, created_by) VALUES ('s', 'local', 'system')",
    (
        "INSERT INTO rxbackup.backups (id, name, created_by, store, state, backup_data)"
        " VALUES (%(backup)s, 'Old', 'a@example.org', 's', 'complete', '{}')"
    ),
    (
        "INSERT INTO rxbackup.chunks (store, id, plain_bytes, stored_bytes, codec, anchor)"
        " VALUES ('s', %(whole)s, 1, 1, 'zstd', NULL), ('s', %(difference)s, 1, 1, 'difference', %(whole)s)"
    ),
    "INSERT INTO rxbackup.backup_chunks VALUES (%(backup)s, 's', %(difference)s)",
)


def shape(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(_SCHEMA).fetchall()


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None


def difference(url: str, *, bundled: bool) -> None:
    """Raises if the models are not what the migrations made."""
    config = migrating._config()
    config.cmd_opts = type("Options", (), {"x": ["tables=bundled"] if bundled else []})()
    with make_engine(url, pooled=False).begin() as connection:
        acting_as_migration(connection)
        config.attributes["connection"] = connection
        command.check(config)


def acting_as_migration(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL search_path TO public")
    connection.exec_driver_sql("SELECT set_config('rxbackup.actor', 'system', true)")


def test_empty_database_becomes_current(database: str) -> None:
    assert not is_current(database)
    migrate(database, protected_url=None)
    assert is_current(database)
    assert ask(database, "SELECT to_regclass('public.assets')") is None
    assert ask(database, "SELECT to_regclass('rxbackup_queue.procrastinate_jobs')") is not None


def test_migrating_twice_changes_nothing(system_database: str) -> None:
    before = shape(system_database)
    migrate(system_database, protected_url=system_database)
    assert shape(system_database) == before


def test_models_equal_migrated_schema(database: str) -> None:
    migrate(database, protected_url=None)
    make_bundled_application(database)
    difference(database, bundled=False)
    difference(database, bundled=True)


def test_application_may_come_first(database: str) -> None:
    make_bundled_application(database)
    assert not is_current(database)
    migrate(database, protected_url=None)
    assert is_current(database)


def test_superuser_may_migrate_and_owner_goes_on(database: str, new_database: NewDatabase) -> None:
    migrate(admin_url(database), protected_url=None)
    other = new_database()
    migrate(other, protected_url=None)
    assert shape(database) == shape(other)


def test_backups_from_before_keep_their_anchors(system_database: str) -> None:
    ids = {"backup": "00000000-0000-0000-0000-000000000001", "whole": b"w" * 32, "difference": b"d" * 32}
    with make_engine(system_database, pooled=False).begin() as connection:
        acting_as_migration(connection)
        config = migrating._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "make_system_tables")
        for statement in _OLD_BACKUP:
            connection.exec_driver_sql(statement, ids)
        command.upgrade(config, "rxbackup@head")
        linked = connection.exec_driver_sql("SELECT chunk_id FROM rxbackup.backup_chunks").scalars()
        assert {bytes(each) for each in linked} == {ids["whole"], ids["difference"]}


def test_two_at_once_make_one_schema(database: str) -> None:
    threads = [threading.Thread(target=migrate, args=(database,), kwargs={"protected_url": None}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert is_current(database)


def test_processes_at_once_take_turns(database: str) -> None:
    program = "import sys; from rxbackup.tables.migrating import migrate; migrate(sys.argv[1], protected_url=None)"
    running = [subprocess.Popen([sys.executable, "-c", program, database]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert is_current(database)


def test_killed_migration_leaves_old_or_new_schema(new_database: NewDatabase) -> None:
    program = "import sys; from rxbackup.tables.migrating import migrate; migrate(sys.argv[1], protected_url=None)"
    empty = shape(new_database())
    seen = set()
    for wait in (0.5, 0.7, 0.8, 0.9, 1.0, 1.2):
        url = new_database()
        process = subprocess.Popen([sys.executable, "-c", program, url])
        time.sleep(wait)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        is_new = is_current(url)
        seen.add(is_new)
        assert is_new or shape(url) == empty
        migrate(url, protected_url=None)
        assert is_current(url)


def test_every_migration_is_on_one_of_the_two_branches() -> None:
    scripts = ScriptDirectory.from_config(migrating._config())
    assert set(scripts.get_heads()) == {
        migrating._head_of(migrating.SYSTEM_BRANCH),
        migrating._head_of(migrating.BUNDLED_BRANCH),
    }


def test_login_that_may_not_create_is_told(postgres_server: EmbeddedServer, database: str) -> None:
    with psycopg.connect(postgres_server.superuser_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS test_reader")
        connection.execute("CREATE ROLE test_reader LOGIN")
    url = database.replace("//rxbackup@", "//test_reader@", 1)
    with pytest.raises(PermissionDenied):
        migrate(url, protected_url=None)
    assert not ensure_watermarks(url)


def test_server_that_is_away_is_told() -> None:
    with pytest.raises(DatabaseUnavailable):
        migrate("postgresql://nobody@127.0.0.1:1/nothing", protected_url=None)
    with pytest.raises(DatabaseUnavailable), SystemDatabase("postgresql://nobody@127.0.0.1:1/n").session("system"):
        pass


def test_mighty_app_role_is_refused(postgres_server: EmbeddedServer, database: str) -> None:
    with psycopg.connect(postgres_server.superuser_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE rxbackup_app BYPASSRLS")
        try:
            with pytest.raises(Refused, match="rxbackup_app"):
                migrate(database, protected_url=None)
        finally:
            connection.execute("ALTER ROLE rxbackup_app NOBYPASSRLS")


def test_protected_database_elsewhere_gets_watermarks_only(database: str, new_database: NewDatabase) -> None:
    protected = new_database()
    migrate(database, protected_url=protected)
    with psycopg.connect(protected) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'rxbackup'").fetchall()
        assert tables == [("watermarks",)]
        connection.execute("SELECT set_config('rxbackup.actor', 'system', true)")
        connection.execute(
            "INSERT INTO rxbackup.watermarks (backup_id, system_identifier) SELECT gen_random_uuid(), '7'"
        )
        assert connection.execute("SELECT count(*) FROM rxbackup.watermarks").fetchone() == (1,)
    assert ensure_watermarks(protected)
    migrate(protected, protected_url=None)
    assert is_current(protected)


def test_chunks_that_are_needed_cannot_go(system_database: str) -> None:
    with psycopg.connect(system_database) as connection:
        connection.execute("SELECT set_config('rxbackup.actor', 'system', true)")
        connection.execute("""
            INSERT INTO rxbackup.stores (name, kind, created_by) VALUES ('database', 'database', 'system');
            INSERT INTO rxbackup.objects (name, content) VALUES ('chunks/ab/1-0', 'x');
            INSERT INTO rxbackup.chunks (store, id, plain_bytes, stored_bytes, codec, object_name)
                VALUES ('database', 'c', 1, 1, 'raw', 'chunks/ab/1-0');
            INSERT INTO rxbackup.backups (name, created_by, store) VALUES ('b', 'system', 'database');
            INSERT INTO rxbackup.backup_chunks SELECT id, 'database', 'c' FROM rxbackup.backups;
        """)
        for statement in ("DELETE FROM rxbackup.objects", "DELETE FROM rxbackup.chunks"):
            with pytest.raises(psycopg.IntegrityError), connection.transaction():
                connection.execute(statement)
        connection.execute("DELETE FROM rxbackup.backups")
        connection.execute("DELETE FROM rxbackup.chunks")
        connection.execute("DELETE FROM rxbackup.objects")


def test_changes_of_jobs_are_announced(system_database: str) -> None:
    with psycopg.connect(system_database, autocommit=True) as listener, psycopg.connect(system_database) as connection:
        listener.execute("LISTEN rxbackup_jobs")
        connection.execute("SELECT set_config('rxbackup.actor', 'system', true)")
        row = connection.execute(
            "INSERT INTO rxbackup.jobs (kind, actor) VALUES ('backup', 'system') RETURNING id::text"
        ).fetchone()
        connection.commit()
        assert row is not None
        assert [note.payload for note in listener.notifies(timeout=5, stop_after=1)] == [row[0]]
