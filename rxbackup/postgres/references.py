"""Foreign keys onto and from tables that are being set right: who would lose a parent, who must turn to another."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.introspection import ForeignKey, Table
from rxbackup.postgres.reconcile import Staged, assignments, count, equal, same_image


def _leaving(child: Staged, parent: Staged, key: ForeignKey) -> sql.Composed:
    """Rows that stay, refer to a parent that goes, and will refer to another."""
    leaving = sql.SQL("{} AND {} AND NOT EXISTS (SELECT FROM {} AS p WHERE {})").format(
        equal("t", child.key, "s", child.key),
        same_image(key.columns, "*<>"),
        parent.source,
        equal("p", key.referenced_columns, "t", key.columns),
    )
    if not parent.touched:
        return leaving
    # A parent in the untouched part is not staged, and does not go.
    at_stake = sql.SQL(" AND EXISTS (SELECT FROM {} AS x WHERE {})").format(
        parent.at_stake, equal("x", key.referenced_columns, "t", key.columns)
    )
    return leaving + at_stake


def count_leaving(conn: Connection, child: Staged, parent: Staged, key: ForeignKey) -> int:
    """Count the rows that must be turned to their new parent before their present one can be deleted."""
    return count(
        conn,
        sql.SQL("SELECT pg_catalog.count(*) FROM {} AS t JOIN {} AS s ON true WHERE {} AND {}").format(
            child.target, child.source, _all_set("t", key.columns), _leaving(child, parent, key)
        ),
    )


def turn_leaving(conn: Connection, child: Staged, parent: Staged, key: ForeignKey) -> int:
    """Turn those rows to the parent they will have."""
    return conn.execute(
        sql.SQL("UPDATE {} AS t SET {} FROM {} AS s WHERE {} AND {}").format(
            child.target,
            assignments(key.columns),
            child.source,
            _all_set("t", key.columns),
            _leaving(child, parent, key),
        )
    ).rowcount


def count_orphaned(
    conn: Connection, outside: Table, parent: Staged, key: ForeignKey, *, newer_rows_stay: bool = False
) -> int:
    """Count rows of a table that is not restored whose parent the restore would delete, or change under them.

    Args:
        newer_rows_stay: whether parents that the stage does not have are left alone.
    """
    stays = equal("s", key.referenced_columns, "t", key.referenced_columns)
    if parent.key:
        stays = sql.SQL("{} AND {}").format(equal("s", parent.key, "t", parent.key), stays)
    restored: sql.Composable = sql.SQL("true")
    if newer_rows_stay:
        restored = sql.SQL("EXISTS (SELECT FROM {} AS s WHERE {})").format(
            parent.source, equal("s", parent.key, "t", parent.key)
        )
    return count(
        conn,
        sql.SQL(
            "SELECT pg_catalog.count(*) FROM {} AS c JOIN {} AS t ON {} "
            "WHERE NOT EXISTS (SELECT FROM {} AS s WHERE {}) AND {}"
        ).format(
            outside.identifier,
            parent.at_stake,
            equal("t", key.referenced_columns, "c", key.columns),
            parent.source,
            stays,
            restored,
        ),
    )


def count_parentless(
    conn: Connection, child: Staged, outside: Table, key: ForeignKey, *, only_missing: bool = False
) -> int:
    """Count staged rows that refer to a row which a table that is not restored does not have.

    Args:
        only_missing: whether rows that are there are left as they are.
    """
    written: sql.Composable = sql.SQL("true")
    if only_missing and child.key:
        written = sql.SQL("NOT EXISTS (SELECT FROM {} AS t WHERE {})").format(
            child.target, equal("t", child.key, "s", child.key)
        )
    return count(
        conn,
        sql.SQL(
            "SELECT pg_catalog.count(*) FROM {} AS s WHERE {} AND {} AND NOT EXISTS (SELECT FROM {} AS p WHERE {})"
        ).format(
            child.source,
            _all_set("s", key.columns),
            written,
            outside.identifier,
            equal("p", key.referenced_columns, "s", key.columns),
        ),
    )


def count_referring(conn: Connection, child: Table, parent: Staged, key: ForeignKey) -> int:
    """Count rows that refer to any row of the parent."""
    return count(
        conn,
        sql.SQL("SELECT pg_catalog.count(*) FROM {} AS c JOIN {} AS t ON {}").format(
            child.identifier, parent.target, equal("t", key.referenced_columns, "c", key.columns)
        ),
    )


def alter_foreign_key(conn: Connection, child: Table, key: ForeignKey, how: str) -> None:
    """Change when a foreign key is checked: `how` is "DEFERRABLE INITIALLY DEFERRED" or "NOT DEFERRABLE"."""
    conn.execute(
        sql.SQL("ALTER TABLE {} ALTER CONSTRAINT {} {}").format(
            child.identifier, sql.Identifier(key.name), sql.SQL(how)
        )
    )


def _all_set(alias: str, names: Sequence[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(alias, n)) for n in names)
