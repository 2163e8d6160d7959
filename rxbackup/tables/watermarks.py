"""The one table that rxbackup keeps in a database it protects but does not live in."""

from __future__ import annotations

from sqlalchemy import text

from rxbackup.errors import PermissionDenied
from rxbackup.tables.app_role import APP_ROLE
from rxbackup.tables.connecting import make_engine, told

_MAKE = (
    "CREATE SCHEMA rxbackup",
    """CREATE TABLE rxbackup.watermarks (
        id uuid DEFAULT gen_random_uuid() NOT NULL CONSTRAINT pk_watermarks PRIMARY KEY,
        backup_id uuid NOT NULL,
        system_identifier text NOT NULL,
        taken_at timestamptz DEFAULT now() NOT NULL
    )""",
    "CREATE INDEX ix_watermarks_backup_id ON rxbackup.watermarks (backup_id)",
    "ALTER TABLE rxbackup.watermarks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    """CREATE POLICY any_actor ON rxbackup.watermarks
        USING (nullif(current_setting('rxbackup.actor', true), '') IS NOT NULL)""",
)
_GRANT = (
    f"GRANT USAGE ON SCHEMA rxbackup TO {APP_ROLE}",
    f"GRANT SELECT, INSERT, DELETE ON rxbackup.watermarks TO {APP_ROLE}",
)


def ensure_watermarks(url: str) -> bool:
    """Make the table in a protected database; False where this login may not, which only costs incremental backups.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    try:
        with told(), make_engine(url, pooled=False).begin() as connection:
            there = text(
                "SELECT to_regclass('rxbackup.watermarks') IS NOT NULL, to_regnamespace('rxbackup') IS NOT NULL"
            )
            table_is_there, schema_is_there = connection.execute(there).one()
            if table_is_there:
                return True
            for statement in _MAKE[1:] if schema_is_there else _MAKE:
                connection.exec_driver_sql(statement)
            role = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
            if connection.execute(role, {"role": APP_ROLE}).scalar():
                for statement in _GRANT:
                    connection.exec_driver_sql(statement)
    except PermissionDenied:
        return False
    return True
