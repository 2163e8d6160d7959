"""Connections to the system database, and its errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from sqlalchemy import Dialect, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from rxbackup.errors import (
    Busy,
    DatabaseRefused,
    DatabaseTrouble,
    DatabaseUnavailable,
    LockNotAvailable,
    PermissionDenied,
    RxbackupError,
)

_CONNECT = MappingProxyType(
    {
        "application_name": "rxbackup",
        "connect_timeout": 10,
        "prepare_threshold": None,  # a pooler between us and PostgreSQL may not keep prepared statements
    }
)
_BUSY = ("40001", "40P01")  # serialisation failure, deadlock
_UNAVAILABLE = ("08", "53", "57P", "3D", "28")  # connection, resources, shutdown, no such database, wrong password
_MISSING = ("42P01", "3F000", "42703", "42883")  # table, schema, column, function


def make_engine(url: str, *, pooled: bool) -> Engine:
    """An engine for any URL or key/value string that libpq understands."""
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pooled:
        pool = {"pool_size": 5, "max_overflow": 15, "pool_pre_ping": True, "pool_recycle": 1800}
    engine = create_engine("postgresql+psycopg://", connect_args=dict(_CONNECT), hide_parameters=True, **pool)
    conninfo = url.replace("postgresql+psycopg://", "postgresql://", 1)

    def give_url(dialect: Dialect, record: Any, arguments: list[Any], named: dict[str, Any]) -> None:  # noqa: ARG001
        # Whole, as it was given: libpq knows more kinds of URL than SQLAlchemy does.
        arguments[:] = [conninfo]

    event.listen(engine, "do_connect", give_url)
    return engine


@contextmanager
def told() -> Iterator[None]:
    """Turn what the database says into errors for people.

    Raises:
        DatabaseUnavailable: it is away, full, or does not let us in.
        LockNotAvailable, Busy: others are in the way; trying again helps.
        PermissionDenied: row-level security or missing rights.
        DatabaseTrouble: our own tables are not there.
        DatabaseRefused: anything else that the server, not the program, is to blame for.
    """
    try:
        yield
    except DBAPIError as error:
        translated = translate(error)
        if translated is None:
            raise
        raise translated from error


def translate(error: DBAPIError) -> RxbackupError | None:
    """The error in our words, or None where it is a mistake of ours (a broken constraint, bad SQL)."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    said = (str(error.orig).strip().splitlines() or [""])[0]
    if error.connection_invalidated or (not state and error.orig is not None) or state.startswith(_UNAVAILABLE):
        return DatabaseUnavailable(f"The database cannot be used: {said}")
    if state == "55P03":
        return LockNotAvailable(f"A table stayed locked for too long: {said}")
    if state in _BUSY:
        return Busy(f"Somebody else changed the same thing at the same moment: {said}")
    if state == "42501":
        return PermissionDenied(f"The database does not allow it: {said}")
    if state in _MISSING:
        return DatabaseTrouble(
            f"rxbackup's own tables are missing or of another release: {said}", hint="Run `rxbackup migrate`."
        )
    return DatabaseRefused(f"PostgreSQL refused: {said}") if state.startswith(("54", "58", "XX", "25", "57")) else None
