"""Some of the rows that setting a table right would add, change or remove."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.left_alone import named
from rxbackup.postgres.reconcile import Staged, equal, numbered, same_image

_LONGEST = 200
"""Characters of a value that are kept."""


@dataclass(frozen=True, slots=True)
class FieldSample:
    """One column of a sample: the value now and the value afterwards, as PostgreSQL writes it, cut; None is NULL."""

    column: str
    before: str | None
    after: str | None
    differs: bool


@dataclass(frozen=True, slots=True)
class RowSample:
    """One row; `change` is "add" (`before` is None everywhere), "change" or "remove" (`after` is None everywhere)."""

    change: str
    fields: tuple[FieldSample, ...]


def sample(conn: Connection, staged: Staged, mode: str, most: int) -> tuple[RowSample, ...]:
    """Take up to `most` rows, of every kind of change its share, each kind by the order of the rows' names.

    Changes nothing. The values are for the eyes of whoever may restore: they belong in no log.
    """
    if staged.calm or most <= 0 or not staged.names:
        return ()
    kinds = [[RowSample("add", each) for each in _added(conn, staged, most)]]
    if mode != "missing" and staged.key:
        kinds.append([RowSample("change", each) for each in _changed(conn, staged, most)])
    if mode == "exact":
        kinds.append([RowSample("remove", each) for each in _removed(conn, staged, most)])
    return tuple(row for kind in _shares(kinds, most) for row in kind)


def _shares(kinds: Sequence[Sequence[RowSample]], most: int) -> Iterator[Sequence[RowSample]]:
    """Cut the lists to `most` rows together: what one does not need is left to the others."""
    room, lengths = most, dict.fromkeys(range(len(kinds)), 0)
    for left, number in zip(range(len(kinds), 0, -1), sorted(lengths, key=lambda n: len(kinds[n])), strict=True):
        lengths[number] = min(len(kinds[number]), -(-room // left))
        room -= lengths[number]
    return (kind[: lengths[number]] for number, kind in enumerate(kinds))


def _added(conn: Connection, staged: Staged, most: int) -> Iterator[tuple[FieldSample, ...]]:
    if staged.key:
        rows = sql.SQL("FROM {} AS s WHERE NOT EXISTS (SELECT FROM {} AS t WHERE {})").format(
            staged.source, staged.target, equal("t", staged.key, "s", staged.key)
        )
    else:
        rows = _beyond(staged.source, staged.target, staged, "s")
    for _, after, _ in _take(conn, staged, rows, most, after="s"):
        yield tuple(FieldSample(n, None, v, differs=True) for n, v in zip(staged.names, after, strict=True))


def _removed(conn: Connection, staged: Staged, most: int) -> Iterator[tuple[FieldSample, ...]]:
    if staged.key:
        rows = sql.SQL("FROM {} AS t WHERE NOT EXISTS (SELECT FROM {} AS s WHERE {})").format(
            staged.at_stake, staged.source, equal("t", staged.key, "s", staged.key)
        )
    else:
        rows = _beyond(staged.target, staged.source, staged, "t")
    for before, _, _ in _take(conn, staged, rows, most, before="t"):
        yield tuple(FieldSample(n, v, None, differs=True) for n, v in zip(staged.names, before, strict=True))


def _changed(conn: Connection, staged: Staged, most: int) -> Iterator[tuple[FieldSample, ...]]:
    rows = sql.SQL("FROM {} AS t JOIN {} AS s ON {} WHERE {}").format(
        staged.target, staged.source, equal("t", staged.key, "s", staged.key), same_image(staged.names, "*<>")
    )
    for before, after, differs in _take(conn, staged, rows, most, before="t", after="s"):
        yield tuple(FieldSample(*each) for each in zip(staged.names, before, after, differs, strict=True))


def _beyond(some: sql.Composable, others: sql.Composable, staged: Staged, alias: str) -> sql.Composed:
    """Rows without a key that are in `some` more often than in `others`."""
    return sql.SQL(
        "FROM ({}) AS {} WHERE NOT EXISTS (SELECT FROM ({}) AS o WHERE {a}.rxb_image = o.rxb_image "
        "AND {a}.rxb_n = o.rxb_n)"
    ).format(
        numbered(some, staged.names, "t.*, "),
        sql.Identifier(alias),
        numbered(others, staged.names),
        a=sql.Identifier(alias),
    )


def _take(
    conn: Connection, staged: Staged, rows: sql.Composed, most: int, *, before: str = "", after: str = ""
) -> list[tuple[list[str | None], list[str | None], list[bool]]]:
    """Read values before and after, and whether they differ: arrays, as a row may have more columns than a result."""
    differs: sql.Composable = sql.SQL("'{{}}'::boolean[]")
    if before and after:
        pairs = (same_image([name], "*<>") for name in staged.names)
        differs = sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(pairs))
    return conn.execute(
        sql.SQL("SELECT {}, {}, {} {} ORDER BY {} LIMIT {}").format(
            _values(staged, before),
            _values(staged, after),
            differs,
            rows,
            sql.SQL(", ").join(named(staged, after or before)),
            sql.Literal(most),
        )
    ).fetchall()


def _values(staged: Staged, alias: str) -> sql.Composable:
    """The values as text. format() writes a value as COPY would; NULL is compared so because of composite types."""
    if not alias:
        return sql.SQL("NULL")
    value = (
        "CASE WHEN {c} IS NOT DISTINCT FROM NULL THEN NULL ELSE pg_catalog.left(pg_catalog.format('%s', {c}), {n}) END"
    )
    return sql.SQL("ARRAY[{}]::text[]").format(
        sql.SQL(", ").join(
            sql.SQL(value).format(c=sql.Identifier(alias, name), n=sql.Literal(_LONGEST)) for name in staged.names
        )
    )
