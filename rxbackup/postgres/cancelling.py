"""End a statement that waits, from another thread: who cancels a run shall not have to wait for somebody's lock."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg.pq import TransactionStatus

_TIMEOUT_SECONDS = 5.0

_logger = logging.getLogger(__name__)


class Statements:
    """What runs on the connections that one thread has opened since `cancellable` began there."""

    def __init__(self) -> None:
        self._connections: WeakSet[psycopg.Connection[Any]] = WeakSet()
        self._lock = threading.Lock()

    def add(self, conn: psycopg.Connection[Any]) -> None:
        """Count a new connection among those."""
        with self._lock:
            self._connections.add(conn)

    def cancel(self) -> int:
        """Ask the server to end every statement that runs just now. Call it from another thread.

        Each of them raises `errors.StatementCancelled`, unless it ends before the server hears of it.

        Returns:
            How many statements that were.
        """
        with self._lock:
            active = [c for c in self._connections if c.info.transaction_status is TransactionStatus.ACTIVE]
        for conn in active:
            try:
                conn.cancel_safe(timeout=_TIMEOUT_SECONDS)
            except psycopg.Error:
                # The server is away: then the statement ends by that.
                _logger.warning("A statement could not be cancelled", exc_info=True)
        return len(active)


_statements: ContextVar[Statements | None] = ContextVar("statements", default=None)


@contextmanager
def cancellable() -> Iterator[Statements]:
    """Keep in mind the connections that this thread opens within, so that another thread may cancel what they do."""
    statements = Statements()
    token = _statements.set(statements)
    try:
        yield statements
    finally:
        _statements.reset(token)


def remember(conn: psycopg.Connection[Any]) -> None:
    """Count a new connection among those of `cancellable`, if this thread is within it."""
    statements = _statements.get()
    if statements is not None:
        statements.add(conn)
