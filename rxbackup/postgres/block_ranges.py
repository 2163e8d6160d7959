"""Block ranges of a table, in SQL. PostgreSQL reads such a range in order and nothing else (a TID range scan)."""

from __future__ import annotations

from psycopg import sql

from rxbackup.postgres.connecting import Connection, translated
from rxbackup.postgres.introspection import Table


def in_blocks(first_block: int, end_block: int | None) -> sql.Composable:
    """The condition that a row lies from `first_block` up to, not including, `end_block`; None is the table's end."""
    condition: sql.Composable = sql.SQL("ctid >= {}::pg_catalog.tid").format(sql.Literal(f"({first_block},0)"))
    if end_block is not None:
        condition = sql.SQL("{} AND ctid < {}::pg_catalog.tid").format(condition, sql.Literal(f"({end_block},0)"))
    return condition


def has_rows(conn: Connection, leaf: Table, first_block: int, end_block: int | None) -> bool:
    """Whether a row is visible in these blocks of a table without partitions."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM ONLY {} WHERE {})").format(
        leaf.identifier, in_blocks(first_block, end_block)
    )
    with translated("asking what changed"):
        row = conn.execute(query).fetchone()
    return row == (True,)
