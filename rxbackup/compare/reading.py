"""Read the parts of two sides past each other: rows that are on both sides cancel out before anything is paired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rxbackup.compare.pairing import Pairing
from rxbackup.compare.pairs import Part, TablePair

HELD_BYTES = 16 * 1024 * 1024
"""A part no longer than this is held in memory while its counterpart is read past it."""


def read_all(pair: TablePair, pairing: Pairing, report: Callable[[int], None] | None = None) -> None:
    """Add the rows of all parts to the pairing, but for those that surely make no difference.

    Args:
        report: is told how many bytes were read.
    """
    report = report or _nobody
    counterparts = {(part.table, part.first_block): part for part in pair.after}
    for part in pair.before:
        other = counterparts.pop((part.table, part.first_block), None)
        if other is None or part.raw_bytes > HELD_BYTES:
            _add(part, pair.matching.before, 0, pairing, report)
            if other is not None:
                _add(other, pair.matching.after, 1, pairing, report)
        else:
            _cancel(pair, part, other, pairing, report)
    for part in counterparts.values():
        _add(part, pair.matching.after, 1, pairing, report)


def _add(part: Part, names: Sequence[str], side: int, pairing: Pairing, report: Callable[[int], None]) -> None:
    for rows in _rows(part, names, report):
        pairing.add(side, rows)


def _cancel(pair: TablePair, part: Part, other: Part, pairing: Pairing, report: Callable[[int], None]) -> None:
    """Most rows of a part that changed did not: only the others are worth pairing."""
    if pair.matching.key:
        held = {row for rows in _rows(part, pair.matching.before, report) for row in rows}
        for rows in _rows(other, pair.matching.after, report):
            new = [row for row in rows if row not in held]
            held.difference_update(rows)
            pairing.add(1, new)
        pairing.add(0, held)
        return
    counts = Counter(row for rows in _rows(part, pair.matching.before, report) for row in rows)
    for rows in _rows(other, pair.matching.after, report):
        new = []
        for row in rows:
            if counts[row] > 0:
                counts[row] -= 1
            else:
                new.append(row)
        pairing.add(1, new)
    pairing.add(0, list(counts.elements()))


def _rows(part: Part, names: Sequence[str], report: Callable[[int], None]) -> Iterator[list[bytes]]:
    """The rows of a part, without newlines, with the fields of these columns in this order."""
    places = {name: place for place, name in enumerate(part.columns)}
    order = [places[name] for name in names]
    as_it_is = order == list(range(len(part.columns)))
    for block in part.read():
        rows = bytes(block).split(b"\n")
        rows.pop()
        if not as_it_is:
            rows = [b"\t".join([fields[place] for place in order]) for fields in (row.split(b"\t") for row in rows)]
        yield rows
        report(len(block))


def _nobody(size: int) -> None:
    """Is told and does nothing."""
