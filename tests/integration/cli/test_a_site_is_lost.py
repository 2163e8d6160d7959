"""NetBox: somebody deletes the devices of a site, with all that hangs on them. It comes back, and goes again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.databases import load_netbox, take_image
from tests.support.terminal import terminal

_KEYS = """
SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND cardinality(c.conkey) = 1
"""


def _delete_with_all_that_refers(
    conn: psycopg.Connection, table: str, ids: set[int]
) -> tuple[Counter[str], Counter[str]]:
    """What the application does when it deletes rows: those that refer to them go too, or refer to nothing.

    Returns:
        How many rows were deleted, and how many were changed, by table.
    """
    doomed: dict[str, set[int]] = {table: set(ids)}
    keys = conn.execute(_KEYS).fetchall()
    nullable = set(
        conn.execute(
            "SELECT a.attrelid::regclass::text, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "WHERE NOT a.attnotnull AND c.relnamespace = 'public'::regnamespace"
        ).fetchall()
    )
    queue = [(table, set(ids))]
    while queue:
        parent, gone = queue.pop()
        for child, column, referenced in keys:
            if referenced != parent or not gone or (child, column) in nullable:
                continue
            query = sql.SQL("SELECT id FROM {} WHERE {} = ANY(%s)").format(sql.SQL(child), sql.Identifier(column))
            found = {row[0] for row in conn.execute(query, (list(gone),))} - doomed.get(child, set())
            if found:
                doomed.setdefault(child, set()).update(found)
                queue.append((child, found))
    deleted: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    with conn.transaction():
        conn.execute("SET CONSTRAINTS ALL DEFERRED")
        for name, rows in doomed.items():
            query = sql.SQL("DELETE FROM {} WHERE id = ANY(%s)").format(sql.SQL(name))
            deleted[f"public.{name}"] = conn.execute(query, (list(rows),)).rowcount
        for child, column, referenced in keys:
            if (child, column) in nullable and referenced in doomed:
                query = sql.SQL("UPDATE {} SET {} = NULL WHERE {} = ANY(%s)").format(
                    sql.SQL(child), sql.Identifier(column), sql.Identifier(column)
                )
                changed[f"public.{child}"] += conn.execute(query, (list(doomed[referenced]),)).rowcount
    return deleted, changed


def test_the_devices_of_a_site_come_back_and_go_again(system_database: str, tmp_path: Path) -> None:
    load_netbox(system_database)
    shell = terminal(system_database, tmp_path)
    before = take_image(system_database)
    created = shell.run("backup", "create", "--name", "before", "--json", seconds=120)
    assert created.code == 0, created.err
    with psycopg.connect(system_database, autocommit=True) as conn:
        site = conn.execute(
            "SELECT site_id, array_agg(id) FROM dcim_device GROUP BY site_id ORDER BY count(*) DESC, site_id LIMIT 1"
        ).fetchone()
        assert site is not None
        lost, emptied = _delete_with_all_that_refers(conn, "dcim_device", set(site[1]))
    assert lost["public.dcim_device"] == len(site[1])
    assert len(lost) > 1
    damaged = take_image(system_database)

    shown = shell.run("restore", "before", "--mode", "missing", "--dry-run", "--json", seconds=120)

    assert shown.code == 0, shown.out + shown.err
    would = {t["name"]: t["change"] for t in shown.json["tables"] if t["change"]["added"]}
    assert {name: change["added"] for name, change in would.items()} == dict(lost)
    assert take_image(system_database) == damaged

    done = shell.run("restore", "before", "--mode", "missing", "--yes", "--json", seconds=120)

    assert done.code == 0, done.out + done.err
    added = {name: change["added"] for name, change in done.json["tables"].items() if change["added"]}
    assert added == dict(lost)
    # Rows that were only made to refer to nothing are not missing: this mode leaves them alone.
    assert set(take_image(system_database).differing(before)) == {name for name, rows in emptied.items() if rows}

    undone = shell.run("undo", "--yes", "--json", seconds=120)

    assert undone.code == 0, undone.out + undone.err
    assert take_image(system_database) == damaged
