"""User triggers off for a while, and on again as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from psycopg import sql

from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.introspection import Catalogue, Table, Trigger

_ENABLE = {"O": "ENABLE TRIGGER", "R": "ENABLE REPLICA TRIGGER", "A": "ENABLE ALWAYS TRIGGER"}


@contextmanager
def silence_triggers(conn: Connection, catalogue: Catalogue, tables: Sequence[Table]) -> Iterator[None]:
    """Disable the user triggers of these tables and their partitions inside the transaction.

    A trigger would stamp `updated_at` anew, write audit rows, or drop rows by returning NULL. Each is enabled again in
    the very state it was in; if the transaction fails, the rollback does that.
    """
    roots = {t.oid for t in tables}
    silenced = [t for t in catalogue.triggers if t.enabled != "D" and catalogue.by_oid[t.table].root in roots]
    # Partitions get copies of their root's triggers, each with a state of its own. All are listed, so ONLY suffices.
    for trigger in silenced:
        _alter(conn, catalogue, trigger, "DISABLE TRIGGER")
    yield
    for trigger in silenced:
        _alter(conn, catalogue, trigger, _ENABLE[trigger.enabled])


def _alter(conn: Connection, catalogue: Catalogue, trigger: Trigger, action: str) -> None:
    conn.execute(
        sql.SQL("ALTER TABLE ONLY {} {} {}").format(
            catalogue.by_oid[trigger.table].identifier, sql.SQL(action), sql.Identifier(trigger.name)
        )
    )
