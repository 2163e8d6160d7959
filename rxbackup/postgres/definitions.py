"""How tables are defined beyond their columns, in PostgreSQL's own words.

The words come from the server's own deparser and name everything with its schema, so they mean the same wherever
they are said again. Nothing here comes from a backup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psycopg

from rxbackup.postgres.connecting import Connection, translated


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of one table.

    Attributes:
        kind: pg_constraint's letter: p primary key, u unique, x exclusion, c check; i for a unique index.
        words: what follows `ADD CONSTRAINT name`; for an index, what follows `CREATE UNIQUE INDEX name ON table USING`.
        columns: the table's columns that it names.
    """

    kind: str
    name: str
    words: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key, by oids. `match` is pg_constraint's letter; `period` says that the last column is a PERIOD."""

    name: str
    table: int
    columns: tuple[str, ...]
    referenced: int
    referenced_columns: tuple[str, ...]
    match: str
    period: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """One table.

    Attributes:
        expressions: generated column → how it is computed.
        partition_key: what follows PARTITION BY; '' for a table that is not partitioned.
        parent: oid of the partitioned table it is attached to.
        bound: what follows ATTACH PARTITION name; '' if there is no parent.
    """

    expressions: Mapping[str, str]
    partition_key: str
    parent: int | None
    bound: str
    constraints: tuple[Constraint, ...]


_TABLES = """
SELECT c.oid::bigint,
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) ELSE '' END,
       CASE WHEN c.relispartition THEN
            (SELECT i.inhparent::bigint FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) END,
       CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) ELSE '' END
FROM pg_catalog.pg_class c WHERE c.oid = ANY (%(oids)s)
"""

_EXPRESSIONS = """
SELECT d.adrelid::bigint, a.attname::text, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid = ANY (%(oids)s) AND a.attgenerated <> '' AND NOT a.attisdropped
"""

# A partition gets from its parent what it inherited; a table that merely inherits stands alone here and needs it all.
# A constraint that is not enforced (PostgreSQL 18) promises nothing.
_CONSTRAINTS = """
SELECT k.conrelid::bigint, k.contype::text, k.conname::text,
       CASE WHEN k.contype = 'c' THEN 'CHECK (' || pg_catalog.pg_get_expr(k.conbin, k.conrelid) || ')'
            ELSE pg_catalog.pg_get_constraintdef(k.oid) END,
       coalesce((SELECT pg_catalog.array_agg(a.attname::text) FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)), '{}')
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
WHERE k.conrelid = ANY (%(oids)s) AND k.contype IN ('p', 'u', 'x', 'c') AND k.conparentid = 0
  AND NOT (c.relispartition AND k.contype = 'c' AND k.coninhcount > 0)
  AND coalesce(pg_catalog.to_jsonb(k) ->> 'conenforced', 'true') = 'true'
ORDER BY k.contype = 'c', k.contype = 'u', k.oid
"""

# What comes before USING is known, so that it can be taken off: the index shall be on another table.
_INDEXES = """
SELECT x.indrelid, 'i', x.name, pg_catalog.substr(x.words, pg_catalog.length(x.head) + 1), x.columns
FROM (
    SELECT i.indrelid::bigint AS indrelid, n.relname::text AS name, pg_catalog.pg_get_indexdef(i.indexrelid) AS words,
           'CREATE UNIQUE INDEX ' || pg_catalog.quote_ident(n.relname) || ' ON '
           || CASE WHEN n.relkind = 'I' THEN 'ONLY ' ELSE '' END
           || pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(c.relname) || ' USING ' AS head,
           coalesce((SELECT pg_catalog.array_agg(a.attname::text) FROM pg_catalog.pg_attribute a
                     WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])), '{}') AS columns
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class n ON n.oid = i.indexrelid
    JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
    JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
    WHERE i.indrelid = ANY (%(oids)s) AND i.indisunique AND i.indisvalid AND NOT n.relispartition
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                      WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
) x WHERE pg_catalog.starts_with(x.words, x.head) ORDER BY x.name
"""

_REFERENCES = """
SELECT k.conname::text, k.conrelid::bigint,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.i)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(n, i)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n),
       k.confrelid::bigint,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.i)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u(n, i)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n),
       k.confmatchtype::text, coalesce((pg_catalog.to_jsonb(k) ->> 'conperiod')::boolean, false)
FROM pg_catalog.pg_constraint k
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY (%(oids)s) AND k.confrelid = ANY (%(oids)s)
  AND coalesce(pg_catalog.to_jsonb(k) ->> 'conenforced', 'true') = 'true'
ORDER BY k.oid
"""


def read_definitions(conn: Connection, oids: Sequence[int]) -> tuple[dict[int, Definition], tuple[Reference, ...]]:
    """Read how tables are defined, by oid, and the foreign keys among them.

    Runs in the caller's transaction, with its pins set (`set_pins`). Takes no lock on the tables.
    """
    wanted = {"oids": list(oids)}
    with translated("reading the definitions of tables"):
        expressions: dict[int, dict[str, str]] = {}
        for oid, column, words in conn.execute(_EXPRESSIONS, wanted).fetchall():
            expressions.setdefault(oid, {})[column] = words
        constraints: dict[int, list[Constraint]] = {}
        for query in (_CONSTRAINTS, _INDEXES):
            for oid, kind, name, words, columns in conn.execute(query, wanted).fetchall():
                constraints.setdefault(oid, []).append(Constraint(kind, name, words, tuple(columns)))
        definitions = {
            oid: Definition(expressions.get(oid, {}), key or "", parent, bound or "", tuple(constraints.get(oid, ())))
            for oid, key, parent, bound in conn.execute(_TABLES, wanted).fetchall()
        }
        references = tuple(
            Reference(name, table, tuple(columns), referenced, tuple(theirs), match, period)
            for name, table, columns, referenced, theirs, match, period in conn.execute(_REFERENCES, wanted).fetchall()
        )
    return definitions, references


def known_types(conn: Connection, types: Iterable[str]) -> frozenset[str]:
    """Those of these texts that name a type which exists. Nothing else passes: a backup's text may become SQL.

    Runs in the caller's transaction.
    """
    found = set()
    for text in sorted(set(types)):
        try:
            with conn.transaction():
                row = conn.execute("SELECT pg_catalog.to_regtype(%s) IS NOT NULL", (text,)).fetchone()
        except psycopg.errors.ProgrammingError:
            # Before PostgreSQL 16 what is no type at all is an error rather than NULL.
            continue
        if row and row[0]:
            found.add(text)
    return frozenset(found)
