"""Rows that stay as they are now, whatever the backup says: the stage takes them in, in place of the backup's.

What names such rows is noted first. Then they are exchanged in the stage: the rows of the backup go out of it, and the
live rows, if there are any, go in. So whatever makes the table like its stage, or compares the two, leaves them alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.reconcile import Staged, columns_of, count, same_image


@contextmanager
def without_nested_loops(conn: Connection) -> Iterator[None]:
    """For queries with many conditions: each NOT EXISTS makes the planner believe that next to nothing is left.

    It would then look through one table for every row of another.
    """
    conn.execute("SET LOCAL enable_nestloop = off")
    yield
    conn.execute("SET LOCAL enable_nestloop TO DEFAULT")


def named(staged: Staged, alias: str) -> list[sql.Composable]:
    """What names a row: its key, or else the whole row as text."""
    if staged.key:
        return [sql.Identifier(alias, name) for name in staged.key]
    return [sql.SQL("ROW({})::text").format(columns_of(alias, staged.names))]


def same_name(staged: Staged, left: str, right: str) -> sql.Composed:
    """Whether two rows with the table's columns are named alike."""
    pairs = zip(named(staged, left), named(staged, right), strict=True)
    return sql.SQL(" AND ").join(sql.SQL("{} = {}").format(a, b) for a, b in pairs)


def noted(staged: Staged) -> sql.Identifier:
    """The temporary table of what was noted, for SQL."""
    return sql.Identifier("pg_temp", f"{staged.stage}_left")


def put_out(staged: Staged) -> sql.Identifier:
    """The temporary table of the backup's rows that went out of the stage, for SQL."""
    return sql.Identifier("pg_temp", f"{staged.stage}_out")


def is_noted(staged: Staged, alias: str) -> sql.Composed:
    """Whether a row was noted."""
    return sql.SQL("EXISTS (SELECT FROM {} AS n WHERE {})").format(noted(staged), _matches(staged, alias))


def _matches(staged: Staged, alias: str) -> sql.Composed:
    names = named(staged, alias)
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(each, sql.Identifier("n", f"name_{i}")) for i, each in enumerate(names)
    )


def create_notes(conn: Connection, staged: Staged) -> None:
    """Make the two empty tables. They vanish with the transaction."""
    names = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(each, sql.Identifier(f"name_{i}")) for i, each in enumerate(named(staged, "t"))
    )
    for table, columns in (
        (noted(staged), sql.SQL("{}, false AS asked, false AS done").format(names)),
        (put_out(staged), columns_of("t", staged.names)),
    ):
        conn.execute(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} AS t WITH NO DATA").format(
                table, columns, staged.source
            )
        )


def note(conn: Connection, staged: Staged, alias: str, rows: sql.Composable, *, asked: bool = False) -> int:
    """Note rows that are to stay as they are. Returns how many were not noted before.

    Args:
        alias: of the staged table in `rows`.
        rows: `FROM … WHERE …`.
        asked: whether somebody asked for it, so that it is not counted as a consequence of keys.
    """
    names = named(staged, alias)
    return conn.execute(
        sql.SQL("INSERT INTO {} SELECT DISTINCT {}, {}, false {} AND NOT {}").format(
            noted(staged), sql.SQL(", ").join(names), sql.Literal(asked), rows, is_noted(staged, alias)
        )
    ).rowcount


def holding(table: sql.Composable, column: str, value: str) -> sql.Composed:
    """Rows `t` of which a column, as text, is this value but for case."""
    return sql.SQL("FROM {} AS t WHERE pg_catalog.lower({}::text) = pg_catalog.lower({})").format(
        table, sql.Identifier("t", column), sql.Literal(value)
    )


def exchange(conn: Connection, staged: Staged) -> int:
    """Put the noted rows of the backup out of the stage, and the live ones into it.

    Returns:
        By how many rows the stage has grown.
    """
    gone = conn.execute(
        sql.SQL(
            "WITH gone AS (DELETE FROM {} AS s USING {} AS n WHERE NOT n.done AND {} RETURNING {}) "
            "INSERT INTO {} SELECT * FROM gone"
        ).format(staged.source, noted(staged), _matches(staged, "s"), columns_of("s", staged.names), put_out(staged))
    ).rowcount
    came = conn.execute(
        sql.SQL("INSERT INTO {} SELECT {} FROM {} AS t JOIN {} AS n ON {} WHERE NOT n.done").format(
            staged.source,
            columns_of("t", staged.names),
            staged.at_stake,
            noted(staged),
            _matches(staged, "t"),
        )
    ).rowcount
    conn.execute(sql.SQL("UPDATE {} SET done = true WHERE NOT done").format(noted(staged)))
    for table in (noted(staged), put_out(staged)):
        conn.execute(sql.SQL("ANALYZE {}").format(table))
    return came - gone


def count_set_aside(conn: Connection, staged: Staged) -> int:
    """Count the noted rows that nobody asked for, and that differ from what the backup has in their place."""
    if staged.key:
        query = sql.SQL(
            "SELECT pg_catalog.count(*) FROM {noted} AS n WHERE NOT n.asked AND NOT EXISTS "
            "(SELECT FROM {out} AS t JOIN {live} AS s ON {pair} AND {same} WHERE {t})"
        )
    else:
        # Copies of one row are told apart by their number only.
        query = sql.SQL(
            "SELECT coalesce(pg_catalog.sum(pg_catalog.abs(coalesce(o.rows, 0) - coalesce(l.rows, 0))), 0) "
            "FROM {noted} AS n "
            "LEFT JOIN (SELECT {name} AS name, pg_catalog.count(*) AS rows FROM {out} AS t GROUP BY 1) AS o "
            "ON o.name = n.name_0 "
            "LEFT JOIN (SELECT {name} AS name, pg_catalog.count(*) AS rows FROM {live} AS t GROUP BY 1) AS l "
            "ON l.name = n.name_0 WHERE NOT n.asked"
        )
    return count(
        conn,
        query.format(
            out=put_out(staged),
            live=staged.at_stake,
            noted=noted(staged),
            pair=same_name(staged, "t", "s"),
            same=same_image(staged.names, "*="),
            t=_matches(staged, "t"),
            name=named(staged, "t")[0],
        ),
    )
