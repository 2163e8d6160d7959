"""How many rows tables hold: exact while that is quick, PostgreSQL's own estimate where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from rxbackup.postgres.connecting import Connection, translated
from rxbackup.postgres.introspection import Catalogue, Table

EXACT_UP_TO_ROWS = 1_000_000
_TABLES_A_QUERY = 50


@dataclass(frozen=True, slots=True)
class RowCount:
    """A number of rows, and whether it is an estimate."""

    rows: int
    estimated: bool


def count_rows(conn: Connection, catalogue: Catalogue, roots: Sequence[Table]) -> dict[str, RowCount]:
    """Count the rows of ordinary and partitioned tables, by qualified name.

    A table that may not be read is estimated, whatever its size.
    """
    estimates = {t.qualified: _estimate(catalogue, t) for t in roots}
    counts = {name: RowCount(rows, estimated=True) for name, rows in estimates.items()}
    small = [t for t in roots if t.readable and estimates[t.qualified] < EXACT_UP_TO_ROWS]
    with translated("counting rows"):
        for start in range(0, len(small), _TABLES_A_QUERY):
            part = small[start:][:_TABLES_A_QUERY]
            query = sql.SQL(" UNION ALL ").join(
                sql.SQL("SELECT {}::text, (SELECT pg_catalog.count(*) FROM {}{})").format(
                    sql.Literal(t.qualified), sql.SQL("ONLY " if t.kind == "r" else ""), t.identifier
                )
                for t in part
            )
            counts |= {name: RowCount(rows, estimated=False) for name, rows in conn.execute(query).fetchall()}
    return counts


def _estimate(catalogue: Catalogue, table: Table) -> int:
    """Rows by statistics; never analysed tables are guessed from their size, at 100 bytes a row."""
    return sum(
        leaf.estimated_rows if leaf.estimated_rows >= 0 else leaf.bytes // 100 for leaf in catalogue.leaves_of(table)
    )


def count_visible_rows(conn: Connection, leaves: Sequence[Table]) -> int:
    """Count the rows of tables without partitions exactly, however long it takes."""
    total = 0
    with translated("counting rows"):
        for leaf in leaves:
            row = conn.execute(sql.SQL("SELECT pg_catalog.count(*) FROM ONLY {}").format(leaf.identifier)).fetchone()
            total += row[0] if row else 0
    return total
