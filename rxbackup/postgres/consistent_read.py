"""One consistent instant of a database: locks, then the snapshot, then the catalogue again.

A REPEATABLE READ snapshot does not protect from TRUNCATE or a rewrite: a table truncated after the snapshot and before
its first touch reads as empty, without an error. So every table is locked first. `LOCK TABLE` and `SET LOCAL` leave the
snapshot open; the first SELECT takes it, when nothing can be truncated any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from rxbackup import errors
from rxbackup.postgres.connecting import Connection, connect, forbid_views, set_pins, translate, translated
from rxbackup.postgres.introspection import Catalogue, Table, read_catalogue
from rxbackup.postgres.locking import blocked_message, naming_who_blocks

_ATTEMPTS = 3
_LOCKS_A_STATEMENT = 200

TableChoice = Callable[[Catalogue], Sequence[Table]]


@dataclass(frozen=True, slots=True)
class Server:
    """Facts about the server and the database."""

    system_identifier: str
    version_num: int
    version: str
    database: str
    database_oid: int
    encoding: str
    collation: str | None
    lc_monetary: str


@dataclass(frozen=True, slots=True)
class ConsistentRead:
    """A transaction that sees one instant, and what it found.

    Attributes:
        conn: the leader's connection; the locks and the exported snapshot live as long as its transaction.
        exported: the snapshot's name, for `join_snapshot` in other processes.
        snapshot: pg_current_snapshot() as text.
        horizon: the oldest transaction still open then, an xid8; a row with an older xmin was there before.
        next_xid: the first transaction not yet begun then, an xid8.
    """

    conn: Connection
    catalogue: Catalogue
    tables: tuple[Table, ...]
    server: Server
    exported: str
    snapshot: str
    horizon: int
    next_xid: int
    taken_at: datetime


@contextmanager
def consistent_read(url: str, choose: TableChoice, *, lock_timeout_seconds: float) -> Iterator[ConsistentRead]:
    """Open one consistent instant of the tables that `choose` picks from the catalogue.

    Raises:
        errors.RowsHidden: the role may not read a table whole.
        errors.LockNotAvailable: a table stayed locked; the message names who holds it.
        errors.SchemaMoved: tables came, went or changed three times in a row while being locked.
    """
    conn = connect(url, application_name="rxbackup backup")
    try:
        forbid_views(conn)
        for attempt in range(_ATTEMPTS):
            with naming_who_blocks(url), translated("reading the catalogue"):
                before = _look(conn, lock_timeout_seconds)
                wanted = _checked(choose(before))
            read = _begin(conn, url, choose, before, wanted, lock_timeout_seconds)
            if read is not None:
                break
            with translated():
                conn.execute("ROLLBACK")
            if attempt == _ATTEMPTS - 1:
                raise errors.SchemaMoved
        assert read is not None  # noqa: S101 - the loop leaves by break or raise
        yield read
        with translated("ending the snapshot"):
            conn.execute("COMMIT")
    finally:
        conn.close()


def join_snapshot(url: str, exported: str) -> Connection:
    """Open another connection that sees the same instant. Close it when done; it holds no lock that outlives it."""
    conn = connect(url, application_name="rxbackup backup (copy)")
    try:
        forbid_views(conn)
        with translated("joining the snapshot"):
            conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            _import(conn, exported)
            set_pins(conn)
            _write_as_server(conn)
    except BaseException:
        conn.close()
        raise
    return conn


def _import(conn: Connection, exported: str) -> None:
    try:
        conn.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(exported)))
    except (psycopg.errors.UndefinedObject, psycopg.errors.InvalidParameterValue) as error:
        # An exported snapshot lives as long as the transaction that exported it.
        raise errors.DatabaseUnavailable("The connection that holds the backup's snapshot was lost.") from error


def read_server(conn: Connection) -> Server:
    """Ask which server and database this is."""
    row = conn.execute("""
        SELECT (SELECT system_identifier::text FROM pg_catalog.pg_control_system()),
               pg_catalog.current_setting('server_version_num')::int, pg_catalog.current_setting('server_version'),
               d.datname, d.oid::bigint, pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate,
               pg_catalog.current_setting('lc_monetary')
        FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()""").fetchone()
    assert row is not None  # noqa: S101 - the current database exists
    return Server(*row)


def _look(conn: Connection, lock_timeout_seconds: float) -> Catalogue:
    with conn.transaction():
        set_pins(conn, lock_timeout_seconds=lock_timeout_seconds)
        return read_catalogue(conn)


def _checked(tables: Sequence[Table]) -> Sequence[Table]:
    hidden = [t.qualified for t in tables if not t.readable]
    if hidden:
        raise errors.RowsHidden(f"The backup's role may not read {_some(hidden)}.")
    return tables


def _begin(
    conn: Connection,
    url: str,
    choose: TableChoice,
    before: Catalogue,
    wanted: Sequence[Table],
    lock_timeout_seconds: float,
) -> ConsistentRead | None:
    """Lock, take the snapshot, look again. None if the ground moved meanwhile."""
    with translated("beginning the snapshot"):
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        set_pins(conn, lock_timeout_seconds=lock_timeout_seconds)
        _write_as_server(conn)
    if not _lock(conn, url, wanted):
        return None
    with translated("taking the snapshot"):
        row = conn.execute("""
            SELECT pg_catalog.pg_current_snapshot()::text, pg_catalog.pg_export_snapshot(), pg_catalog.now(),
                   pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text,
                   pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text""").fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        after = read_catalogue(conn)
        if after.shape != before.shape:
            return None
        snapshot, exported, taken_at, horizon, next_xid = row
        return ConsistentRead(
            conn,
            after,
            tuple(choose(after)),
            read_server(conn),
            exported,
            snapshot,
            int(horizon),
            int(next_xid),
            taken_at,
        )


def _lock(conn: Connection, url: str, tables: Sequence[Table]) -> bool:
    """Take ACCESS SHARE on all tables in OID order. False if one of them is gone."""
    ordered = sorted(tables, key=lambda t: t.oid)
    for start in range(0, len(ordered), _LOCKS_A_STATEMENT):
        names = sql.SQL(", ").join(
            sql.SQL("ONLY {}").format(t.identifier) for t in ordered[start:][:_LOCKS_A_STATEMENT]
        )
        try:
            conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return False
        except psycopg.errors.LockNotAvailable as error:
            raise errors.LockNotAvailable(blocked_message(url, [t.oid for t in ordered])) from error
        except psycopg.Error as error:
            raise translate(error, "locking the tables") from error
    return True


def _write_as_server(conn: Connection) -> None:
    # Bytes are kept in the server's own encoding: nothing is converted on the way out.
    encoding = conn.info.parameter_status("server_encoding") or "UTF8"
    conn.execute(sql.SQL("SET LOCAL client_encoding = {}").format(sql.Literal(encoding)))


def _some(names: Sequence[str], most: int = 5) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
