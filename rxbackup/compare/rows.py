"""The rows of a backed-up table, page by page. Only chunks that hold a page's rows are opened.

A place in a table is where a row begins: entry, segment, chunk, and how many bytes further.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rxbackup.compare.filters import Filter, RowTest
from rxbackup.compare.tables import KeptTable
from rxbackup.compare.text import codec_of
from rxbackup.errors import ManifestCorrupt, UsageError
from rxbackup.postgres.copy_format import split_row
from rxbackup.vault.manifest import Manifest, SegmentEntry
from rxbackup.vault.vault import Vault

_PARTS = 4
_ROW_END = 0x0A


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row begins: `offset` bytes behind the beginning of a chunk, counted on into the next ones."""

    entry: int = 0
    segment: int = 0
    chunk: int = 0
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.entry}.{self.segment}.{self.chunk}.{self.offset}"

    @classmethod
    def parse(cls, text: str, table: KeptTable) -> Place:
        """Read what `str` wrote. Raises `UsageError` if it is no place in this table."""
        parts = text.split(".")
        if len(parts) != _PARTS or not all(part.isascii() and part.isdigit() and len(part) <= 15 for part in parts):  # noqa: PLR2004 - no table has more
            raise _nowhere(table)
        place = cls(*map(int, parts))
        try:
            segment = table.entries[place.entry].segments[place.segment]
        except IndexError:
            raise _nowhere(table) from None
        if place.chunk > len(segment.chunks) or (place.chunk == len(segment.chunks) and place.offset):
            raise _nowhere(table)
        return place


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row and where it begins; `values` in the order of the table's columns, None is NULL."""

    place: Place
    values: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows of a table.

    Attributes:
        next: where to go on; None at the end.
        looked_at: how many rows were looked at for it.
    """

    rows: tuple[FoundRow, ...]
    next: Place | None
    looked_at: int


def read_rows(
    vault: Vault,
    manifest: Manifest,
    table: KeptTable,
    *,
    filters: Sequence[Filter] = (),
    start: Place | None = None,
    limit: int,
    most_bytes: int | None = None,
) -> RowPage:
    """Read at most `limit` rows that fit all filters, from a place on.

    Args:
        most_bytes: give up for now after so many bytes of rows; the page then has a `next`, and may be empty.

    Raises:
        UsageError: `start` is no place where a row begins.
        Corrupt: a chunk is missing or damaged.
    """
    rows: list[FoundRow] = []
    looked_at = seen_bytes = 0
    codec = codec_of(manifest.server.encoding)
    for place, block, further in _blocks(vault, table, start or Place()):
        test = RowTest(filters, table.entries[place.entry], codec)
        arranged = _arranged(table, place.entry)
        at = 0
        for first, end in test.lines(block):
            values = split_row(bytes(block[first:end])) if table.columns else []
            if len(values) != len(table.columns):
                raise ManifestCorrupt(f"A row of {table.name} does not fit the columns in the manifest.")
            here = Place(place.entry, place.segment, place.chunk, place.offset + first)
            rows.append(FoundRow(here, tuple([values[column] for column in arranged])))
            at = end
            if len(rows) == limit:
                looked_at += block.count(b"\n", 0, at)
                return RowPage(tuple(rows), _after(table, place, at, len(block), further), looked_at)
        looked_at += block.count(b"\n")
        seen_bytes += len(block)
        if most_bytes is not None and seen_bytes >= most_bytes:
            return RowPage(tuple(rows), _after(table, place, len(block), len(block), further), looked_at)
    return RowPage(tuple(rows), None, looked_at)


def _blocks(vault: Vault, table: KeptTable, start: Place) -> Iterator[tuple[Place, bytes | bytearray, Place]]:
    """Blocks of whole rows from a place on; where each begins, and where the next one would in the same segment."""
    for number, entry in enumerate(table.entries):
        if number < start.entry:
            continue
        for position, segment in enumerate(entry.segments):
            here = Place(number, position)
            if (number, position) == (start.entry, start.segment):
                yield from _segment_blocks(vault, table, segment, start)
            elif here > start:
                yield from _segment_blocks(vault, table, segment, here)


def _segment_blocks(
    vault: Vault, table: KeptTable, segment: SegmentEntry, at: Place
) -> Iterator[tuple[Place, bytes | bytearray, Place]]:
    skip = at.offset
    unfinished = bytearray()
    for number in range(at.chunk, len(segment.chunks)):
        piece: bytes | bytearray = vault.get_chunk(segment.chunks[number])
        if skip:
            if piece[min(skip, len(piece)) - 1] != _ROW_END and skip <= len(piece):
                raise _nowhere(table)
            piece, skip = piece[skip:], max(skip - len(piece), 0)
            if not piece:
                continue
        end = piece.rfind(b"\n") + 1
        if unfinished or end < len(piece):
            # The start or the middle of a row longer than a chunk: gathered in place, never twice in memory.
            unfinished += piece if not end else piece[:end]
            if not end:
                continue
            rest = piece[end:]
            piece, unfinished = unfinished, bytearray(rest)
        after = (number + 1, 0) if not unfinished else (at.chunk, at.offset + len(piece))
        further = Place(at.entry, at.segment, *after)
        yield at, piece, further
        at = further
    if skip:
        raise _nowhere(table)
    if unfinished:
        raise ManifestCorrupt(f"A segment of {table.name} does not end with a row.")


def _after(table: KeptTable, place: Place, end: int, length: int, further: Place) -> Place | None:
    """Where the next row begins; None if there is none."""
    if end < length:
        return Place(place.entry, place.segment, place.chunk, place.offset + end)
    if further.chunk < len(table.entries[place.entry].segments[place.segment].chunks):
        return further
    for number in range(place.entry, len(table.entries)):
        first = place.segment + 1 if number == place.entry else 0
        for position, segment in enumerate(table.entries[number].segments[first:], first):
            if segment.chunks:
                return Place(number, position)
    return None


def _arranged(table: KeptTable, entry: int) -> list[int]:
    """Where the table's columns are in the rows of one entry: partitions may have them in another order."""
    places = {column.name: place for place, column in enumerate(table.entries[entry].copied_columns)}
    try:
        return [places[column.name] for column in table.columns]
    except KeyError as error:
        raise ManifestCorrupt(f"The parts of {table.name} do not have the same columns.") from error


def _nowhere(table: KeptTable) -> UsageError:
    return UsageError(f"That is no place in {table.name}.", hint="Begin with the first page.")
