"""Lock tables, and say who holds one that is not to be had.

Others write as they like, in any order. To wait for a table while holding another that they may want would be one half
of a deadlock, and PostgreSQL might end them rather than us. So only the first table is waited for; the others must come
before PostgreSQL begins to look for deadlocks. If they do not, everything is let go, and the one that was not to be had
is waited for first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from rxbackup import errors
from rxbackup.postgres.connecting import Connection, connect, translated


def lock_tables(conn: Connection, url: str, modes: Mapping[int, str], *, timeout_seconds: float) -> None:
    """Lock tables, by oid, each in its mode ("SHARE"), until the transaction ends. It must hold no lock yet.

    Only these are locked: of a partitioned table name all partitions, too.

    Args:
        timeout_seconds: how long to try, all in all. `lock_timeout` is that afterwards.

    Raises:
        errors.LockNotAvailable: names the table and who holds it.
        errors.PlanRefused: a table is gone.
    """
    with translated("locking the tables"):
        deadline = time.monotonic() + timeout_seconds
        patience = short_wait_seconds(conn)
        names = {oid: _name(conn, oid) for oid in modes}
        # OID order, like backups; a table that was not to be had comes first.
        order = sorted(modes)
        while True:
            conn.execute("SAVEPOINT before_locks")
            blocked = _take(conn, [(oid, names[oid], modes[oid]) for oid in order], deadline, patience)
            if blocked is None:
                break
            conn.execute("ROLLBACK TO SAVEPOINT before_locks")
            if time.monotonic() >= deadline:
                raise errors.LockNotAvailable(blocked_message(url, [blocked]))
            order = [blocked, *(oid for oid in order if oid != blocked)]
        conn.execute("RELEASE SAVEPOINT before_locks")
        set_lock_timeout(conn, timeout_seconds)


def short_wait_seconds(conn: Connection) -> float:
    """A wait so short that PostgreSQL does not begin to look for a deadlock in it."""
    row = conn.execute(
        "SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'"  # milliseconds
    ).fetchone()
    return (row[0] if row else 1000) / 2000


@contextmanager
def short_waits(conn: Connection) -> Iterator[None]:
    """For some statements of a transaction, wait so shortly for locks that nobody can die of it."""
    row = conn.execute("SELECT pg_catalog.current_setting('lock_timeout')").fetchone()
    set_lock_timeout(conn, short_wait_seconds(conn))
    yield
    conn.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(row[0] if row else "0")))


def set_lock_timeout(conn: Connection, seconds: float) -> None:
    """Wait no longer than this for a lock, until the transaction ends."""
    conn.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(f"{max(int(seconds * 1000), 1)}ms")))


def _take(conn: Connection, wanted: Sequence[tuple[int, sql.SQL, str]], deadline: float, patience: float) -> int | None:
    """Lock all of these. Returns the one that was not to be had, if there is one: then some others are locked."""
    until = deadline
    for number, (oid, name, mode) in enumerate(wanted):
        set_lock_timeout(conn, until - time.monotonic())
        try:
            conn.execute(sql.SQL("LOCK TABLE ONLY {} IN {} MODE").format(name, sql.SQL(mode)))
        except psycopg.errors.LockNotAvailable:
            return oid
        except (psycopg.errors.UndefinedTable, psycopg.errors.SyntaxError) as error:
            raise errors.PlanRefused(
                "A table was dropped since the plan was made.", hint="Look at the plan again, then restore."
            ) from error
        if number == 0:
            until = min(deadline, time.monotonic() + patience)
    return None


def _name(conn: Connection, oid: int) -> sql.SQL:
    row = conn.execute("SELECT %s::oid::regclass::text", (oid,)).fetchone()
    return sql.SQL(row[0] if row else "")  # regclass quotes


@contextmanager
def naming_who_blocks(url: str) -> Iterator[None]:
    """Where a look at the catalogue, which measures every table, waited in vain for one of them, say for whom."""
    try:
        yield
    except errors.LockNotAvailable as error:
        raise errors.LockNotAvailable(blocked_message(url)) from error


def blocked_message(url: str, oids: Sequence[int] | None = None) -> str:
    """Say who holds a lock that keeps readers away from these tables, or from any table, as far as PostgreSQL tells."""
    with connect(url, application_name="rxbackup") as conn:
        conn.execute("SET search_path = ''")  # regclass names the schema then
        row = conn.execute(
            """
            SELECT c.oid::regclass::text, a.pid,
                   coalesce(nullif(a.application_name, ''), a.usename::text, '?'), a.xact_start
            FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
            JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
            WHERE l.granted AND a.application_name NOT LIKE 'rxbackup backup%%' AND l.database =
                  (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
              AND CASE WHEN %(any)s THEN l.mode = 'AccessExclusiveLock' ELSE l.relation = ANY (%(oids)s)
                  AND l.mode IN ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'RowExclusiveLock')
                  END
            ORDER BY (l.mode = 'AccessExclusiveLock') DESC, a.xact_start LIMIT 1""",
            {"any": oids is None, "oids": list(oids or ())},
        ).fetchone()
    if row is None:
        return "A table stayed locked for too long."
    table, pid, who, since = row
    started = f", in a transaction since {since:%H:%M:%S %Z}" if since else ""
    return f"{table} is locked by {who} (process {pid}{started})."
