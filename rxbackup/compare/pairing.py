"""Find which rows of two piles belong together, in flat memory.

While little is added everything stays in memory. Beyond that, rows go to unlinked files that only this process can
read, by a checksum of what names them; each file is small enough to be paired in memory.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from zlib import crc32

from rxbackup.errors import StoreFull

MEMORY_BYTES = 16 * 1024 * 1024
"""So many bytes of rows are held before they go to files; Python makes about five times as much of them."""

_FILES = 64
_BUFFER_BYTES = 64 * 1024

Difference = tuple[bytes | None, bytes | None]
"""A row before and after, without newline; None where there is none."""


class Pairing:
    """Two piles of rows of COPY text, and what differs between them. Use it as a context manager.

    Args:
        key: places of the fields that name a row; without them rows are only the same or not.
        folder: where files go, if it comes to that.
        memory_bytes: how much is held in memory; MEMORY_BYTES if not given.
        depth: how often these rows were parted already.
    """

    def __init__(self, key: Sequence[int], folder: Path, *, memory_bytes: int | None = None, depth: int = 0) -> None:
        self._key = _key_of(key)
        self._places = tuple(key)
        self._folder = folder
        self._memory_bytes = memory_bytes or MEMORY_BYTES
        self._depth = depth
        self._held: tuple[list[bytes], list[bytes]] = ([], [])
        self._held_bytes = 0
        self._open = ExitStack()
        self._files: list[list[IO[bytes]]] = []
        self._sizes = [0] * _FILES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def add(self, side: int, rows: Collection[bytes]) -> None:
        """Add rows, without newlines, to the pile before (0) or after (1)."""
        self._held[side].extend(rows)
        self._held_bytes += sum(map(len, rows)) + len(rows)
        if self._held_bytes > self._memory_bytes:
            self._put_away()

    def differences(self) -> Iterator[Difference]:
        """All rows that differ, once everything was added; by key within what fits into memory at once."""
        if not self._files:
            yield from self._paired(*self._held)
            return
        self._put_away()
        for number in range(_FILES):
            yield from self._from_files(number)

    def _from_files(self, number: int) -> Iterator[Difference]:
        before, after = (files[number] for files in self._files)
        # What names a row may be the same for many only where nothing names it; then parting again does not help.
        if self._sizes[number] > 4 * self._memory_bytes and self._places and self._depth < 3:  # noqa: PLR2004
            with Pairing(self._places, self._folder, memory_bytes=self._memory_bytes, depth=self._depth + 1) as further:
                for side, file in enumerate((before, after)):
                    file.seek(0)
                    while rows := file.readlines(1 << 20):
                        further.add(side, [row[:-1] for row in rows])
                    file.close()
                yield from further.differences()
            return
        for file in (before, after):
            file.seek(0)
        yield from self._paired((row[:-1] for row in before), (row[:-1] for row in after))
        for file in (before, after):
            file.close()

    def _paired(
        self, before: Collection[bytes] | Iterator[bytes], after: Collection[bytes] | Iterator[bytes]
    ) -> Iterator[Difference]:
        if not self._places:
            yield from _by_whole_row(before, after)
            return
        found = sorted(_by_key(self._key, before, after), key=lambda each: _order(self._key(each[0] or each[1] or b"")))
        yield from found

    def _put_away(self) -> None:
        try:
            if not self._files:
                self._files = [[self._new_file() for _ in range(_FILES)] for _ in range(2)]
            for side, rows in enumerate(self._held):
                parted: list[list[bytes]] = [[] for _ in range(_FILES)]
                for row in rows:
                    parted[crc32(self._key(row), self._depth) % _FILES].append(row)
                for number, some in enumerate(parted):
                    if some:
                        self._sizes[number] += self._files[side][number].write(b"\n".join(some) + b"\n")
                rows.clear()
        except OSError as error:
            raise StoreFull(
                f"Rows that are being compared cannot be put aside in {self._folder}: {error.strerror}.",
                hint="Free some space there, or compare fewer tables.",
            ) from error
        self._held_bytes = 0

    def _new_file(self) -> IO[bytes]:
        # Readable by nobody else, and gone with this process, however it ends.
        return self._open.enter_context(tempfile.TemporaryFile(dir=self._folder, buffering=_BUFFER_BYTES))


def _key_of(places: Sequence[int]) -> Callable[[bytes], bytes]:
    if not places:
        return lambda row: row
    if tuple(places) == (0,):
        return lambda row: row.partition(b"\t")[0]
    return lambda row: b"\t".join([row.split(b"\t")[place] for place in places])


def _by_key(
    key_of: Callable[[bytes], bytes],
    before: Collection[bytes] | Iterator[bytes],
    after: Collection[bytes] | Iterator[bytes],
) -> Iterator[Difference]:
    left: dict[bytes, bytes] = {}
    # A key of partitions alone is unique in each of them, not in all.
    more: dict[bytes, list[bytes]] = {}
    for row in before:
        key = key_of(row)
        if left.setdefault(key, row) is not row:
            more.setdefault(key, []).append(row)
    for row in after:
        key = key_of(row)
        was = left.pop(key, None)
        if was is not None and key in more:
            was = _same_or_any(was, more, left, key, row)
        if was != row:
            yield was, row
    for key, row in left.items():
        yield row, None
        for other in more.get(key, ()):
            yield other, None


def _same_or_any(was: bytes, more: dict[bytes, list[bytes]], left: dict[bytes, bytes], key: bytes, row: bytes) -> bytes:
    candidates = [was, *more.pop(key)]
    chosen = candidates.pop(candidates.index(row) if row in candidates else 0)
    left[key] = candidates.pop(0)
    if candidates:
        more[key] = candidates
    return chosen


def _by_whole_row(
    before: Collection[bytes] | Iterator[bytes], after: Collection[bytes] | Iterator[bytes]
) -> Iterator[Difference]:
    counts = Counter(before)
    new: Counter[bytes] = Counter()
    for row in after:
        if counts[row] > 0:
            counts[row] -= 1
        else:
            new[row] += 1
    for row in sorted(counts):
        for _ in range(counts[row]):
            yield row, None
    for row in sorted(new):
        for _ in range(new[row]):
            yield None, row


def _order(key: bytes) -> list[tuple[int, int, bytes]]:
    """Numbers by their value, everything else as text behind them."""
    return [
        (0, int(field), b"") if field.removeprefix(b"-").isdigit() and len(field) < 40 else (1, 0, field)  # noqa: PLR2004
        for field in key.split(b"\t")
    ]
