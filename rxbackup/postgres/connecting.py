"""Open a connection, pin its settings, and turn PostgreSQL's errors into ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from rxbackup import errors
from rxbackup.postgres import cancelling

Connection = psycopg.Connection[Any]

PINS: Mapping[str, str] = {
    "search_path": "",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "xmloption": "content",
    "synchronize_seqscans": "off",
    "row_security": "off",
}
"""Settings that decide how a value looks as text. Written into the manifest and set again on the way back.

Text written under one DateStyle and read under another is silently another date.
"""

_CALM: Mapping[str, str] = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}

# Sent with the connection itself: whatever ALTER ROLE or ALTER DATABASE set would hold from the first statement on.
_FROM_THE_START: Mapping[str, str] = {
    **_CALM,
    "default_transaction_read_only": "off",
    "default_transaction_isolation": r"read\ committed",
}

_NEWER: Mapping[str, tuple[int, str]] = {
    # name → first major version that knows it, value
    "idle_session_timeout": (14, "0"),
    "transaction_timeout": (17, "0"),
}


def connect(url: str, *, application_name: str) -> Connection:
    """Connect in autocommit mode.

    Args:
        url: a libpq connection string or URL.
        application_name: shown in pg_stat_activity.

    Raises:
        errors.DatabaseUnavailable: nothing answers, or the password is wrong.
    """
    with translated():
        given = conninfo_to_dict(url).get("options")
        options = [f"-c {name}={value}" for name, value in _FROM_THE_START.items()]
        conn = psycopg.connect(
            url,
            options=" ".join([str(given), *options] if given else options),
            autocommit=True,
            application_name=application_name,
            connect_timeout=10,
            keepalives_idle=30,
            prepare_threshold=None,
        )
    cancelling.remember(conn)
    return conn


def set_pins(conn: Connection, pins: Mapping[str, str] = PINS, *, lock_timeout_seconds: float = 30) -> None:
    """Pin everything that changes how values are written, for the current transaction only.

    Only `SET LOCAL` is used: `SELECT set_config(…)` would fix the snapshot before the tables are locked.
    """
    major = conn.info.server_version // 10000
    wanted = {**pins, **_CALM, "lock_timeout": f"{int(lock_timeout_seconds * 1000)}ms"}
    wanted |= {name: value for name, (first, value) in _NEWER.items() if major >= first}
    for name, value in wanted.items():
        # search_path is a list of identifiers: the empty list is written as '' and nothing else.
        conn.execute(sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), sql.Literal(value)))


def forbid_views(conn: Connection) -> None:
    """Refuse to read from views and foreign tables in this session (a table swapped for a view would run its code).

    Servers older than the minor releases of August 2024 do not know the setting; there the relkind check stands alone.
    """
    row = conn.execute("SELECT 1 FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'").fetchone()
    if row:
        conn.execute("SET restrict_nonsystem_relation_kind = 'view, foreign-table'")


_NOBODY_ANSWERS = ("connection failed: ", "connection timeout expired")
"""How psycopg begins where no connection came about."""


@contextmanager
def translated(doing: str = "") -> Iterator[None]:
    """Turn psycopg's errors into rxbackup's. `doing` starts the message: "reading public.assets"."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, doing) from error


def translate(error: psycopg.Error, doing: str = "") -> errors.RxbackupError:
    """Return the error to show for one that PostgreSQL or libpq raised."""
    text = error.diag.message_primary or str(error).strip().split("\n")[0] or type(error).__name__
    if text.startswith(_NOBODY_ANSWERS):
        text = f"The database cannot be reached: {text.removeprefix('connection failed: ')}"
    if error.diag.message_detail:
        text = f"{text} ({error.diag.message_detail})"
    message = f"{doing[:1].upper()}{doing[1:]}: {text}" if doing else text
    return _kind_of(error, message)


def _kind_of(error: psycopg.Error, message: str) -> errors.RxbackupError:
    known: list[
        tuple[type[psycopg.Error] | tuple[type[psycopg.Error], ...], type[errors.RxbackupError], str | None]
    ] = [
        (
            (psycopg.errors.InvalidPassword, psycopg.errors.InvalidAuthorizationSpecification),
            errors.DatabaseUnavailable,
            "Check the user and the password in RXBACKUP_DATABASE_URL.",
        ),
        (psycopg.errors.LockNotAvailable, errors.LockNotAvailable, None),
        (psycopg.errors.QueryCanceled, errors.StatementCancelled, None),
        (
            psycopg.errors.DiskFull,
            errors.DatabaseRefused,
            "The database server's disk is full. Free some space there, then try again. Nothing was changed.",
        ),
        (
            psycopg.errors.ProgramLimitExceeded,
            errors.DatabaseRefused,
            "PostgreSQL cannot write a row of more than 1 GB as text. Split or shorten that value.",
        ),
        (
            psycopg.errors.OutOfMemory,
            errors.DatabaseRefused,
            "If it names shared memory, raise max_locks_per_transaction on the server and restart it.",
        ),
    ]
    for kinds, ours, hint in known:
        if isinstance(error, kinds):
            return ours(message, hint=hint)
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return errors.RowsHidden(message)
    if isinstance(error, psycopg.OperationalError) and (error.sqlstate is None or error.sqlstate[:2] in {"08", "57"}):
        hint = "Check the user and the password in RXBACKUP_DATABASE_URL." if "password" in message else None
        return errors.DatabaseUnavailable(message, hint=hint)
    return errors.DatabaseRefused(message)
