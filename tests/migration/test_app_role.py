"""Our own statements run as a role that can do little, wherever the login may have such a role."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from rxbackup.postgres.embedded import EmbeddedServer
from rxbackup.tables.migrating import is_current, migrate
from rxbackup.tables.session import SystemDatabase
from rxbackup.tables.system import Setting
from tests.support.postgres import NewDatabase, admin_url, database_url, throwaway_server


@pytest.fixture(scope="module")
def bare_server() -> Iterator[EmbeddedServer]:
    """A server where nobody made the role."""
    with throwaway_server() as server:
        with psycopg.connect(server.superuser_url, autocommit=True) as connection:
            connection.execute("DROP ROLE rxbackup_app")
            connection.execute("CREATE ROLE maker LOGIN CREATEROLE")
        yield server


@pytest.fixture
def bare_database(bare_server: EmbeddedServer, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"bare_{abs(hash(request.node.name))}"
    with psycopg.connect(bare_server.superuser_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER rxbackup".encode())
        yield database_url(bare_server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        connection.execute("DROP ROLE IF EXISTS rxbackup_app")


def who(url: str) -> str:
    system = SystemDatabase(url)
    try:
        with system.session("system") as session:
            return str(session.connection().exec_driver_sql("SELECT current_user").scalar_one())
    finally:
        system.dispose()


def test_owner_becomes_the_role(system_database: str) -> None:
    assert who(system_database) == "rxbackup_app"


def test_superuser_becomes_the_role(system_database: str) -> None:
    assert who(admin_url(system_database)) == "rxbackup_app"


def test_login_that_may_not_make_roles_is_held_by_forced_policies(bare_database: str) -> None:
    migrate(bare_database, protected_url=None)
    assert is_current(bare_database)
    assert who(bare_database) == "rxbackup"
    system = SystemDatabase(bare_database)
    with system.session("system") as session:
        session.add(Setting(key="test", value=1, updated_by="system"))
    with system.session("eve@example.org") as session:
        assert session.get(Setting, "test") is None
    with psycopg.connect(bare_database) as connection:
        assert connection.execute("SELECT count(*) FROM rxbackup.settings").fetchone() == (0,)
    system.dispose()


def test_role_that_appears_later_is_used_after_the_next_migration(
    bare_server: EmbeddedServer, bare_database: str
) -> None:
    migrate(bare_database, protected_url=None)
    system = SystemDatabase(bare_database)
    with system.session("system") as session:
        session.add(Setting(key="test", value=1, updated_by="system"))
    migrate(bare_database.replace("//rxbackup@", "//postgres@", 1), protected_url=None)
    with psycopg.connect(bare_server.superuser_url, autocommit=True) as connection:
        connection.execute("GRANT rxbackup_app TO rxbackup")
    with system.session("system") as session:
        assert session.connection().exec_driver_sql("SELECT current_user").scalar_one() == "rxbackup_app"
        assert session.get(Setting, "test") is not None
    system.dispose()


def test_login_that_may_make_roles_makes_it_and_becomes_it(bare_server: EmbeddedServer, bare_database: str) -> None:
    with psycopg.connect(bare_server.superuser_url, autocommit=True) as connection:
        name = bare_database.split("@/")[1].split("?", maxsplit=1)[0]
        connection.execute(f"ALTER DATABASE {name} OWNER TO maker".encode())
    url = bare_database.replace("//rxbackup@", "//maker@", 1)
    migrate(url, protected_url=None)
    assert who(url) == "rxbackup_app"


def test_two_databases_of_one_server_share_the_role(new_database: NewDatabase) -> None:
    first, second = new_database(), new_database()
    migrate(first, protected_url=None)
    migrate(second, protected_url=None)
    assert who(first) == who(second) == "rxbackup_app"


def test_role_owns_nothing_and_may_little(system_database: str) -> None:
    with psycopg.connect(system_database) as connection:
        connection.execute("SET ROLE rxbackup_app")
        for statement in (
            "CREATE TABLE rxbackup.mine ()",
            "ALTER TABLE rxbackup.jobs DISABLE ROW LEVEL SECURITY",
            "DROP POLICY admins ON rxbackup.jobs",
            "DELETE FROM rxbackup.audit",
            "UPDATE rxbackup.alembic_version SET version_num = 'x'",
            "TRUNCATE rxbackup.jobs",
            "ALTER TABLE rxbackup.audit DISABLE TRIGGER USER",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)  # type: ignore[arg-type]
