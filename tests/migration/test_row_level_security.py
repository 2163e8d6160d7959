"""Nobody sees or writes a row of ours without saying who he is, and being an admin. Holds for tables yet to come."""

from __future__ import annotations

import contextlib
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from rxbackup.errors import PermissionDenied
from rxbackup.tables.base import SystemTable
from rxbackup.tables.session import SystemDatabase
from rxbackup.tables.system import Account, AuditEntry, Setting
from tests.support.postgres import admin_url

ADMIN, OPERATOR, STRANGER = "ada@example.org", "oscar@example.org", "eve@example.org"

# What each table needs to hold a row at all. A new table must be named here, or the tests below fail.
ROWS = """
    INSERT INTO rxbackup.accounts (email, password_hash, role) VALUES
        ('ada@example.org', 'x', 'admin'), ('oscar@example.org', 'x', 'operator');
    INSERT INTO rxbackup.sessions (token_hash, email, expires_at) VALUES ('t', 'ada@example.org', now());
    INSERT INTO rxbackup.settings (key, value, updated_by) VALUES ('test', '1', 'system');
    INSERT INTO rxbackup.stores (name, kind, created_by) VALUES ('database', 'database', 'system');
    INSERT INTO rxbackup.objects (name, content) VALUES ('o', 'x');
    INSERT INTO rxbackup.schedules (name, cadence, store, created_by) VALUES ('s', '{}', 'database', 'system');
    INSERT INTO rxbackup.occurrences (schedule_id, due_at) SELECT id, now() FROM rxbackup.schedules;
    INSERT INTO rxbackup.backups (name, created_by, store) VALUES ('b', 'system', 'database');
    INSERT INTO rxbackup.chunks (store, id, plain_bytes, stored_bytes, codec) VALUES ('database', 'c', 1, 1, 'raw');
    INSERT INTO rxbackup.backup_chunks SELECT id, 'database', 'c' FROM rxbackup.backups;
    INSERT INTO rxbackup.copies (backup_id, store) SELECT id, 'database' FROM rxbackup.backups;
    INSERT INTO rxbackup.jobs (kind, actor) VALUES ('backup', 'system');
    INSERT INTO rxbackup.download_links (token_hash, backup_id, format, email, expires_at)
        SELECT 't', id, 'json', 'ada@example.org', now() FROM rxbackup.backups;
    INSERT INTO rxbackup.audit (actor, action, hash) VALUES ('system', 'test', 'h');
    INSERT INTO rxbackup.watermarks (backup_id, system_identifier) SELECT id, '7' FROM rxbackup.backups;
    INSERT INTO rxbackup.channels (name, kind, created_by) VALUES ('c', 'email', 'system');
    INSERT INTO rxbackup.messages (channel_id, event, subject, body) SELECT id, 'e', 's', 'b' FROM rxbackup.channels;
    INSERT INTO rxbackup.alerts (kind, message) VALUES ('overdue', 'm');
    INSERT INTO rxbackup.store_sizes (store, day, stored_bytes, backups) VALUES ('database', now(), 0, 0);
"""

# Any actor may know of a watermark; only migrations may know of revisions.
FOR_ANY_ACTOR = {"watermarks"}
FOR_SYSTEM_ONLY = {"alembic_version"}


@pytest.fixture
def filled(system_database: str) -> str:
    with psycopg.connect(admin_url(system_database)) as connection:
        connection.execute(ROWS)
    return system_database


def tables(connection: psycopg.Connection) -> list[str]:
    return [
        name
        for (name,) in connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'rxbackup'::regnamespace AND relkind IN ('r', 'p')"
        )
    ]


def count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM rxbackup.{}").format(sql.Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])


def act_as(connection: psycopg.Connection, actor: str | None, *, role: bool) -> None:
    if actor is not None:
        connection.execute("SELECT set_config('rxbackup.actor', %s, true)", (actor,))
    if role:
        connection.execute("SET LOCAL ROLE rxbackup_app")


def test_walk_meets_every_table(filled: str) -> None:
    with psycopg.connect(admin_url(filled)) as connection:
        found = tables(connection)
        assert {t.name for t in SystemTable.metadata.tables.values()} | FOR_SYSTEM_ONLY == set(found)
        assert [name for name in found if count(connection, name) == 0] == []


def test_row_level_security_is_enabled_and_forced_everywhere(filled: str) -> None:
    with psycopg.connect(filled) as connection:
        lax = connection.execute("""
            SELECT relname FROM pg_class WHERE relnamespace = 'rxbackup'::regnamespace AND relkind IN ('r', 'p')
            AND NOT (relrowsecurity AND relforcerowsecurity)""").fetchall()
        assert lax == []


@pytest.mark.parametrize("login", ["owner", "superuser"])
@pytest.mark.parametrize("actor", [None, "", STRANGER, OPERATOR])
def test_who_is_no_admin_reads_nothing(filled: str, login: str, actor: str | None) -> None:
    url = filled if login == "owner" else admin_url(filled)
    # The owner is covered by FORCE; a superuser only by becoming the role, which our sessions do.
    for role in (False, True) if login == "owner" else (True,):
        with psycopg.connect(url) as connection:
            act_as(connection, actor, role=role)
            allowed = FOR_ANY_ACTOR if actor else set()
            assert {name for name in tables(connection) if count(connection, name)} == allowed


@pytest.mark.parametrize("actor", [ADMIN, "system"])
def test_admin_and_system_read_everything(filled: str, actor: str) -> None:
    with psycopg.connect(filled) as connection:
        act_as(connection, actor, role=True)
        hidden = {name for name in tables(connection) if not count(connection, name)}
        assert hidden == (set() if actor == "system" else FOR_SYSTEM_ONLY)


@pytest.mark.parametrize("actor", [None, STRANGER, OPERATOR])
def test_who_is_no_admin_writes_nothing(filled: str, actor: str | None) -> None:
    with psycopg.connect(admin_url(filled)) as connection:
        rows = {
            name: connection.execute(
                sql.SQL("SELECT * FROM rxbackup.{} LIMIT 1").format(sql.Identifier(name))
            ).fetchone()
            for name in tables(connection)
        }
    with psycopg.connect(filled) as connection:
        for name in sorted(set(rows) - (FOR_ANY_ACTOR if actor else set())):
            table = sql.SQL("rxbackup.{}").format(sql.Identifier(name))
            with connection.transaction(force_rollback=True):
                act_as(connection, actor, role=True)
                # As rows that cannot clash with what is there: only the policy, or the missing right, can say no.
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(
                        sql.SQL(
                            "INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(NULL::{}, {})).*"
                        ).format(table, table, sql.Literal("{}"))
                    )
            for change in ("DELETE FROM {}", "UPDATE {} SET " + _first_column(filled, name) + " = DEFAULT"):
                with connection.transaction(force_rollback=True):
                    act_as(connection, actor, role=False)
                    assert connection.execute(sql.SQL(change).format(table)).rowcount == 0  # type: ignore[arg-type]


def _first_column(url: str, table: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = format('rxbackup.%%I', %s::text)::regclass"
            " AND attnum = 1",
            (table,),
        ).fetchone()
    assert row is not None
    return str(row[0])


def test_session_of_a_superuser_login_is_held_by_policies_too(filled: str) -> None:
    for url in (filled, admin_url(filled)):
        system = SystemDatabase(url)
        try:
            with system.session(STRANGER) as session:
                assert session.get(Setting, "test") is None
            with system.session(ADMIN) as session:
                assert session.get(Setting, "test") is not None
            with pytest.raises(PermissionDenied), system.session(STRANGER) as session:
                session.add(Setting(key="mine", value=1, updated_by=STRANGER))
        finally:
            system.dispose()


def test_actor_does_not_leak_to_the_next_session(filled: str) -> None:
    system = SystemDatabase(filled)
    try:
        for _ in range(20):
            with system.session("system") as session:
                assert session.get(Setting, "test") is not None
            with system.session(STRANGER) as session:
                assert session.get(Setting, "test") is None
    finally:
        system.dispose()


def test_session_needs_an_actor(filled: str) -> None:
    system = SystemDatabase(filled)
    with pytest.raises(ValueError, match="actor"), system.session(""):
        pass


def test_session_rolls_back_on_any_error(filled: str) -> None:
    system = SystemDatabase(filled)
    try:
        with contextlib.suppress(RuntimeError), system.session("system") as session:
            session.add(Setting(key="half", value=1, updated_by="system"))
            session.flush()
            raise RuntimeError
        with system.session("system") as session:
            assert session.get(Setting, "half") is None
    finally:
        system.dispose()


def test_no_account_is_named_like_the_app_itself(filled: str) -> None:
    with psycopg.connect(admin_url(filled)) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("INSERT INTO rxbackup.accounts (email, password_hash) VALUES ('system', 'x')")


@pytest.mark.parametrize("login", ["owner", "superuser"])
@pytest.mark.parametrize(
    "statement", ["UPDATE rxbackup.audit SET actor = 'x'", "DELETE FROM rxbackup.audit", "TRUNCATE rxbackup.audit"]
)
def test_audit_is_only_ever_appended_to(filled: str, login: str, statement: str) -> None:
    with psycopg.connect(filled if login == "owner" else admin_url(filled)) as connection:
        act_as(connection, "system", role=False)
        before = count(connection, "audit")
        if login == "owner" and not statement.startswith("TRUNCATE"):
            assert connection.execute(statement).rowcount == 0  # type: ignore[arg-type]  # no policy shows it a row
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)  # type: ignore[arg-type]
        assert count(connection, "audit") == before


def test_audit_can_be_appended_to_in_a_session(filled: str) -> None:
    system = SystemDatabase(filled)
    try:
        with system.session(ADMIN) as session:
            session.add(AuditEntry(actor=ADMIN, action="test", hash=b"h"))
    finally:
        system.dispose()


class TestWhoIsAdmin:
    """One function decides."""

    def is_admin(self, url: str, email: str) -> bool:
        with psycopg.connect(url) as connection:
            connection.execute("SELECT set_config('rxbackup.actor', 'someone@example.org', true)")
            row = connection.execute("SELECT rxbackup.is_admin(%s), rxbackup.current_actor()", (email,)).fetchone()
            assert row is not None
            assert row[1] == "someone@example.org"  # asking did not change who asks
            return bool(row[0])

    def test_role_of_an_active_account_decides_for_a_foreign_database(self, filled: str) -> None:
        assert self.is_admin(filled, ADMIN)
        assert self.is_admin(filled, ADMIN.upper())
        assert not self.is_admin(filled, OPERATOR)
        assert not self.is_admin(filled, STRANGER)
        with psycopg.connect(admin_url(filled)) as connection:
            connection.execute("UPDATE rxbackup.accounts SET active = false")
        assert not self.is_admin(filled, ADMIN)

    def test_user_of_the_application_decides_for_the_bundled_one(self, bundled_database: str) -> None:
        system = SystemDatabase(bundled_database)
        email = f"boss-{uuid4()}@example.org"
        with system.session("system") as session:
            session.add(Account(email=email, password_hash="x", role="admin"))
        assert not self.is_admin(bundled_database, email)
        with psycopg.connect(bundled_database) as connection:
            connection.execute(
                "INSERT INTO public.users (email, name, role) VALUES (%s, 'Boss', 'admin')", (email.title(),)
            )
        assert self.is_admin(bundled_database, email)
        with psycopg.connect(bundled_database) as connection:
            connection.execute("UPDATE public.users SET active = false WHERE name = 'Boss'")
        assert not self.is_admin(bundled_database, email)
        system.dispose()
