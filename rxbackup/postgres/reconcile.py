"""Make a table hold just the rows of a staging table, touching only rows that differ.

Rows are paired by key. Whether two rows are the same is asked of their image (`*=`): `=` calls -0 and 0, 1.10 and 1.1,
one month and thirty days equal. A table without a key pairs whole rows by their text, the n-th copy with the n-th.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from rxbackup.postgres.block_ranges import in_blocks
from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.introspection import Column, Table


@dataclass(frozen=True, slots=True)
class Staged:
    """A table and the staging table that holds the rows it shall have.

    Attributes:
        stage: name of a temporary table of this session.
        columns: those that are compared and set.
        key: names a row; empty if only the whole row does.
        touched: where only a part of the table may differ, name of a temporary table with the rows that part held when
            the restore began; '' where the stage holds all rows.
        untouched_rows: how many rows are in the other part, which table and backup have alike.
        calm: nothing of it differs, and others may be writing to it: it is neither compared nor written.
    """

    table: Table
    stage: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    touched: str = ""
    untouched_rows: int = 0
    calm: bool = False

    @property
    def source(self) -> sql.Identifier:
        """The staging table, for SQL."""
        return sql.Identifier("pg_temp", self.stage)

    @property
    def target(self) -> sql.Composable:
        """The table, for SQL: with its partitions, without tables that inherit from it."""
        return self.table.identifier if self.table.kind == "p" else sql.SQL("ONLY {}").format(self.table.identifier)

    @property
    def at_stake(self) -> sql.Composable:
        """The rows of the table that may have to change, for SQL: all of them, or those of its touched part."""
        return sql.Identifier("pg_temp", self.touched) if self.touched else self.target

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(c.name for c in self.columns)

    @property
    def settable(self) -> tuple[str, ...]:
        """Columns that UPDATE may set: not those that are GENERATED ALWAYS AS IDENTITY."""
        return tuple(c.name for c in self.columns if c.identity != "a")


def columns_of(alias: str, names: Sequence[str]) -> sql.Composed:
    """`alias.a, alias.b`."""
    return sql.SQL(", ").join(sql.Identifier(alias, n) for n in names)


def equal(left: str, left_names: Sequence[str], right: str, right_names: Sequence[str]) -> sql.Composed:
    """`left.a = right.x AND left.b = right.y`."""
    pairs = zip(left_names, right_names, strict=True)
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, a), sql.Identifier(right, b)) for a, b in pairs
    )


def same_image(names: Sequence[str], operator: str) -> sql.Composed:
    """Whether rows `t` and `s` are alike to the last bit (operator `*=`), or not (`*<>`), in these columns."""
    # Without the casts PostgreSQL would take two rows apart and compare column by column, which this operator cannot.
    return sql.SQL("ROW({})::record OPERATOR(pg_catalog.{}) ROW({})::record").format(
        columns_of("t", names), sql.SQL(operator), columns_of("s", names)
    )


def create_stage(conn: Connection, staged: Staged) -> None:
    """Make the empty staging tables. They vanish with the transaction and write no WAL."""
    for name in filter(None, (staged.stage, staged.touched)):
        conn.execute(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} AS t WITH NO DATA").format(
                sql.Identifier(name), columns_of("t", staged.names), staged.target
            )
        )


def note_touched(conn: Connection, staged: Staged, leaf: Table, first_block: int, end_block: int | None) -> None:
    """Copy the rows of a block range, as they are before anything is changed, to the table of touched rows."""
    conn.execute(
        sql.SQL("INSERT INTO {} SELECT {} FROM ONLY {} AS t WHERE {}").format(
            staged.at_stake, columns_of("t", staged.names), leaf.identifier, in_blocks(first_block, end_block)
        )
    )


def analyse_stage(conn: Connection, staged: Staged) -> None:
    """Give the planner the numbers it needs to hash rather than loop."""
    for name in filter(None, (staged.stage, staged.touched)):
        conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("pg_temp", name)))


def count(conn: Connection, query: sql.Composed) -> int:
    """Run a query that answers one number."""
    row = conn.execute(query).fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Difference:
    """How a table differs from its stage, in rows."""

    missing: int
    changed: int
    extra: int

    @property
    def nothing(self) -> bool:
        """Whether they are the same."""
        return not (self.missing or self.changed or self.extra)


def difference(conn: Connection, staged: Staged) -> Difference:
    """Count the rows that reconciling would add, change and remove. Changes nothing."""
    if staged.calm:
        return Difference(missing=0, changed=0, extra=0)
    total = count(conn, sql.SQL("SELECT pg_catalog.count(*) FROM {}").format(staged.source))
    live = count(conn, sql.SQL("SELECT pg_catalog.count(*) FROM {} AS t").format(staged.target)) - staged.untouched_rows
    same = count_same(conn, staged)
    if not staged.key:
        return Difference(missing=total - same, changed=0, extra=live - same)
    paired = count(
        conn,
        sql.SQL("SELECT pg_catalog.count(*) FROM {} AS t JOIN {} AS s ON {}").format(
            staged.target, staged.source, equal("t", staged.key, "s", staged.key)
        ),
    )
    return Difference(missing=total - paired, changed=paired - same, extra=live - paired)


def count_disturbed(conn: Connection, staged: Staged) -> int:
    """Count rows that this transaction wrote although the stage does not have them: by what a foreign key does."""
    return count(
        conn,
        sql.SQL(
            "SELECT pg_catalog.count(*) FROM {} AS t WHERE pg_catalog.age(t.xmin) <= 0 "
            "AND NOT EXISTS (SELECT FROM {} AS s WHERE {})"
        ).format(staged.target, staged.source, equal("t", staged.key, "s", staged.key)),
    )


def count_same(conn: Connection, staged: Staged) -> int:
    """Count the rows that are in both, alike to the last bit."""
    if staged.key:
        query = sql.SQL("SELECT pg_catalog.count(*) FROM {} AS t JOIN {} AS s ON {} WHERE {}").format(
            staged.target, staged.source, equal("t", staged.key, "s", staged.key), same_image(staged.names, "*=")
        )
    else:
        query = sql.SQL(
            "SELECT pg_catalog.count(*) FROM ({}) AS x JOIN ({}) AS y "
            "ON x.rxb_image = y.rxb_image AND x.rxb_n = y.rxb_n"
        ).format(numbered(staged.target, staged.names), numbered(staged.source, staged.names))
    return count(conn, query)


def numbered(table: sql.Composable, names: Sequence[str], extra: str = "") -> sql.Composed:
    """Every row as text, copies of one another numbered from 1."""
    image = sql.SQL("ROW({})::text").format(columns_of("t", names))
    return sql.SQL(
        "SELECT {}{} AS rxb_image, pg_catalog.row_number() OVER (PARTITION BY {}) AS rxb_n FROM {} AS t"
    ).format(sql.SQL(extra), image, image, table)


def delete_extra(conn: Connection, staged: Staged) -> int:
    """Delete the rows that the stage does not have. Returns how many."""
    if staged.touched:
        query = sql.SQL(
            "DELETE FROM {} AS t USING {} AS x WHERE {} AND NOT EXISTS (SELECT FROM {} AS s WHERE {})"
        ).format(
            staged.target,
            staged.at_stake,
            equal("t", staged.key, "x", staged.key),
            staged.source,
            equal("x", staged.key, "s", staged.key),
        )
    elif staged.key:
        query = sql.SQL("DELETE FROM {} AS t WHERE NOT EXISTS (SELECT FROM {} AS s WHERE {})").format(
            staged.target, staged.source, equal("t", staged.key, "s", staged.key)
        )
    else:
        query = sql.SQL(
            "DELETE FROM {} AS d USING ({}) AS x WHERE d.tableoid = x.rxb_table AND d.ctid = x.rxb_row AND NOT EXISTS "
            "(SELECT FROM ({}) AS y WHERE x.rxb_image = y.rxb_image AND x.rxb_n = y.rxb_n)"
        ).format(
            staged.target,
            numbered(staged.target, staged.names, "t.tableoid AS rxb_table, t.ctid AS rxb_row, "),
            numbered(staged.source, staged.names),
        )
    return conn.execute(query).rowcount


def delete_in_the_way(conn: Connection, staged: Staged, unique: Sequence[str]) -> int:
    """Delete rows that will come back changed but now hold a unique value that another row is about to take."""
    return conn.execute(
        sql.SQL("DELETE FROM {} AS t USING {} AS s WHERE {} AND NOT ({})").format(
            staged.target, staged.source, equal("t", unique, "s", unique), equal("t", staged.key, "s", staged.key)
        )
    ).rowcount


def count_in_the_way(conn: Connection, staged: Staged, unique: Sequence[str]) -> int:
    """Count what `delete_in_the_way` would delete, once the rows that the stage does not have are gone."""
    return count(
        conn,
        sql.SQL(
            "SELECT pg_catalog.count(*) FROM {} AS t JOIN {} AS s ON {} WHERE NOT ({}) "
            "AND EXISTS (SELECT FROM {} AS x WHERE {})"
        ).format(
            staged.target,
            staged.source,
            equal("t", unique, "s", unique),
            equal("t", staged.key, "s", staged.key),
            staged.source,
            equal("x", staged.key, "t", staged.key),
        ),
    )


def _unsettable(staged: Staged) -> sql.Composed | None:
    """Pairs of rows that differ in a GENERATED ALWAYS identity value; None where there can be none."""
    fixed = [n for n in staged.names if n not in staged.settable and n not in staged.key]
    if not fixed or not staged.key:
        return None
    return sql.SQL("{} AND {}").format(equal("t", staged.key, "s", staged.key), same_image(fixed, "*<>"))


def count_unsettable(conn: Connection, staged: Staged) -> int:
    """Count what `delete_unsettable` would delete."""
    pairs = _unsettable(staged)
    if pairs is None:
        return 0
    return count(
        conn,
        sql.SQL("SELECT pg_catalog.count(*) FROM {} AS t JOIN {} AS s ON {}").format(
            staged.target, staged.source, pairs
        ),
    )


def delete_unsettable(conn: Connection, staged: Staged) -> int:
    """Delete rows of which a GENERATED ALWAYS identity value differs: UPDATE may not set it, INSERT may."""
    pairs = _unsettable(staged)
    if pairs is None:
        return 0
    return conn.execute(
        sql.SQL("DELETE FROM {} AS t USING {} AS s WHERE {}").format(staged.target, staged.source, pairs)
    ).rowcount


def update_changed(conn: Connection, staged: Staged) -> int:
    """Set right the rows that differ from their pair in the stage. Returns how many."""
    if not staged.key or not staged.settable:
        return 0
    return conn.execute(
        sql.SQL("UPDATE {} AS t SET {} FROM {} AS s WHERE {} AND {}").format(
            staged.target,
            assignments(staged.settable),
            staged.source,
            equal("t", staged.key, "s", staged.key),
            same_image(staged.names, "*<>"),
        )
    ).rowcount


def insert_missing(conn: Connection, staged: Staged) -> int:
    """Insert the rows that only the stage has. Returns how many."""
    if staged.key:
        rows = sql.SQL("SELECT {} FROM {} AS s WHERE NOT EXISTS (SELECT FROM {} AS t WHERE {})").format(
            columns_of("s", staged.names), staged.source, staged.target, equal("t", staged.key, "s", staged.key)
        )
    else:
        rows = sql.SQL(
            "SELECT {} FROM ({}) AS y WHERE NOT EXISTS "
            "(SELECT FROM ({}) AS x WHERE x.rxb_image = y.rxb_image AND x.rxb_n = y.rxb_n)"
        ).format(
            columns_of("y", staged.names),
            numbered(staged.source, staged.names, "t.*, " if staged.names else ""),
            numbered(staged.target, staged.names),
        )
    columns = sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, staged.names)))
    return conn.execute(
        sql.SQL("INSERT INTO {} {} {} {}").format(
            staged.table.identifier,
            columns if staged.names else sql.SQL(""),
            sql.SQL("OVERRIDING SYSTEM VALUE") if staged.names else sql.SQL(""),
            rows,
        )
    ).rowcount


def assignments(names: Sequence[str]) -> sql.Composed:
    """`a = s.a, b = s.b`, for an UPDATE."""
    return sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(n), sql.Identifier("s", n)) for n in names)
