"""Sessions on the system database: one transaction each, on behalf of somebody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlmodel import Session

from rxbackup.tables.app_role import APP_ROLE, may_become_app_role
from rxbackup.tables.connecting import make_engine, told

_ACT_AS = text("SELECT set_config('rxbackup.actor', :actor, true)")
_ACT_AS_IN_ROLE = text("SELECT set_config('rxbackup.actor', :actor, true), set_config('role', :role, true)")


class SystemDatabase:
    """rxbackup's own tables.

    Safe to share between threads; not between processes: each makes its own. Connects at first use.

    Args:
        url: any PostgreSQL URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url, pooled=True)
        self._in_role = False

    @contextmanager
    def session(self, actor: str) -> Iterator[Session]:
        """One transaction on behalf of an actor: committed at the end, rolled back on any error.

        Statements run as the role `rxbackup_app`, where it exists and the login may become it, so that row-level
        security holds whoever logs in. Do not commit inside: role and actor end with the transaction.

        Args:
            actor: an email, or `system` for the app itself. It decides what row-level security lets through.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
            PermissionDenied: row-level security refused a row.
        """
        if not actor:
            raise ValueError("a session needs an actor")
        with told(), Session(self._engine, expire_on_commit=False) as session, session.begin():
            connection = session.connection()
            # Asked for again until the answer is yes: `migrate` may make the role while we run.
            self._in_role = self._in_role or may_become_app_role(connection)
            if self._in_role:
                connection.execute(_ACT_AS_IN_ROLE, {"actor": actor, "role": APP_ROLE})
            else:
                connection.execute(_ACT_AS, {"actor": actor})
            yield session

    def dispose(self) -> None:
        """Close every connection. The object can be used again: it then connects anew."""
        self._engine.dispose()
