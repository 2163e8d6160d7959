"""Materialized views: they keep showing what their tables held when they were last refreshed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from rxbackup.postgres.connecting import Connection, translated


@dataclass(frozen=True, slots=True)
class MaterializedView:
    """One that has rows.

    Attributes:
        concurrently: whether it can be refreshed while others read it: it has a unique index over plain columns.
        owned: whether the role may refresh it.
    """

    schema: str
    name: str
    concurrently: bool
    owned: bool

    @property
    def qualified(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """The quoted name, for SQL."""
        return sql.Identifier(self.schema, self.name)


# What reads a table: a view's definition depends on it. A table is also read through the tables it is a part of, or
# inherits from. The depth puts a view after those that it reads.
_READERS = """
WITH RECURSIVE reads (oid, depth) AS (
    SELECT pg_catalog.unnest(%(oids)s::oid[]), 0
  UNION
    SELECT n.oid, reads.depth + n.deeper FROM reads CROSS JOIN LATERAL (
        SELECT w.ev_class AS oid, 1 AS deeper FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid AND w.ev_class <> reads.oid
        JOIN pg_catalog.pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
        WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = reads.oid
      UNION
        SELECT i.inhparent, 0 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = reads.oid
    ) AS n
)
SELECT n.nspname, c.relname,
       EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid
               AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL),
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
FROM reads JOIN pg_catalog.pg_class c ON c.oid = reads.oid AND c.relkind = 'm' AND c.relispopulated
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
GROUP BY n.nspname, c.relname, c.oid, c.relowner ORDER BY pg_catalog.max(reads.depth), n.nspname, c.relname
"""


def find_readers(conn: Connection, oids: Iterable[int]) -> tuple[MaterializedView, ...]:
    """Find materialized views with rows that read from these tables, be it through other views.

    Args:
        oids: of tables, partitions among them: a view may read one partition alone.

    Returns:
        Those that others read from first, so that they can be refreshed in this order.
    """
    rows = conn.execute(_READERS, {"oids": list(oids)}).fetchall()
    return tuple(MaterializedView(*row) for row in rows)


def refresh(conn: Connection, view: MaterializedView, *, lock_timeout_seconds: float) -> None:
    """Compute the rows of one anew; others may read it meanwhile, where PostgreSQL can do that.

    Raises:
        errors.DatabaseTrouble: it failed, or somebody holds a lock on it. It shows what it showed.
    """
    how = sql.SQL("CONCURRENTLY ") if view.concurrently else sql.SQL("")
    with translated(f"refreshing {view.qualified}"), conn.transaction():
        conn.execute(
            sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(f"{int(lock_timeout_seconds * 1000)}ms"))
        )
        conn.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}{}").format(how, view.identifier))
