"""Take indexes and foreign keys off tables that are loaded anew, and give them back as PostgreSQL described them.

Everything runs in the caller's transaction, which holds ACCESS EXCLUSIVE on the tables at both ends. Primary keys stay:
views may depend on them, and rows of a backup come in their order more often than not. So does whatever could not be
given back exactly; it is filled row by row. The words come from the server's own deparser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from rxbackup.postgres.connecting import Connection, translated
from rxbackup.postgres.introspection import Table

_MEMORY_KB = 256 * 1024


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key onto or from a table that is loaded anew.

    Attributes:
        table, referenced: oids.
        where: the referring table, quoted.
        words: what follows ADD CONSTRAINT name.
        removable: it can be given back exactly: no partitioned table is at either end, nobody turned its triggers off,
            and both tables are the role's own.
    """

    name: str
    table: int
    referenced: int
    where: str
    words: str
    comment: str | None
    removable: bool


@dataclass(frozen=True, slots=True)
class Index:
    """An index that is no primary key.

    Attributes:
        where: the table, quoted.
        words: CREATE INDEX …
        tablespace: its name; '' for the database's own.
        constraint: what follows ADD CONSTRAINT name UNIQUE USING INDEX name; None if it belongs to no constraint.
        statistics: number and target of its columns that have one.
    """

    schema: str
    name: str
    where: str
    words: str
    tablespace: str
    constraint: str | None
    comment: str | None
    constraint_comment: str | None
    clustered: bool
    replica_identity: bool
    statistics: Sequence[tuple[int, int]]


_LINKS = """
SELECT k.conname::text, k.conrelid::bigint, k.confrelid::bigint, k.conrelid::regclass::text,
       pg_catalog.pg_get_constraintdef(k.oid), pg_catalog.obj_description(k.oid, 'pg_constraint'),
       c.relkind = 'r' AND NOT c.relispartition AND p.relkind = 'r' AND NOT p.relispartition
       AND pg_catalog.pg_has_role(c.relowner, 'USAGE') AND pg_catalog.pg_has_role(p.relowner, 'USAGE')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refobjid = k.oid
                       AND d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
                       AND d.classid <> 'pg_catalog.pg_trigger'::pg_catalog.regclass)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
WHERE k.contype = 'f' AND k.conparentid = 0
  AND (k.conrelid = ANY (%(oids)s) OR k.confrelid = ANY (%(oids)s))
ORDER BY k.oid
"""

# Only b-trees make unique constraints from an index. What belongs to a partitioned index goes only with all of it.
_INDEXES = """
SELECT s.nspname::text, n.relname::text, i.indrelid::regclass::text, pg_catalog.pg_get_indexdef(i.indexrelid),
       coalesce(x.spcname::text, ''),
       CASE WHEN k.oid IS NOT NULL THEN
            CASE WHEN k.condeferrable THEN 'DEFERRABLE' ELSE 'NOT DEFERRABLE' END
            || CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END END,
       pg_catalog.obj_description(i.indexrelid, 'pg_class'), pg_catalog.obj_description(k.oid, 'pg_constraint'),
       i.indisclustered, i.indisreplident,
       coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum)
                 FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0), '[]')
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class n ON n.oid = i.indexrelid JOIN pg_catalog.pg_namespace s ON s.oid = n.relnamespace
JOIN pg_catalog.pg_am m ON m.oid = n.relam
LEFT JOIN pg_catalog.pg_tablespace x ON x.oid = n.reltablespace
LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
     AND k.contype IN ('p', 'u', 'x')
WHERE i.indrelid = ANY (%(oids)s) AND NOT i.indisprimary AND i.indisvalid AND i.indisready AND i.indislive
  AND n.relkind = 'i' AND NOT n.relispartition AND (k.oid IS NULL OR (k.contype = 'u' AND m.amname = 'btree'))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = i.indexrelid
                  AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('e', 'x'))
ORDER BY i.indexrelid
"""

# Who publishes this table without its TRUNCATEs has subscribers that would keep the rows which are gone.
_SILENT = """
SELECT c.oid::bigint FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s) AND EXISTS (
    SELECT FROM pg_catalog.pg_publication_tables t JOIN pg_catalog.pg_publication p ON p.pubname = t.pubname
    WHERE t.schemaname = n.nspname AND t.tablename = c.relname AND NOT p.pubtruncate)
"""


def read_links(conn: Connection, oids: Sequence[int]) -> tuple[Link, ...]:
    """The foreign keys onto and from these tables."""
    with translated("reading the foreign keys"):
        return tuple(Link(*row) for row in conn.execute(_LINKS, {"oids": list(oids)}).fetchall())


def silently_truncated(conn: Connection, oids: Sequence[int]) -> frozenset[int]:
    """Those of these tables whose TRUNCATE a subscriber would not hear of."""
    with translated("reading the publications"):
        return frozenset(oid for (oid,) in conn.execute(_SILENT, {"oids": list(oids)}).fetchall())


def take_off(conn: Connection, oids: Sequence[int], links: Sequence[Link]) -> tuple[Index, ...]:
    """Drop these foreign keys, and the indexes of these tables that can be given back. Returns those."""
    for link in links:
        conn.execute(
            sql.SQL("ALTER TABLE ONLY {} DROP CONSTRAINT {}").format(sql.SQL(link.where), sql.Identifier(link.name))
        )
    found = [Index(*row) for row in conn.execute(_INDEXES, {"oids": list(oids)}).fetchall()]
    return tuple(index for index in found if _drop(conn, index))


def _drop(conn: Connection, index: Index) -> bool:
    """Whether an index could be dropped; something may depend on it."""
    if index.constraint is not None:
        query = sql.SQL("ALTER TABLE ONLY {} DROP CONSTRAINT {}").format(
            sql.SQL(index.where), sql.Identifier(index.name)
        )
    else:
        query = sql.SQL("DROP INDEX {}").format(sql.Identifier(index.schema, index.name))
    try:
        with conn.transaction():
            conn.execute(query)
    except psycopg.errors.DependentObjectsStillExist:
        return False
    return True


def empty(conn: Connection, tables: Sequence[Table]) -> None:
    """TRUNCATE these tables, all at once. Sequences stay where they are."""
    names = sql.SQL(", ").join(
        t.identifier if t.kind == "p" else sql.SQL("ONLY {}").format(t.identifier) for t in tables
    )
    conn.execute(sql.SQL("TRUNCATE {}").format(names))


def count_rows_of(conn: Connection, table: Table) -> int:
    """How many rows a table holds, in this transaction."""
    only = sql.SQL("" if table.kind == "p" else "ONLY ")
    row = conn.execute(sql.SQL("SELECT pg_catalog.count(*) FROM {}{}").format(only, table.identifier)).fetchone()
    return int(row[0]) if row else 0


def give_memory(conn: Connection) -> None:
    """Let indexes be sorted in memory, until the transaction ends; never in less than the server's owner allows."""
    row = conn.execute(
        "SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem'"
    ).fetchone()
    if row and row[0] < _MEMORY_KB:
        conn.execute(sql.SQL("SET LOCAL maintenance_work_mem = {}").format(sql.Literal(f"{_MEMORY_KB}kB")))


def rebuild_index(conn: Connection, index: Index) -> None:
    """Make an index as it was."""
    here, name, where = sql.Identifier(index.schema, index.name), sql.Identifier(index.name), sql.SQL(index.where)
    conn.execute(sql.SQL("SET LOCAL default_tablespace = {}").format(sql.Literal(index.tablespace)))
    conn.execute(sql.SQL(index.words))
    if index.constraint is not None:
        conn.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE USING INDEX {} {}").format(
                where, name, name, sql.SQL(index.constraint)
            )
        )
    for number, target in index.statistics:
        conn.execute(
            sql.SQL("ALTER INDEX {} ALTER COLUMN {} SET STATISTICS {}").format(
                here, sql.Literal(number), sql.Literal(target)
            )
        )
    if index.comment is not None:
        conn.execute(sql.SQL("COMMENT ON INDEX {} IS {}").format(here, sql.Literal(index.comment)))
    if index.constraint_comment is not None:
        conn.execute(
            sql.SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(name, where, sql.Literal(index.constraint_comment))
        )
    if index.clustered:
        conn.execute(sql.SQL("ALTER TABLE {} CLUSTER ON {}").format(where, name))
    if index.replica_identity:
        conn.execute(sql.SQL("ALTER TABLE {} REPLICA IDENTITY USING INDEX {}").format(where, name))


def rebuild_link(conn: Connection, link: Link) -> None:
    """Make a foreign key as it was; PostgreSQL looks at every row, unless it never did."""
    name, where = sql.Identifier(link.name), sql.SQL(link.where)
    conn.execute(sql.SQL("ALTER TABLE ONLY {} ADD CONSTRAINT {} {}").format(where, name, sql.SQL(link.words)))
    if link.comment is not None:
        conn.execute(sql.SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(name, where, sql.Literal(link.comment)))
