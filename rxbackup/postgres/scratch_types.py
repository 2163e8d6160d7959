"""The types that a drill's own database lacks: those of extensions, enums and domains are made there.

Whatever else tables may need (composite and range types, functions) is not made: then the drill takes schemas in the
protected database, where everything is there already.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from rxbackup.postgres.connecting import Connection, translated
from rxbackup.postgres.scratch import Scratch

_EXTENSIONS = """
WITH RECURSIVE used(oid) AS (
    SELECT DISTINCT a.atttypid FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = ANY (%(oids)s) AND a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT x.oid FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.oid
    CROSS JOIN LATERAL (VALUES (t.typelem), (t.typbasetype)) AS x(oid) WHERE x.oid <> 0
)
"""
_NEEDED_EXTENSIONS = (
    _EXTENSIONS
    + """
SELECT DISTINCT e.extname::text, n.nspname::text FROM used u
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = u.oid
     AND d.deptype = 'e'
JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
ORDER BY 1"""
)
_NEEDED_TYPES = (
    _EXTENSIONS
    + """
SELECT t.oid::bigint, n.nspname::text, t.typname::text, t.typtype::text,
       pg_catalog.format_type(t.typbasetype, t.typtypmod), t.typnotnull
FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.oid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                  AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY t.oid"""
)


def make_types(source: Connection, scratch: Scratch, oids: Sequence[int]) -> None:
    """Make in a database of its own the types that tables of the protected database use.

    Raises:
        errors.DatabaseRefused: one cannot be made there.
    """
    wanted = {"oids": list(oids)}
    with translated("making the drill's types"), scratch.conn.transaction():
        for name, schema in source.execute(_NEEDED_EXTENSIONS, wanted).fetchall():
            scratch.conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            scratch.conn.execute(
                sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}").format(
                    sql.Identifier(name), sql.Identifier(schema)
                )
            )
        for oid, schema, name, kind, base, not_null in source.execute(_NEEDED_TYPES, wanted).fetchall():
            scratch.conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            if kind == "e":
                _make_enum(source, scratch, oid, sql.Identifier(schema, name))
            else:
                _make_domain(source, scratch, oid, sql.Identifier(schema, name), base, not_null=not_null)


def _make_enum(source: Connection, scratch: Scratch, oid: int, name: sql.Identifier) -> None:
    labels = source.execute(
        "SELECT enumlabel::text FROM pg_catalog.pg_enum WHERE enumtypid = %s ORDER BY enumsortorder", (oid,)
    ).fetchall()
    words = sql.SQL(", ").join(sql.Literal(label) for (label,) in labels)
    scratch.conn.execute(sql.SQL("CREATE TYPE {} AS ENUM ({})").format(name, words))


def _make_domain(
    source: Connection, scratch: Scratch, oid: int, name: sql.Identifier, base: str, *, not_null: bool
) -> None:
    limit = sql.SQL(" NOT NULL" if not_null else "")
    scratch.conn.execute(sql.SQL("CREATE DOMAIN {} AS {}{}").format(name, sql.SQL(base), limit))
    checks = source.execute(
        "SELECT conname::text, pg_catalog.pg_get_expr(conbin, 0) FROM pg_catalog.pg_constraint "
        "WHERE contypid = %s AND contype = 'c' ORDER BY conname",
        (oid,),
    ).fetchall()
    for check, words in checks:
        scratch.conn.execute(
            sql.SQL("ALTER DOMAIN {} ADD CONSTRAINT {} CHECK ({})").format(name, sql.Identifier(check), sql.SQL(words))
        )
