"""Block ranges of a table, in SQL. PostgreSQL reads such a range in order and nothing else (a TID range scan)."""

from __future__ import annotations

from psycopg import sql


def in_blocks(first_block: int, end_block: int | None) -> sql.Composable:
    """The condition that a row lies from `first_block` up to, not including, `end_block`; None is the table's end."""
    condition: sql.Composable = sql.SQL("ctid >= {}::pg_catalog.tid").format(sql.Literal(f"({first_block},0)"))
    if end_block is not None:
        condition = sql.SQL("{} AND ctid < {}::pg_catalog.tid").format(condition, sql.Literal(f"({end_block},0)"))
    return condition
