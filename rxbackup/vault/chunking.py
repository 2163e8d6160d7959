"""Cutting rows into chunks: where to cut depends on the rows alone, so that equal rows give equal chunks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

Buffer = bytes | bytearray | memoryview

CHUNK_BYTES = 8 * 1024 * 1024
"""The largest chunk. Two of them, anchor and chunk, fill the window of a difference."""

_LOOK_BACK = 64 * 1024
_ROW_END = re.compile(rb"\n")


class ChunkCutter:
    """Collects rows of one segment and hands out chunks of at most `limit` bytes, cut at row ends.

    A row longer than that is cut into pieces, the last of which ends with the row: a segment is always the
    concatenation of its chunks. Rows may be fed singly or many at once (faster: 64 KiB and more); the chunks are
    the same. A fed buffer may be reused as soon as the chunks made from it have been taken.
    """

    def __init__(self, limit: int = CHUNK_BYTES) -> None:
        self._limit = limit
        self._pending = bytearray()

    def feed(self, rows: Buffer) -> Iterable[Buffer]:
        """Take one or more whole rows, each ending in a newline; return the chunks they complete, mostly none."""
        if len(self._pending) + len(rows) <= self._limit:
            self._pending += rows
            return ()
        return list(self._cut(memoryview(rows)))

    def finish(self) -> Iterable[Buffer]:
        """The last chunk, if rows are left. The cutter is empty again then."""
        rest, self._pending = self._pending, bytearray()
        return (rest,) if rest else ()

    def _cut(self, rows: memoryview) -> Iterator[Buffer]:
        position = 0
        while position < len(rows):
            room = self._limit - len(self._pending)
            if len(rows) - position <= room:
                self._pending += rows[position:]
                return
            fits = _last_row_end(rows, position, position + room)
            self._pending += rows[position:fits]
            position = fits
            yield from self.finish()
            end = _next_row_end(rows, position)
            if end - position > self._limit:
                for start in range(position, end, self._limit):
                    yield rows[start : min(start + self._limit, end)]
                position = end


def _last_row_end(rows: memoryview, start: int, end: int) -> int:
    """Just after the last newline in rows[start:end], or `start` if there is none."""
    while end > start:
        window = max(start, end - _LOOK_BACK)
        found = bytes(rows[window:end]).rfind(b"\n")
        if found >= 0:
            return window + found + 1
        end = window
    return start


def _next_row_end(rows: memoryview, start: int) -> int:
    found = _ROW_END.search(rows, start)
    return found.end() if found else len(rows)
