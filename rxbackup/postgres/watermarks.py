"""The token that a backup leaves in the protected database.

If the token is still there, the server was not rolled back to a state before that backup (a restored data directory,
a failover to a server that lost commits). Only then may a later backup lean on what that one saw.
"""

from __future__ import annotations

from uuid import UUID

import psycopg

from rxbackup.postgres.connecting import Connection, connect

_CANNOT_WRITE = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,  # a replica
)


def leave_watermark(url: str, *, watermark: UUID, backup_id: UUID, system_identifier: str) -> bool:
    """Commit a watermark row. Must be called after the backup's snapshot was taken.

    Returns:
        False where the database has no table for it, is a replica, or the role may not write there: the backup is
        whole all the same, but no later one can lean on it.
    """
    with connect(url, application_name="rxbackup backup") as conn:
        try:
            with conn.transaction():
                act_as_system(conn)
                conn.execute(
                    "INSERT INTO rxbackup.watermarks (id, backup_id, system_identifier) VALUES (%s, %s, %s)",
                    (watermark, backup_id, system_identifier),
                )
        except _CANNOT_WRITE:
            return False
    return True


def act_as_system(conn: Connection) -> None:
    """For the current transaction, pass the policies of rxbackup's own tables as the system itself."""
    row = conn.execute("""
        SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'rxbackup_app'
        AND pg_catalog.pg_has_role(oid, 'MEMBER')""").fetchone()
    if row:
        conn.execute("SET LOCAL ROLE rxbackup_app")
    conn.execute("SELECT pg_catalog.set_config('rxbackup.actor', 'system', true)")
