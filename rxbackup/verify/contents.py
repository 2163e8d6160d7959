"""Contents: every chunk is opened, hashed, and its rows counted against the manifest."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rxbackup.errors import ChunkCorrupt, ChunkMissing
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.vault.manifest import Manifest, SegmentEntry, TableEntry
from rxbackup.vault.vault import Vault
from rxbackup.verify.report import Damage, VerifyReport


@dataclass(frozen=True, slots=True)
class Opened:
    """What an opened chunk holds; `reason` says why it could not be opened."""

    plain_bytes: int = 0
    rows: int = 0
    ends_row: bool = False
    reason: str = ""

    @classmethod
    def of(cls, plain: bytes) -> Opened:
        """What these bytes hold. A raw newline ends a row in COPY text, and nothing else is one."""
        return cls(len(plain), plain.count(b"\n"), plain.endswith(b"\n"))


def verify_contents(vault: Vault, manifest: Manifest, *, on_progress: ProgressSink = ignore_progress) -> VerifyReport:
    """Read a whole backup as a restore would, short of the database.

    Each different chunk is read once. Bytes and rows of every segment must be what the manifest says.

    Raises:
        ManifestCorrupt: the manifest contradicts itself.
        StoreTrouble: the store cannot be read; that says nothing about the backup.
    """
    manifest.check()
    began = time.monotonic()
    opened: dict[str, Opened] = {}
    damaged: list[Damage] = []
    rows_done = bytes_done = 0
    for number, table in enumerate(manifest.tables):
        for index, segment in enumerate(table.segments):
            damaged += segment_damages(vault, table, index, opened)
            rows_done += segment.rows
            bytes_done += segment.raw_bytes
            on_progress(
                Progress(
                    "Reading chunks",
                    rows_done=rows_done,
                    rows_total=manifest.totals.rows,
                    bytes_done=bytes_done,
                    bytes_total=manifest.totals.raw_bytes,
                    tables_done=number,
                    tables_total=len(manifest.tables),
                )
            )
    total = sum(each.plain_bytes for each in opened.values())
    return VerifyReport(
        "contents",
        # An anchor was opened with each difference that leans on it.
        len(opened.keys() | manifest.needed_ids()),
        total,
        tuple(damaged),
        time.monotonic() - began,
        tables=len(manifest.tables),
        rows=manifest.totals.rows,
    )


def segment_damages(vault: Vault, table: TableEntry, index: int, opened: dict[str, Opened]) -> list[Damage]:
    """What is wrong with one segment. `opened` remembers chunks across segments: each is read once."""
    segment = table.segments[index]
    for chunk in segment.chunks:
        if chunk not in opened:
            opened[chunk] = _open(vault, chunk)
    return [
        Damage(table.qualified, index, chunk, segment.rows, reason) for chunk, reason in _complaints(segment, opened)
    ]


def _open(vault: Vault, chunk: str) -> Opened:
    try:
        plain = vault.get_chunk(chunk)
    except (ChunkMissing, ChunkCorrupt) as error:
        return Opened(reason=error.message)
    return Opened.of(plain)


def _complaints(segment: SegmentEntry, opened: dict[str, Opened]) -> list[tuple[str, str]]:
    """(chunk id or '', reason) of everything that is wrong with one segment."""
    parts = [(chunk, opened[chunk]) for chunk in segment.chunks]
    found = [(chunk, part.reason) for chunk, part in parts if part.reason]
    if found or not parts:
        return found
    rows = sum(part.rows for _, part in parts)
    length = sum(part.plain_bytes for _, part in parts)
    if length != segment.raw_bytes:
        found.append(("", f"it holds {length} bytes, the manifest says {segment.raw_bytes}"))
    if rows != segment.rows:
        found.append(("", f"it holds {rows} rows, the manifest says {segment.rows}"))
    if not parts[-1][1].ends_row:
        found.append(("", "its last row is cut off"))
    return found
