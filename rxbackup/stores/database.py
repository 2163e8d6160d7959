"""A store in the system database: one row of `rxbackup.objects` an object.

Each call is its own short transaction, taken as the role `rxbackup_app` on behalf of the actor, so that row-level
security holds here as everywhere. Contents travel in binary: as text a bytea would double in size.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

import psycopg
from psycopg import sql

from rxbackup.errors import (
    ObjectNotFound,
    Refused,
    RxbackupError,
    StoreFull,
    StoreNotWritable,
    StoreTrouble,
    StoreUnavailable,
)
from rxbackup.stores.base import StoredObject, StoreRecipe, check_name, check_prefix

ROLE = "rxbackup_app"
_PAGE = 1000

_Answer = TypeVar("_Answer")
_Connection = psycopg.Connection[tuple[object, ...]]

_MAY_BE_ROLE = """
    SELECT pg_catalog.pg_has_role(current_user, oid,
        CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    FROM pg_catalog.pg_roles WHERE rolname = %s
"""
_PUT = "INSERT INTO rxbackup.objects (name, content) VALUES (%s, %b) ON CONFLICT (name) DO "
_REPLACE = _PUT + "UPDATE SET content = excluded.content, created_at = pg_catalog.now()"
_KEEP = _PUT + "NOTHING"
_STAT = "SELECT name, pg_catalog.octet_length(content)::bigint, created_at FROM rxbackup.objects "
_STAT_ONE = _STAT + "WHERE name = %s"
# The range lets the primary key serve the prefix; names hold nothing above `z`, so `~` ends every range.
_LIST = _STAT + 'WHERE name COLLATE "C" > %s AND name COLLATE "C" >= %s AND name COLLATE "C" < %s ORDER BY 1 LIMIT %s'


class DatabaseStore:
    """Objects in the table `rxbackup.objects`, which `rxbackup migrate` makes.

    One connection is kept open; one that broke is replaced once a call, which is safe because every call may be
    repeated. Calls from several threads take turns.
    """

    kind = "database"

    def __init__(self, url: str, *, actor: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._actor = actor
        self._connection: _Connection | None = None
        self._opening: sql.Composed | None = None
        self._turn = threading.Lock()

    def describe(self) -> str:
        """The place, for people."""
        with suppress(psycopg.Error):
            known = psycopg.conninfo.conninfo_to_dict(self._url)
            return f"database {known.get('dbname', '')} on {known.get('host', 'this machine')}"
        return "the system database"

    def recipe(self) -> StoreRecipe:
        """Opens the same database as the same actor."""
        return StoreRecipe("database", {}, system_url=self._url, actor=self._actor)

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        """Insert or replace the row."""
        check_name(name)
        statement = _KEEP if if_absent else _REPLACE
        return self._call(lambda cursor: cursor.execute(statement, (name, content)).rowcount == 1)

    def get(self, name: str) -> bytes:
        """The row's content."""
        check_name(name)

        def ask(cursor: psycopg.Cursor[tuple[object, ...]]) -> bytes | None:
            row = cursor.execute(
                "SELECT content FROM rxbackup.objects WHERE name = %s", (name,), binary=True
            ).fetchone()
            return None if row is None else _as_bytes(row[0])

        content = self._call(ask)
        if content is None:
            raise ObjectNotFound(f"There is no object {name} in {self.describe()}.")
        return content

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The rows whose names begin with `prefix`, a page at a time."""
        check_prefix(prefix)
        after = ""
        while True:
            page = self._page(prefix, after)
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].name

    def stat(self, name: str) -> StoredObject | None:
        """Length and time of the row, or None; the content is not read."""
        check_name(name)
        row = self._call(lambda cursor: cursor.execute(_STAT_ONE, (name,)).fetchone())
        return None if row is None else _as_object(row)

    def delete(self, name: str) -> None:
        """Delete the row. PostgreSQL refuses while the catalogue of chunks still points at it."""
        check_name(name)
        self._call(lambda cursor: cursor.execute("DELETE FROM rxbackup.objects WHERE name = %s", (name,)).rowcount)

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        with self._turn:
            self._drop()

    def _page(self, prefix: str, after: str) -> Sequence[StoredObject]:
        bounds = (after, prefix, f"{prefix}~", _PAGE)
        return [_as_object(row) for row in self._call(lambda cursor: cursor.execute(_LIST, bounds).fetchall())]

    def _call(self, ask: Callable[[psycopg.Cursor[tuple[object, ...]]], _Answer]) -> _Answer:
        with self._turn, self._trouble():
            fresh = self._connection is None
            try:
                return self._transact(ask)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                # A server that was restarted is noticed only by the first call after it: try once, anew.
                if fresh or not self._broken():
                    raise
                self._drop()
                return self._transact(ask)

    def _transact(self, ask: Callable[[psycopg.Cursor[tuple[object, ...]]], _Answer]) -> _Answer:
        connection, opening = self._connected()
        try:
            connection.execute(opening)
            answer = ask(connection.cursor())
            connection.execute("COMMIT")
        except BaseException:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            raise
        return answer

    def _connected(self) -> tuple[_Connection, sql.Composed]:
        if self._connection is None or self._opening is None:
            connection: _Connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=10,
                application_name="rxbackup store",
                prepare_threshold=None,
            )
            try:
                self._opening = self._opening_statement(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection, self._opening

    def _opening_statement(self, connection: _Connection) -> sql.Composed:
        """BEGIN, the role and the actor in one round trip."""
        row = connection.execute(_MAY_BE_ROLE, (ROLE,)).fetchone()
        role = sql.SQL("SET LOCAL ROLE {};").format(sql.Identifier(ROLE)) if row and row[0] else sql.SQL("")
        actor = sql.SQL("SELECT pg_catalog.set_config('rxbackup.actor', {}, true)").format(sql.Literal(self._actor))
        return sql.SQL("BEGIN; {} {}").format(role, actor)

    def _broken(self) -> bool:
        return self._connection is None or self._connection.broken or self._connection.closed

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            if self._broken():
                self._drop()
            raise _told(error, self.describe()) from error


def _told(error: psycopg.Error, place: str) -> RxbackupError:
    """The error that a person can act on; `error` itself may quote values and stays the cause."""
    state = error.sqlstate or ""
    said = error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
    message = f"The {place} answered: {said}"
    if state == "53100":
        return StoreFull(message)
    if state in ("25006", "42501"):
        return StoreNotWritable(message, hint="Give the role of RXBACKUP_SYSTEM_URL its rights: `rxbackup migrate`.")
    if state in ("42P01", "3F000", "42703"):
        return StoreUnavailable(message, hint="Run `rxbackup migrate` to make rxbackup's tables.")
    if state in ("23001", "23503"):
        return Refused("The object is still used by a backup.", hint="Delete the backups that use it first.")
    if not state or state[:2] in ("08", "53", "57", "28", "3D"):
        return StoreUnavailable(message, hint="Check that PostgreSQL runs and can be reached, then try again.")
    return StoreTrouble(message)


def _as_object(row: tuple[object, ...]) -> StoredObject:
    name, size, at = row
    return StoredObject(name, size, at)  # type: ignore[arg-type]


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else bytes(value)  # type: ignore[call-overload]
