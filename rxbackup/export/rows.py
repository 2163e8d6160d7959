"""The rows of a backed-up table, as they come out of the vault."""

from __future__ import annotations

from collections.abc import Iterator

from rxbackup.errors import ManifestCorrupt
from rxbackup.vault.manifest import SegmentEntry, TableEntry
from rxbackup.vault.vault import Vault


def row_blocks(vault: Vault, table: TableEntry, segment: SegmentEntry) -> Iterator[bytes | bytearray]:
    """Blocks of whole rows, each about a chunk long, or as long as one longer row.

    Raises:
        ManifestCorrupt: the segment does not hold the rows that the manifest counts.
    """
    rows = 0
    unfinished = bytearray()
    for chunk in segment.chunks:
        piece: bytes | bytearray = vault.get_chunk(chunk)
        end = piece.rfind(b"\n") + 1
        if unfinished or end < len(piece):
            # The start or the middle of a row longer than a chunk: gathered in place, never twice in memory.
            unfinished += piece if not end else piece[:end]
            if not end:
                continue
            rest = piece[end:]
            piece, unfinished = unfinished, bytearray(rest)
        if piece:
            rows += piece.count(b"\n")
            yield piece
    if unfinished or rows != segment.rows:
        raise ManifestCorrupt(f"A segment of {table.qualified} holds {rows} rows, its manifest says {segment.rows}.")


def segment_chunks(vault: Vault, table: TableEntry, segment: SegmentEntry) -> Iterator[bytes]:
    """The chunks of a segment, unchanged; raises as `row_blocks`."""
    rows = 0
    piece = b"\n"
    for chunk in segment.chunks:
        piece = vault.get_chunk(chunk)
        rows += piece.count(b"\n")
        yield piece
    if rows != segment.rows or not piece.endswith(b"\n"):
        raise ManifestCorrupt(f"A segment of {table.qualified} holds {rows} rows, its manifest says {segment.rows}.")
