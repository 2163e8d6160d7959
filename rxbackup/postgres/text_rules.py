"""What, besides the rows, decides how their values look as text.

PostgreSQL writes an enum's label, the fields of a composite value or the name behind a `regclass` as they are called at
that moment, whatever a snapshot saw.
"""

from __future__ import annotations

import hashlib

from rxbackup import errors
from rxbackup.postgres.connecting import Connection, connect, translated

# Values of these types are names of other things and change when those are renamed, without a trace in the row.
_NAMING_TYPES = """
WITH RECURSIVE naming(oid) AS (
    SELECT oid FROM pg_catalog.pg_type WHERE typnamespace = 'pg_catalog'::pg_catalog.regnamespace
    AND (typname ~ '^reg' OR typname = 'aclitem')
    UNION
    SELECT y.oid FROM naming n JOIN pg_catalog.pg_type y
    ON y.typelem = n.oid OR y.typbasetype = n.oid
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = y.typrelid AND a.atttypid = n.oid)
    OR EXISTS (SELECT FROM pg_catalog.pg_range r WHERE r.rngsubtype = n.oid
               AND y.oid IN (r.rngtypid, r.rngmultitypid))
)
SELECT DISTINCT a.attrelid::bigint FROM pg_catalog.pg_attribute a JOIN naming n ON n.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped
"""

# One line a rule, so that a rule that came to others can be told from one that changed. The xmin of a label betrays
# that it was renamed forth and back. Row types of tables count where a column or another type is made of them; the
# types that every table brings along, temporary ones too, do not.
_RULES = """
SELECT 'server ' || pg_catalog.current_setting('server_version_num')
UNION ALL SELECT 'money ' || pg_catalog.current_setting('lc_monetary')
UNION ALL SELECT 'extension ' || extname || ' ' || extversion FROM pg_catalog.pg_extension
UNION ALL SELECT 'label ' || oid || ' ' || enumtypid || ' ' || xmin || ' ' || enumlabel FROM pg_catalog.pg_enum
UNION ALL SELECT 'type ' || oid || ' ' || typoutput::oid || ' ' || typbasetype FROM pg_catalog.pg_type
    WHERE oid >= 16384 AND (typtype IN ('d', 'r', 'm')
        OR typtype = 'b' AND typoutput <> 'pg_catalog.array_out'::pg_catalog.regproc)
UNION ALL SELECT 'fields ' || c.oid || ' ' || pg_catalog.string_agg(
        a.attnum || ' ' || a.atttypid || ' ' || a.attisdropped, ',' ORDER BY a.attnum)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    JOIN pg_catalog.pg_type y ON y.oid = c.reltype
    WHERE c.oid >= 16384 AND a.attnum > 0 AND (c.relkind = 'c'
        OR EXISTS (SELECT FROM pg_catalog.pg_attribute u WHERE u.atttypid IN (y.oid, y.typarray))
        OR EXISTS (SELECT FROM pg_catalog.pg_type d WHERE d.typbasetype IN (y.oid, y.typarray))
        OR EXISTS (SELECT FROM pg_catalog.pg_range r WHERE r.rngsubtype IN (y.oid, y.typarray)))
    GROUP BY c.oid
"""


def read_rules(conn: Connection) -> frozenset[str]:
    """Return everything besides the row that decides how its values look as text, a line each."""
    with translated("reading how values look"):
        return frozenset(str(line) for (line,) in conn.execute(_RULES).fetchall())


def digest_of(rules: frozenset[str]) -> str:
    """32 hex digits that stand for these rules."""
    return hashlib.blake2b("\n".join(sorted(rules)).encode(), digest_size=16).hexdigest()


def refuse_changed_rules(url: str, before: frozenset[str]) -> None:
    """Look once more, after all rows were read, whether they were all written by the same rules.

    Rules that came to others do no harm: no value was written by them.

    Raises:
        errors.SchemaMoved: an enum's label was renamed, a field added to a type, an extension updated meanwhile.
    """
    with connect(url, application_name="rxbackup backup") as conn:
        if not before <= read_rules(conn):
            raise errors.SchemaMoved(
                "A type was altered while its values were read: some are written in the old way, some in the new.",
                hint="Wait until the migration is through, then take the backup again. Nothing was stored twice.",
            )


def read_text_rules(conn: Connection) -> str:
    """Return a digest of everything besides the row that decides how its values look as text."""
    return digest_of(read_rules(conn))


def tables_that_name_others(conn: Connection) -> set[int]:
    """Return the oids of tables with a column whose values are names of other things: never taken as unchanged."""
    with translated("looking for names"):
        return {oid for (oid,) in conn.execute(_NAMING_TYPES).fetchall()}
