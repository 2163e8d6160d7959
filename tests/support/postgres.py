"""One PostgreSQL server a test session, and a database of its own for every test.

Databases are cloned from templates that are made once, so a migrated database costs a few hundredths of a second.
Each fixture yields a URL that logs in as the owner, who is no superuser; `admin_url` logs in there as one.

Set RXBACKUP_TEST_PG_BIN to the bin folder of another PostgreSQL (14 to 18) to run the tests against that one.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from rxbackup.postgres.embedded import OWNER, EmbeddedServer

_SUPERUSER = "postgres"
_numbers = itertools.count(1)

NewDatabase = Callable[[], str]


def admin_url(url: str) -> str:
    """The same database, as superuser."""
    return url.replace(f"//{OWNER}@", f"//{_SUPERUSER}@", 1)


def database_url(server: EmbeddedServer, name: str) -> str:
    """A database of this server, as its owner."""
    return server.url.replace(f"@/{OWNER}?", f"@/{name}?", 1)


@contextmanager
def throwaway_server(binaries: Path | None = None) -> Iterator[EmbeddedServer]:
    """A server in a folder of its own that may lose everything, and does at the end."""
    # Not pytest's own temporary folder: that one is closed to the user who runs PostgreSQL when we are root.
    folder = Path(tempfile.mkdtemp(prefix="rxbackup-test-"))
    try:
        with EmbeddedServer.ensure(folder, binaries=binaries, durable=False) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedServer]:
    """The session's server. Its url is database `rxbackup`, which is empty and nobody's: use the fixtures below."""
    given = os.environ.get("RXBACKUP_TEST_PG_BIN")
    with throwaway_server(Path(given) if given else None) as server:
        yield server


@pytest.fixture
def new_database(postgres_server: EmbeddedServer) -> Iterator[NewDatabase]:
    """Makes an empty database at each call, for tests that need several; all are dropped after the test."""
    with databases_like(postgres_server, "template0") as make:
        yield make


@pytest.fixture
def database(new_database: NewDatabase) -> str:
    """An empty database."""
    return new_database()


@pytest.fixture(scope="session")
def system_template(postgres_server: EmbeddedServer) -> str:
    from rxbackup.tables.migrating import migrate

    return _template(postgres_server, "system_template", lambda url: migrate(url, protected_url=None))


@pytest.fixture(scope="session")
def bundled_template(postgres_server: EmbeddedServer) -> str:
    from rxbackup.demo import load_demo
    from rxbackup.tables.migrating import migrate

    def fill(url: str) -> None:
        migrate(url, protected_url=None)
        load_demo(url, scale=0.05)

    return _template(postgres_server, "bundled_template", fill)


@pytest.fixture
def new_system_database(postgres_server: EmbeddedServer, system_template: str) -> Iterator[NewDatabase]:
    """Makes migrated databases, as many as are asked for."""
    with databases_like(postgres_server, system_template) as make:
        yield make


@pytest.fixture
def system_database(postgres_server: EmbeddedServer, system_template: str) -> Iterator[str]:
    """A migrated database that protects nothing yet."""
    with databases_like(postgres_server, system_template) as make:
        yield make()


@pytest.fixture
def bundled_database(postgres_server: EmbeddedServer, bundled_template: str) -> Iterator[str]:
    """A migrated database with the bundled application and a twentieth of its demo data."""
    with databases_like(postgres_server, bundled_template) as make:
        yield make()


@contextmanager
def databases_like(server: EmbeddedServer, template: str) -> Iterator[NewDatabase]:
    """Makes copies of a database to which nobody is connected; all are dropped in the end."""
    made: list[str] = []

    def make() -> str:
        name = f"test_{next(_numbers)}"
        _create(server, name, template)
        made.append(name)
        return database_url(server, name)

    try:
        yield make
    finally:
        with psycopg.connect(server.superuser_url, autocommit=True) as connection:
            for name in made:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _template(server: EmbeddedServer, name: str, fill: Callable[[str], None]) -> str:
    _create(server, name, "template0")
    fill(database_url(server, name))
    return name


def _create(server: EmbeddedServer, name: str, template: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} ENCODING 'UTF8'")
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)))
