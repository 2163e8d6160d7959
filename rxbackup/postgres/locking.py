"""Lock tables, and say who holds one that is not to be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from rxbackup import errors
from rxbackup.postgres.connecting import Connection, connect, translated


def lock_tables(conn: Connection, url: str, modes: Mapping[int, str]) -> None:
    """Lock tables, by oid, each in its mode ("SHARE"), until the transaction ends.

    Raises:
        errors.LockNotAvailable: names the table and who holds it.
        errors.PlanRefused: a table is gone.
    """
    with translated("locking the tables"):
        # OID order, like backups: two operations never wait for each other in a ring.
        for oid in sorted(modes):
            row = conn.execute("SELECT %s::oid::regclass::text", (oid,)).fetchone()
            name = sql.SQL(row[0] if row else "")  # regclass quotes
            try:
                conn.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(name, sql.SQL(modes[oid])))
            except psycopg.errors.LockNotAvailable as error:
                raise errors.LockNotAvailable(blocked_message(url, [oid])) from error
            except (psycopg.errors.UndefinedTable, psycopg.errors.SyntaxError) as error:
                raise errors.PlanRefused(
                    "A table was dropped since the plan was made.", hint="Look at the plan again, then restore."
                ) from error


def blocked_message(url: str, oids: Sequence[int]) -> str:
    """Say who holds a lock that keeps readers away from these tables, as far as PostgreSQL tells."""
    with connect(url, application_name="rxbackup") as conn:
        row = conn.execute(
            """
            SELECT c.oid::regclass::text, a.pid,
                   coalesce(nullif(a.application_name, ''), a.usename::text, '?'), a.xact_start
            FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
            JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
            WHERE l.granted AND l.relation = ANY (%s) AND a.application_name NOT LIKE 'rxbackup backup%%'
              AND l.mode IN ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'RowExclusiveLock')
            ORDER BY (l.mode = 'AccessExclusiveLock') DESC, a.xact_start LIMIT 1""",
            (list(oids),),
        ).fetchone()
    if row is None:
        return "A table stayed locked for too long."
    table, pid, who, since = row
    started = f", in a transaction since {since:%H:%M:%S %Z}" if since else ""
    return f"{table} is locked by {who} (process {pid}{started})."
