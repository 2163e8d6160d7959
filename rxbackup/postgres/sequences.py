"""Where sequences stand, and how to move them on without ever going back."""

from __future__ import annotations

from collections.abc import Sequence as Row
from dataclasses import dataclass

import psycopg
from psycopg import sql

from rxbackup.postgres.connecting import Connection, translated
from rxbackup.postgres.introspection import Catalogue, Sequence
from rxbackup.postgres.locking import short_waits

_SEQUENCES_A_QUERY = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a sequence stands: `last_value`, and whether it was handed out already."""

    last_value: int
    is_called: bool

    def next_value(self, increment: int) -> int:
        """The value that nextval() would give."""
        return self.last_value + increment if self.is_called else self.last_value


def read_standings(conn: Connection, sequences: Row[Sequence]) -> dict[int, Standing]:
    """Read where sequences stand, by oid.

    Sequences are not transactional. Read after the data, they never stand before a value that the data uses.
    """
    standings: dict[int, Standing] = {}
    with translated("reading the sequences"):
        for start in range(0, len(sequences), _SEQUENCES_A_QUERY):
            part = sequences[start:][:_SEQUENCES_A_QUERY]
            query = sql.SQL(" UNION ALL ").join(
                sql.SQL("SELECT {}::bigint, last_value, is_called FROM {}").format(
                    sql.Literal(s.oid), sql.Identifier(s.schema, s.name)
                )
                for s in part
            )
            standings |= {oid: Standing(last, called) for oid, last, called in conn.execute(query).fetchall()}
    return standings


def safe_restart(sequence: Sequence, now: Standing, then: Standing, *, used: int | None) -> int | None:
    """Return the value to restart a sequence with so that it hands out fresh values, or None if it may stay.

    Args:
        sequence: its definition now.
        now: where it stands now.
        then: where it stood in the backup.
        used: the value furthest along that the restored column holds, None if it holds none.

    A cycling sequence stays where it is: it is meant to come round again.
    """
    if sequence.cycle:
        return None
    step = sequence.increment
    wanted = [now.next_value(step), then.next_value(step)]
    if used is not None:
        wanted.append(used + step)
    furthest = max(wanted) if step > 0 else min(wanted)
    bounded = min(max(furthest, sequence.minimum), sequence.maximum)
    return None if bounded == now.next_value(step) or bounded != furthest else bounded


def restart(conn: Connection, sequence: Sequence, value: int) -> None:
    """Let a sequence go on from `value`.

    ALTER SEQUENCE takes part in the transaction. But it waits for whoever has drawn from the sequence in an open
    transaction, and they may be waiting for us. Then setval() does it: it waits for nobody. It survives a rollback,
    which then has skipped some values and done nothing worse.
    """
    name = sql.Identifier(sequence.schema, sequence.name)
    with translated(f"moving the sequence {sequence.qualified} on"):
        try:
            with conn.transaction(), short_waits(conn):
                conn.execute(sql.SQL("ALTER SEQUENCE {} RESTART WITH {}").format(name, sql.Literal(value)))
        except psycopg.errors.LockNotAvailable:
            conn.execute(
                sql.SQL("SELECT pg_catalog.setval({}::pg_catalog.regclass, {}, false) FROM {} WHERE {}").format(
                    sql.Literal(name.as_string(conn)),
                    sql.Literal(value),
                    name,
                    # They may have drawn it further meanwhile.
                    sql.SQL("last_value {} {}").format(
                        sql.SQL("<" if sequence.increment > 0 else ">"), sql.Literal(value)
                    ),
                )
            )


def furthest_used(conn: Connection, sequence: Sequence, catalogue: Catalogue) -> int | None:
    """The value furthest along that the column holds, if it is an integer column."""
    if sequence.owner is None:
        return None
    table = catalogue.by_oid[sequence.owner[0]]
    column = next(c for c in table.columns if c.name == sequence.owner[1])
    if column.type not in {"smallint", "integer", "bigint"}:
        return None
    row = conn.execute(
        sql.SQL("SELECT {}({})::bigint FROM {}").format(
            sql.SQL("pg_catalog.max" if sequence.increment > 0 else "pg_catalog.min"),
            sql.Identifier(column.name),
            table.identifier,
        )
    ).fetchone()
    return row[0] if row else None
