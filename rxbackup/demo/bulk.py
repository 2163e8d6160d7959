"""Loading a lot at once: indexes, foreign keys and triggers step aside, and are back before anybody can look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rxbackup.postgres.connecting import Connection

_CONSTRAINTS = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
        format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE contype IN ('f', 'u') AND conrelid = ANY (%s::regclass[])
    ORDER BY contype, conrelid, conname -- first foreign keys, then what they may refer to; back in the other order
"""
_INDEXES = """
    SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index i WHERE indrelid = ANY (%s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY indexrelid
"""


@contextmanager
def unhindered(conn: Connection, tables: Sequence[str]) -> Iterator[None]:
    """Inside a transaction: no indexes but primary keys, no foreign keys, no user triggers on these tables.

    At the end they are rebuilt, which checks every row at once; the transaction fails if one does not fit.
    """
    names = list(tables)
    set_aside = [*_pairs(conn, _CONSTRAINTS, names), *_pairs(conn, _INDEXES, names)]
    for name in names:
        conn.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER".encode())
    for drop, _ in set_aside:
        conn.execute(drop.encode())
    yield
    for _, restore in reversed(set_aside):
        conn.execute(restore.encode())
    for name in names:
        conn.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER".encode())


def _pairs(conn: Connection, question: str, names: list[str]) -> list[tuple[str, str]]:
    return [(str(drop), str(restore)) for drop, restore in conn.execute(question.encode(), (names,))]
