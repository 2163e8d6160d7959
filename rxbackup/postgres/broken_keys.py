"""Which rows would break a foreign or unique key, once tables hold what a restore will give them.

Every function returns `FROM … WHERE …`, to count the rows or to name them. Which rows a target will hold depends on the
mode: those of its stage (`exact`); those of the table, and of the stage those whose key is not there (`missing`); those
of the stage, and of the table those whose key is not staged (`changed`). Rows of an untouched part stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from psycopg import sql

from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.introspection import ForeignKey, Table
from rxbackup.postgres.left_alone import is_noted, put_out, same_name
from rxbackup.postgres.reconcile import Staged, count, equal, same_image

Rows: TypeAlias = sql.Composed
"""`FROM … WHERE …`."""


def count_rows(conn: Connection, rows: Rows | None) -> int:
    """Count them; none where there is nothing to ask."""
    return 0 if rows is None else count(conn, sql.SQL("SELECT pg_catalog.count(*) {}").format(rows))


def knows(staged: Staged, columns: Sequence[str]) -> bool:
    """Whether the stage has these columns: not those that PostgreSQL computes, or that are newer than the backup."""
    return set(columns) <= set(staged.names)


def all_set(alias: str, names: Sequence[str]) -> sql.Composed:
    """That none of the columns is NULL: otherwise a row refers to nothing (MATCH SIMPLE)."""
    return sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(alias, n)) for n in names)


def orphaned(outside: Table, parent: Staged, key: ForeignKey, mode: str) -> Rows | None:
    """Rows `c` of a table that is not restored, and rows `t` they refer to, which would be deleted or changed.

    Returns:
        None where the mode does neither.
    """
    if mode == "missing" or (mode == "changed" and not parent.key):
        return None  # whole rows are never changed, only added
    known = knows(parent, key.referenced_columns)
    # A row without a key is deleted and inserted anew if anything differs; so may be a value that PostgreSQL computes.
    stays = same_image(parent.names, "*=") if not parent.key else same_name(parent, "s", "t")
    if parent.key and known:
        stays = sql.SQL("{} AND {}").format(stays, equal("s", key.referenced_columns, "t", key.referenced_columns))
    elif not known:
        stays = sql.SQL("{} AND {}").format(stays, same_image(parent.names, "*="))
    restored: sql.Composable = sql.SQL("true")
    if mode == "changed":
        restored = sql.SQL("EXISTS (SELECT FROM {} AS r WHERE {})").format(parent.source, same_name(parent, "r", "t"))
    at_stake: sql.Composable = parent.at_stake if known else parent.target
    if parent.touched and not known:
        restored = sql.SQL("{} AND EXISTS (SELECT FROM {} AS x WHERE {})").format(
            restored, parent.at_stake, same_name(parent, "x", "t")
        )
    return sql.SQL("FROM {} AS c JOIN {} AS t ON {} WHERE NOT EXISTS (SELECT FROM {} AS s WHERE {}) AND {}").format(
        outside.identifier,
        at_stake,
        equal("t", key.referenced_columns, "c", key.columns),
        parent.source,
        stays,
        restored,
    )


def parentless(child: Staged, parent: Table | Staged, key: ForeignKey, mode: str) -> Rows | None:
    """Staged rows `s` that would be written and refer to a row that will not be there.

    Args:
        parent: a table that is not restored, or one that is.

    Returns:
        None where the stage does not have the key's columns: PostgreSQL itself refuses rows then.
    """
    if not knows(child, key.columns):
        return None
    if isinstance(parent, Staged):
        if not knows(parent, key.referenced_columns):
            return None
        absent = [_absent(parent, key.referenced_columns, "s", key.columns, mode)]
    else:
        absent = [_nowhere(parent.identifier, "p", equal("p", key.referenced_columns, "s", key.columns))]
    if mode == "missing" and child.key:
        absent.append(_nowhere(child.target, "t", same_name(child, "t", "s")))
    elif not key.validated:
        # Rows that are there already were never asked, and will not be if they do not change.
        there = sql.SQL("{} AND {}").format(same_name(child, "t", "s"), equal("t", key.columns, "s", key.columns))
        absent.append(_nowhere(child.target, "t", there))
    return sql.SQL("FROM {} AS s WHERE {} AND {}").format(
        child.source, all_set("s", key.columns), sql.SQL(" AND ").join(absent)
    )


def left_parentless(child: Staged, parent: Staged, key: ForeignKey, mode: str) -> Rows | None:
    """The same, only of rows whose parent in the backup was put out of its stage."""
    rows = parentless(child, parent, key, mode)
    if rows is None:
        return None
    return sql.SQL("{} AND EXISTS (SELECT FROM {} AS o WHERE {})").format(
        rows, put_out(parent), equal("o", key.referenced_columns, "s", key.columns)
    )


def parents_of_noted(child: Staged, parent: Staged, key: ForeignKey, mode: str) -> Rows | None:
    """Live rows `q` that rows which were noted refer to, and which will not be there."""
    if mode == "missing" or not knows(child, key.columns) or not knows(parent, key.referenced_columns):
        return None
    return sql.SQL("FROM {} AS q WHERE {} AND EXISTS (SELECT FROM {} AS t WHERE {} AND {})").format(
        parent.at_stake,
        _absent(parent, key.referenced_columns, "q", key.referenced_columns, mode),
        child.at_stake,
        equal("t", key.columns, "q", key.referenced_columns),
        is_noted(child, "t"),
    )


def parents_of_untouched(child: Staged, parent: Staged, key: ForeignKey, mode: str) -> Rows | None:
    """Live rows `q` that rows of an untouched part refer to, whose place in the backup was put out of the stage."""
    if mode != "exact" or not child.touched or not knows(parent, key.referenced_columns):
        return None
    untouched = _nowhere(child.at_stake, "x", same_name(child, "x", "t"))
    return sql.SQL(
        "FROM {} AS q WHERE {} AND EXISTS (SELECT FROM {} AS o WHERE {}) "
        "AND EXISTS (SELECT FROM {} AS t WHERE {} AND {})"
    ).format(
        parent.at_stake,
        _absent(parent, key.referenced_columns, "q", key.referenced_columns, mode),
        put_out(parent),
        equal("o", key.referenced_columns, "q", key.referenced_columns),
        child.target,
        equal("t", key.columns, "q", key.referenced_columns),
        untouched,
    )


def changed_under_newer(child: Staged, parent: Staged, key: ForeignKey, mode: str) -> Rows | None:
    """Rows `c` of a target that stay because they are newer, and rows `t` they refer to, which would be changed.

    A foreign key that changes rows together with their parents (ON UPDATE CASCADE) keeps them together.
    """
    if mode != "changed" or not parent.key or set(key.referenced_columns) <= set(parent.key) or key.on_update == "c":
        return None
    if not knows(parent, key.referenced_columns):
        return None
    stays: sql.Composable = sql.SQL("true")
    if child.key:
        stays = _nowhere(child.source, "z", same_name(child, "z", "c"))
    return sql.SQL("FROM {} AS c JOIN {} AS t ON {} WHERE {} AND {}").format(
        child.target,
        parent.at_stake,
        equal("t", key.referenced_columns, "c", key.columns),
        _absent(parent, key.referenced_columns, "t", key.referenced_columns, mode),
        stays,
    )


def clashing(staged: Staged, unique: Sequence[str], mode: str) -> Rows | None:
    """Staged rows `s` to be written whose unique value is held by a row that stays because of the mode."""
    if mode == "exact":
        return None
    conditions = [equal("t", unique, "s", unique)]
    if mode == "missing" or not staged.key:
        conditions.append(_nowhere(staged.target, "x", same_name(staged, "x", "s")))
    else:
        conditions.append(sql.SQL("NOT ({})").format(same_name(staged, "t", "s")))
        conditions.append(_nowhere(staged.source, "x", same_name(staged, "x", "t")))
    return sql.SQL("FROM {} AS s WHERE EXISTS (SELECT FROM {} AS t WHERE {})").format(
        staged.source, staged.target, sql.SQL(" AND ").join(conditions)
    )


def clashing_with_noted(staged: Staged, unique: Sequence[str], mode: str) -> Rows | None:
    """Staged rows `s` of the backup whose unique value is held by a row that was noted."""
    if mode == "missing":
        return None  # all live rows stay: `clashing` has looked at them
    return sql.SQL("FROM {} AS s WHERE EXISTS (SELECT FROM {} AS t WHERE {} AND {}) AND NOT {}").format(
        staged.source,
        staged.source,
        equal("t", unique, "s", unique),
        is_noted(staged, "t"),
        is_noted(staged, "s"),
    )


def _absent(parent: Staged, columns: Sequence[str], alias: str, names: Sequence[str], mode: str) -> sql.Composed:
    """Whether no row that the parent will hold has these values."""
    staged, live = equal("p", columns, alias, names), equal("u", columns, alias, names)
    if mode == "missing":
        if parent.key:
            staged = sql.SQL("{} AND {}").format(staged, _nowhere(parent.target, "v", same_name(parent, "v", "p")))
        return _both(_nowhere(parent.target, "u", live), _nowhere(parent.source, "p", staged))
    absent = _nowhere(parent.source, "p", staged)
    if mode == "changed":
        if parent.key:
            live = sql.SQL("{} AND {}").format(live, _nowhere(parent.source, "v", same_name(parent, "v", "u")))
        return _both(absent, _nowhere(parent.target, "u", live))
    if not parent.touched:
        return absent
    live = sql.SQL("{} AND {}").format(live, _nowhere(parent.at_stake, "v", same_name(parent, "v", "u")))
    return _both(absent, _nowhere(parent.target, "u", live))


def _both(one: sql.Composable, other: sql.Composable) -> sql.Composed:
    return sql.SQL("{} AND {}").format(one, other)


def _nowhere(table: sql.Composable, alias: str, condition: sql.Composable) -> sql.Composed:
    return sql.SQL("NOT EXISTS (SELECT FROM {} AS {} WHERE {})").format(table, sql.Identifier(alias), condition)
