"""What exists in a database: tables, columns, keys, sequences, triggers, as frozen values.

Every query runs with `search_path = ''`, so types and names come out qualified.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from psycopg import sql

from rxbackup.postgres.connecting import Connection, translated

OWN_SCHEMAS = ("rxbackup", "rxbackup_queue")
"""Never backed up and never restored: chunks would contain themselves, restored sessions would revive."""

SCRATCH_PREFIX = "rxbackup_drill_"
SCRATCH_PATTERN = rf"^{SCRATCH_PREFIX}[0-9a-f]{{16}}(_[0-9]+)?$"
"""Names of schemas and databases that drills make and drop; no more backed up or restored than our own schemas."""


SIDE_MARK = "rxbackup side schema: "
"""How the comment of a schema begins that holds rows of a backup beside the protected tables, and of its tables."""


def is_own_schema(name: str) -> bool:
    """Whether a schema is rxbackup's own or a drill's, so that nothing in it is backed up or restored."""
    return name in OWN_SCHEMAS or re.fullmatch(SCRATCH_PATTERN, name) is not None


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `identity` is '', 'a' (always) or 'd' (by default); `generated` is '', 's' or 'v'.

    `number` is the server's own (attnum): a column that was dropped and added again has another one.
    """

    name: str
    type: str
    not_null: bool
    has_default: bool
    identity: str
    generated: str
    collation: str | None
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A valid unique index over plain columns, without a predicate."""

    name: str
    columns: tuple[str, ...]
    primary: bool
    deferrable: bool
    all_not_null: bool


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key. Actions are pg_constraint's letters: a no action, r restrict, c cascade, n set null, d default."""

    name: str
    table: int
    columns: tuple[str, ...]
    referenced: int
    referenced_columns: tuple[str, ...]
    on_delete: str
    on_update: str
    deferrable: bool
    validated: bool


@dataclass(frozen=True, slots=True)
class Trigger:
    """A user trigger. `enabled` is pg_trigger.tgenabled: O origin, R replica, A always, D disabled."""

    name: str
    table: int
    enabled: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence and the column that draws from it, if there is one."""

    oid: int
    schema: str
    name: str
    start: int
    minimum: int
    maximum: int
    increment: int
    cycle: bool
    owner: tuple[int, str] | None

    @property
    def qualified(self) -> str:
        """`schema.name`, for people and for lookup."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Table:
    """An ordinary or partitioned table.

    Attributes:
        kind: 'r' ordinary (a leaf partition too), 'p' partitioned.
        root: oid of the topmost partitioned table for a partition, else its own oid.
        blocks: pages of the main fork now; 0 for partitioned tables.
        bytes: size of main fork and TOAST together.
        estimated_rows: pg_class.reltuples, -1 if never analysed.
    """

    oid: int
    schema: str
    name: str
    kind: str
    relfilenode: int
    is_partition: bool
    root: int
    blocks: int
    bytes: int
    estimated_rows: int
    readable: bool
    owned: bool
    has_rules: bool
    columns: tuple[Column, ...]
    unique_keys: tuple[UniqueKey, ...]

    @property
    def qualified(self) -> str:
        """`schema.name`, for people and for lookup."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """The quoted name, for SQL."""
        return sql.Identifier(self.schema, self.name)

    @property
    def copied_columns(self) -> tuple[Column, ...]:
        """The columns that hold data of their own: generated ones are computed anew by the server."""
        return tuple(c for c in self.columns if not c.generated)

    @property
    def layout(self) -> tuple[tuple[int, str, str], ...]:
        """Number, name and type of the copied columns: while it stays, so do values in rows that nobody wrote."""
        return tuple((c.number, c.name, c.type) for c in self.copied_columns)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The primary key's columns, in index order; empty if there is none."""
        return next((k.columns for k in self.unique_keys if k.primary), ())

    @property
    def row_key(self) -> tuple[str, ...]:
        """Columns that name a row: the primary key, else a unique key without NULLs, else none."""
        if self.primary_key:
            return self.primary_key
        return next((k.columns for k in self.unique_keys if k.all_not_null and not k.deferrable), ())


@dataclass(frozen=True)
class Catalogue:
    """What a database holds, at one moment."""

    tables: tuple[Table, ...]
    foreign_keys: tuple[ForeignKey, ...]
    sequences: tuple[Sequence, ...]
    triggers: tuple[Trigger, ...]
    left_out: tuple[str, ...] = field(default=())

    @cached_property
    def by_oid(self) -> dict[int, Table]:
        """Tables by oid."""
        return {t.oid: t for t in self.tables}

    @cached_property
    def by_name(self) -> dict[str, Table]:
        """Tables by qualified name."""
        return {t.qualified: t for t in self.tables}

    @cached_property
    def leaves(self) -> tuple[Table, ...]:
        """Tables that hold rows themselves, by oid."""
        return tuple(sorted((t for t in self.tables if t.kind == "r"), key=lambda t: t.oid))

    @cached_property
    def roots(self) -> tuple[Table, ...]:
        """Tables as people see them: ordinary ones and partitioned ones, without the partitions, by name."""
        return tuple(sorted((t for t in self.tables if not t.is_partition), key=lambda t: t.qualified))

    def leaves_of(self, root: Table) -> tuple[Table, ...]:
        """The leaf partitions of a partitioned table, or the table itself."""
        return tuple(t for t in self.leaves if t.root == root.oid)

    @property
    def shape(self) -> tuple[tuple[object, ...], ...]:
        """What must not move between two looks: names, kinds and storage of all tables."""
        return tuple(sorted((t.oid, t.qualified, t.kind, t.root, t.relfilenode, t.columns) for t in self.tables))


_NOT_OURS = r"""
    n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND n.nspname <> ALL (%(own)s)
    AND n.nspname !~ %(scratch)s
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_description d JOIN pg_catalog.pg_description s
                      ON s.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND s.objoid = c.relnamespace
                     AND s.objsubid = 0 AND pg_catalog.starts_with(s.description, %(side)s)
                    WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objoid = c.oid
                      AND d.objsubid = 0 AND pg_catalog.starts_with(d.description, %(side)s))
"""

_TABLES = (
    r"""
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text,
       coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::bigint, c.relispartition,
       CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::oid::bigint ELSE c.oid::bigint END,
       CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid)
            / pg_catalog.current_setting('block_size')::bigint ELSE 0 END,
       CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_table_size(c.oid) ELSE 0 END,
       c.reltuples::bigint,
       pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       pg_catalog.pg_has_role(c.relowner, 'USAGE'),
       EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND """
    + _NOT_OURS
    + " ORDER BY c.oid"
)

_COLUMNS = """
SELECT a.attrelid::bigint, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef,
       a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> t.typcollation
            THEN (SELECT pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname)
                  FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
                  WHERE co.oid = a.attcollation) END,
       a.attnum
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY (%(oids)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_UNIQUE_KEYS = """
SELECT i.indrelid::bigint, c.relname, i.indisprimary, NOT i.indimmediate,
       pg_catalog.array_agg(a.attname::text ORDER BY k.position), pg_catalog.bool_and(a.attnotnull)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, position)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = ANY (%(oids)s) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND k.position <= i.indnkeyatts
GROUP BY i.indrelid, c.relname, i.indisprimary, i.indimmediate, i.indexrelid
ORDER BY i.indrelid, i.indisprimary DESC, i.indexrelid
"""

_FOREIGN_KEYS = """
SELECT k.conname, k.conrelid::bigint,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.i)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(n, i)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n),
       k.confrelid::bigint,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.i)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u(n, i)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n),
       k.confdeltype::text, k.confupdtype::text, k.condeferrable, k.convalidated
FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.oid
"""

_TRIGGERS = """
SELECT t.tgname, t.tgrelid::bigint, t.tgenabled::text FROM pg_catalog.pg_trigger t
WHERE NOT t.tgisinternal AND t.tgrelid = ANY (%(oids)s) ORDER BY t.tgrelid, t.tgname
"""

# The column that draws from a sequence: its owner (serial, identity), else the column whose default names it.
_SEQUENCES = (
    r"""
SELECT c.oid::bigint, n.nspname, c.relname, s.seqstart, s.seqmin, s.seqmax, s.seqincrement, s.seqcycle,
       o.refobjid::bigint, o.attname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN LATERAL (
    SELECT x.refobjid, x.attname FROM (
        SELECT d.refobjid, a.attname, 1 AS preference FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
        UNION ALL
        SELECT f.adrelid, a.attname, 2 FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
        WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.refobjid = c.oid
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    ) x ORDER BY x.preference, x.refobjid LIMIT 1
) o ON true
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND """
    + _NOT_OURS
    + " ORDER BY c.oid"
)

_LEFT_OUT = (
    r"""
SELECT CASE c.relkind WHEN 'f' THEN 'foreign table ' ELSE 'materialized view ' END || n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('f', 'm') AND """
    + _NOT_OURS
    + " ORDER BY 1"
)


_TABLE_FIELDS = [f.name for f in fields(Table) if f.name not in {"columns", "unique_keys"}]
_SEQUENCE_FIELDS = [f.name for f in fields(Sequence) if f.name != "owner"]


def read_catalogue(conn: Connection) -> Catalogue:
    """Read what exists. Runs in the caller's transaction, with its pins set (`set_pins`).

    Raises:
        errors.DatabaseTrouble: PostgreSQL could not answer.
    """
    with translated("reading the catalogue"):
        ours = {"own": list(OWN_SCHEMAS), "scratch": SCRATCH_PATTERN, "side": SIDE_MARK}
        rows: list[tuple[Any, ...]] = conn.execute(_TABLES, ours).fetchall()
        oids = {"oids": [r[0] for r in rows]}
        columns = _by_first(conn.execute(_COLUMNS, oids).fetchall())
        keys = _by_first(conn.execute(_UNIQUE_KEYS, oids).fetchall())
        tables = tuple(
            Table(
                **dict(zip(_TABLE_FIELDS, r, strict=True)),
                columns=tuple(Column(*c) for c in columns.get(r[0], ())),
                unique_keys=tuple(
                    UniqueKey(name, tuple(k), first, late, full) for name, first, late, k, full in keys.get(r[0], ())
                ),
            )
            for r in rows
        )
        known = {t.oid for t in tables}
        foreign_keys = tuple(
            ForeignKey(f[0], f[1], tuple(f[2]), f[3], tuple(f[4]), *f[5:])
            for f in conn.execute(_FOREIGN_KEYS).fetchall()
            if f[1] in known and f[3] in known
        )
        sequences = tuple(
            Sequence(**dict(zip(_SEQUENCE_FIELDS, s[:8], strict=True)), owner=(s[8], s[9]) if s[8] in known else None)
            for s in conn.execute(_SEQUENCES, ours).fetchall()
        )
        triggers = tuple(Trigger(*t) for t in conn.execute(_TRIGGERS, oids).fetchall())
        left_out = tuple(r[0] for r in conn.execute(_LEFT_OUT, ours).fetchall())
    return Catalogue(tables, foreign_keys, sequences, triggers, left_out)


def _by_first(rows: Iterable[tuple[Any, ...]]) -> dict[Any, list[tuple[Any, ...]]]:
    grouped: dict[Any, list[tuple[Any, ...]]] = {}
    for first, *rest in rows:
        grouped.setdefault(first, []).append(tuple(rest))
    return grouped
