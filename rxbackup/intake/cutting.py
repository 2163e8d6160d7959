"""Rows of COPY text, cut into chunks and segments as a backup cuts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rxbackup.vault.chunk_pool import ChunkReceipt
from rxbackup.vault.chunking import CHUNK_BYTES
from rxbackup.vault.manifest import SegmentEntry

SEGMENT_BYTES = 4 * 1024 * 1024

PutChunk = Callable[[bytes | memoryview], ChunkReceipt]


def cut(blocks: Iterable[tuple[bytes, int]], put: PutChunk) -> list[SegmentEntry]:
    """Store rows, given as blocks of whole rows and their number, and say where they are.

    A segment is what was gathered when 4 MiB were reached. Segments have no blocks of a table here: they are numbered.
    """
    segments: list[SegmentEntry] = []
    gathered = bytearray()
    rows = 0
    for block, count in blocks:
        if gathered and len(gathered) + len(block) > SEGMENT_BYTES:
            segments.append(_segment(len(segments), gathered, rows, put))
            gathered, rows = bytearray(), 0
        gathered += block
        rows += count
    if gathered:
        segments.append(_segment(len(segments), gathered, rows, put))
    return segments


def _segment(number: int, content: bytearray, rows: int, put: PutChunk) -> SegmentEntry:
    with memoryview(content) as view:
        chunks = [put(view[start : start + CHUNK_BYTES]).id for start in range(0, len(content), CHUNK_BYTES)]
    return SegmentEntry(number, number + 1, rows, len(content), chunks)
