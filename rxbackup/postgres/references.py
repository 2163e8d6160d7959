"""Foreign keys onto and from tables that are being set right: who refers to them, who must turn to another parent."""

from __future__ import annotations

from psycopg import sql

from rxbackup.postgres.broken_keys import all_set
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
            child.target, child.source, all_set("t", key.columns), _leaving(child, parent, key)
        ),
    )


def turn_leaving(conn: Connection, child: Staged, parent: Staged, key: ForeignKey) -> int:
    """Turn those rows to the parent they will have."""
    return conn.execute(
        sql.SQL("UPDATE {} AS t SET {} FROM {} AS s WHERE {} AND {}").format(
            child.target,
            assignments(key.columns),
            child.source,
            all_set("t", key.columns),
            _leaving(child, parent, key),
        )
    ).rowcount


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
