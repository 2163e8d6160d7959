r"""How a data script gets by with foreign keys that no order of tables suits: rings, partitions that refer back.

A backup knows no foreign keys, so the script looks for them where it is loaded. Names reach its code as a setting,
never as part of it: no name can end the quotes of a DO block. Only keys whose parent may come after its child are made
deferrable, because each row whose check waits costs memory until the end; and only where the role may, so that a role
which does not own the tables can still load what needs no deferring.
"""

from __future__ import annotations

from collections.abc import Iterable

TABLES = "rxbackup.script_tables"
"""The setting that carries the tables: an array of quoted names as text, in the script's order."""

LOOSEN = """\
DO $rxbackup$
DECLARE
    key record;
    loosened pg_catalog.oid[] := '{}';
BEGIN
    FOR key IN
        WITH loaded AS (
            SELECT pg_catalog.to_regclass(t.name)::pg_catalog.oid AS oid, t.place
            FROM pg_catalog.unnest(pg_catalog.current_setting('rxbackup.script_tables')::pg_catalog.text[])
                 WITH ORDINALITY AS t(name, place)
        ), spans AS (
            SELECT a.oid, pg_catalog.min(a.place) AS first, pg_catalog.max(a.place) AS last
            FROM (
                SELECT l.oid, l.place FROM loaded AS l
                UNION ALL
                SELECT p.relid::pg_catalog.oid, l.place
                FROM loaded AS l CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(l.oid) AS p
            ) AS a
            WHERE a.oid IS NOT NULL
            GROUP BY a.oid
        )
        SELECT k.oid, n.nspname, c.relname, k.conname
        FROM pg_catalog.pg_constraint AS k
        JOIN spans AS child ON child.oid = k.conrelid
        JOIN spans AS parent ON parent.oid = k.confrelid
        JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT k.condeferrable AND parent.last > child.first
          -- PostgreSQL 18 has keys that nobody enforces; those cannot be altered.
          AND pg_catalog.to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false'
          AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
        ORDER BY k.oid
    LOOP
        EXECUTE pg_catalog.format(
            'ALTER TABLE %I.%I ALTER CONSTRAINT %I DEFERRABLE', key.nspname, key.relname, key.conname
        );
        loosened := loosened || key.oid;
    END LOOP;
    PERFORM pg_catalog.set_config('rxbackup.script_keys', loosened::pg_catalog.text, true);
END
$rxbackup$;
"""

TIGHTEN = """\
DO $rxbackup$
DECLARE
    key record;
BEGIN
    FOR key IN
        SELECT n.nspname, c.relname, k.conname
        FROM pg_catalog.pg_constraint AS k
        JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE k.oid = ANY (pg_catalog.current_setting('rxbackup.script_keys')::pg_catalog.oid[])
        ORDER BY k.oid
    LOOP
        EXECUTE pg_catalog.format(
            'ALTER TABLE %I.%I ALTER CONSTRAINT %I NOT DEFERRABLE', key.nspname, key.relname, key.conname
        );
    END LOOP;
END
$rxbackup$;
"""


def text_array(texts: Iterable[str]) -> str:
    """An array as PostgreSQL writes one."""
    quoted = ('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)
    return "{" + ",".join(quoted) + "}"
