"""Some of the rows that setting a table right would add, change or remove."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from psycopg import sql

from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.left_alone import named
from rxbackup.postgres.reconcile import Staged, columns_of, equal, numbered, same_image

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
    for values in _one_sided(conn, staged, "s", most):
        yield tuple(FieldSample(n, None, v, differs=True) for n, v in zip(staged.names, values, strict=True))


def _removed(conn: Connection, staged: Staged, most: int) -> Iterator[tuple[FieldSample, ...]]:
    for values in _one_sided(conn, staged, "t", most):
        yield tuple(FieldSample(n, v, None, differs=True) for n, v in zip(staged.names, values, strict=True))


def _one_sided(conn: Connection, staged: Staged, alias: str, most: int) -> list[list[str | None]]:
    """Rows that only the stage has (alias `s`), or only the table (alias `t`)."""
    if staged.key:
        some, others = (staged.source, staged.target) if alias == "s" else (staged.at_stake, staged.source)
        rows = sql.SQL("{} AS {} WHERE NOT EXISTS (SELECT FROM {} AS o WHERE {})").format(
            some, sql.Identifier(alias), others, equal("o", staged.key, alias, staged.key)
        )
    else:
        some, others = (staged.source, staged.target) if alias == "s" else (staged.target, staged.source)
        rows = sql.SQL(
            "({}) AS {a} WHERE NOT EXISTS "
            "(SELECT FROM ({}) AS o WHERE {a}.rxb_image = o.rxb_image AND {a}.rxb_n = o.rxb_n)"
        ).format(numbered(some, staged.names, "t.*, "), numbered(others, staged.names), a=sql.Identifier(alias))
    query = sql.SQL("SELECT {} FROM {} ORDER BY {} LIMIT {}").format(
        _values(staged, alias), rows, sql.SQL(", ").join(named(staged, alias)), sql.Literal(most)
    )
    return [values for (values,) in conn.execute(query).fetchall()]


def _changed(conn: Connection, staged: Staged, most: int) -> Iterator[tuple[FieldSample, ...]]:
    pairs = sql.SQL("{} AS t JOIN {} AS s ON {}").format(
        staged.target, staged.source, equal("t", staged.key, "s", staged.key)
    )
    # Names first: to sort the pairs would make rows of them that have twice as many columns as a row may have.
    names = sql.SQL(
        "SELECT {k}, pg_catalog.row_number() OVER (ORDER BY {k}) AS rxb_n FROM {} WHERE {} ORDER BY rxb_n LIMIT {}"
    ).format(pairs, same_image(staged.names, "*<>"), sql.Literal(most), k=columns_of("s", staged.key))
    differs = sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(same_image([n], "*<>") for n in staged.names))
    query = sql.SQL("SELECT k.rxb_n, {}, {}, {} FROM ({}) AS k JOIN {} ON {}").format(
        _values(staged, "t"), _values(staged, "s"), differs, names, pairs, equal("k", staged.key, "s", staged.key)
    )
    for _, *each in sorted(conn.execute(query).fetchall(), key=itemgetter(0)):
        yield tuple(FieldSample(*field) for field in zip(staged.names, *each, strict=True))


def _values(staged: Staged, alias: str) -> sql.Composed:
    """The values as text, in an array: a result may have fewer columns than two rows have together.

    format() writes a value as COPY would. IS NULL would also be true of a composite value that has only NULLs.
    """
    value = (
        "CASE WHEN {c} IS NOT DISTINCT FROM NULL THEN NULL ELSE pg_catalog.left(pg_catalog.format('%s', {c}), {n}) END"
    )
    return sql.SQL("ARRAY[{}]::text[]").format(
        sql.SQL(", ").join(
            sql.SQL(value).format(c=sql.Identifier(alias, name), n=sql.Literal(_LONGEST)) for name in staged.names
        )
    )
