"""The job queue's own tables: procrastinate's, as they are, in a schema of their own."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from sqlalchemy import Connection, text

QUEUE_SCHEMA = "rxbackup_queue"
_NOTE = "procrastinate "


def installed_version() -> str:
    """The version of procrastinate that runs here."""
    return importlib.metadata.version("procrastinate")


def noted_version(connection: Connection) -> str | None:
    """The version whose tables are there, None if there are none."""
    note = connection.execute(
        text("SELECT obj_description(to_regnamespace(:schema), 'pg_namespace')"), {"schema": QUEUE_SCHEMA}
    ).scalar()
    return str(note).removeprefix(_NOTE) if note and str(note).startswith(_NOTE) else None


def provide_queue(connection: Connection) -> None:
    """Make or upgrade the queue's tables, in the caller's transaction."""
    has, wants = noted_version(connection), installed_version()
    if has == wants:
        return
    if has is None:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {QUEUE_SCHEMA}")
        scripts = [_schema_script()]
    else:
        scripts = _upgrade_scripts(has)
    path = connection.exec_driver_sql("SHOW search_path").scalar_one()
    connection.exec_driver_sql(f"SET LOCAL search_path TO {QUEUE_SCHEMA}")
    for script in scripts:
        # Whole scripts, with percent signs in them: no parameters, not even none.
        connection.execution_options(no_parameters=True).exec_driver_sql(script)
    connection.execute(text("SELECT set_config('search_path', :path, true)"), {"path": path})
    if has is None or _as_numbers(wants) > _as_numbers(has):
        connection.exec_driver_sql(f"COMMENT ON SCHEMA {QUEUE_SCHEMA} IS '{_NOTE}{wants}'")


def _schema_script() -> str:
    from procrastinate.schema import SchemaManager

    return SchemaManager.get_schema()


def _upgrade_scripts(has: str) -> list[str]:
    from procrastinate.schema import SchemaManager

    # Named like 03.04.00_01_pre_what_it_does.sql; sorted by name they are in the order to apply.
    paths = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return [path.read_text("utf-8") for path in paths if _as_numbers(path.name.split("_")[0]) > _as_numbers(has)]


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
