"""Bringing the system database to the present schema. A migration is one transaction: the old schema or the new one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from rxbackup.errors import DatabaseTrouble
from rxbackup.tables.app_role import grant_to_app_role, provide_app_role
from rxbackup.tables.base import SCHEMA
from rxbackup.tables.connecting import make_engine, told
from rxbackup.tables.queue_schema import QUEUE_SCHEMA, installed_version, noted_version, provide_queue

if TYPE_CHECKING:
    from alembic.config import Config

SYSTEM_BRANCH = "rxbackup"
BUNDLED_BRANCH = "bundled"
_LOCK = 0x7278_6D69_6772
_one_at_a_time = threading.Lock()  # Alembic keeps what it works on in globals
_PREPARE = (
    # "$user" may resolve to our own schema: the owner of the embedded database is named like it.
    "SET LOCAL search_path TO public",
    "SET LOCAL statement_timeout TO 0",
    f"SELECT pg_advisory_xact_lock({_LOCK})",
    "SET LOCAL lock_timeout TO '60s'",
    "SELECT set_config('rxbackup.actor', 'system', true)",
)


def migrate(url: str, *, protected_url: str | None) -> None:
    """Bring rxbackup's own tables up to date. Does nothing where they are; waits while another process does it.

    Args:
        url: the system database.
        protected_url: the database to protect, if it is another one; it gets the table of watermarks, if it may.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
        PermissionDenied: the login may not create a schema there.
    """
    with _exclusive(url) as connection:
        provide_app_role(connection)
        _upgrade(connection, SYSTEM_BRANCH)
        if _revisions(connection) & _revisions_of(BUNDLED_BRANCH):
            _upgrade(connection, BUNDLED_BRANCH)
        provide_queue(connection)
        grant_to_app_role(connection)
    if protected_url is not None and protected_url != url:
        from rxbackup.tables.watermarks import ensure_watermarks

        ensure_watermarks(protected_url)


def own_schemas(url: str) -> tuple[str, frozenset[str]]:
    """The name of a database, and which of rxbackup's schemas it has.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    with told(), make_engine(url, pooled=False).begin() as connection:
        database = connection.execute(text("SELECT current_database()")).scalar_one()
        wanted = text("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY (:names)")
        there = connection.execute(wanted, {"names": [SCHEMA, QUEUE_SCHEMA]}).scalars()
        return str(database), frozenset(there)


def is_current(url: str) -> bool:
    """Whether the tables are those of this release."""
    with told(), make_engine(url, pooled=False).begin() as connection:
        connection.execute(text("SELECT set_config('rxbackup.actor', 'system', true)"))
        if connection.execute(text("SELECT to_regclass('rxbackup.alembic_version')")).scalar() is None:
            return False
        present = _revisions(connection)
        wanted = {_head_of(SYSTEM_BRANCH)}
        if present & _revisions_of(BUNDLED_BRANCH):
            wanted.add(_head_of(BUNDLED_BRANCH))
        return wanted <= present and noted_version(connection) == installed_version()


def make_bundled_application(url: str) -> None:
    """Make the tables of the bundled asset-management application in schema `public`, or bring them up to date."""
    with _exclusive(url) as connection:
        _upgrade(connection, BUNDLED_BRANCH)


@contextmanager
def _exclusive(url: str) -> Iterator[Connection]:
    engine = make_engine(url, pooled=False)
    with _one_at_a_time, told(), engine.begin() as connection:
        for statement in _PREPARE:
            connection.exec_driver_sql(statement)
        # CREATE SCHEMA IF NOT EXISTS asks for the right to create even where there is nothing to do.
        if connection.execute(text("SELECT to_regnamespace(:name)"), {"name": SCHEMA}).scalar() is None:
            connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
        yield connection


def _upgrade(connection: Connection, branch: str) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, f"{branch}@head")


def _revisions(connection: Connection) -> set[str]:
    return set(connection.execute(text("SELECT version_num FROM rxbackup.alembic_version")).scalars())


def _revisions_of(branch: str) -> set[str]:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    return {script.revision for script in scripts.walk_revisions("base", f"{branch}@head")}


def _head_of(branch: str) -> str:
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(_config()).get_revision(f"{branch}@head")
    return str(head.revision)


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    config.set_main_option("recursive_version_locations", "true")
    return config


def _scripts() -> Path:
    """The migrations: in the wheel inside the package, in a checkout beside it."""
    package = Path(__file__).parents[1]
    for folder in (package / "_alembic", package.parent / "alembic"):
        if (folder / "env.py").exists():
            return folder
    raise DatabaseTrouble("The migrations are not in this installation.", hint="Install rxbackup again.")
