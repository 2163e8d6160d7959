"""Structure: the manifest makes sense, and every chunk it needs is in the store and not cut short."""

from __future__ import annotations

import time

from rxbackup.errors import ChunkCorrupt, ChunkMissing
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault
from rxbackup.verify.report import Damage, VerifyReport


def verify_structure(vault: Vault, manifest: Manifest, *, on_progress: ProgressSink = ignore_progress) -> VerifyReport:
    """Look for every chunk of a backup and every anchor that one leans on, without reading them.

    Each is asked for by name: a listing may be stale.

    Raises:
        ManifestCorrupt: the manifest contradicts itself.
        StoreTrouble: the store cannot be asked; that says nothing about the backup.
    """
    manifest.check()
    began = time.monotonic()
    leans = manifest.leans or {}
    sizes: dict[str, int | str] = {}
    damaged: list[Damage] = []
    rows_done = 0
    for number, table in enumerate(manifest.tables):
        for index, segment in enumerate(table.segments):
            for chunk in segment.chunks:
                # A difference is worth nothing without the anchor that it leans on.
                for needed in (chunk, *([leans[chunk]] if chunk in leans else [])):
                    if needed not in sizes:
                        sizes[needed] = _size_or_reason(vault, needed)
                    found = sizes[needed]
                    if isinstance(found, str):
                        damaged.append(Damage(table.qualified, index, needed, segment.rows, found))
            rows_done += segment.rows
            on_progress(
                Progress(
                    "Looking for chunks",
                    rows_done=rows_done,
                    rows_total=manifest.totals.rows,
                    tables_done=number,
                    tables_total=len(manifest.tables),
                )
            )
    total = sum(size for size in sizes.values() if isinstance(size, int))
    return VerifyReport(
        "structure",
        len(sizes),
        total,
        tuple(damaged),
        time.monotonic() - began,
        tables=len(manifest.tables),
        rows=manifest.totals.rows,
    )


def _size_or_reason(vault: Vault, chunk: str) -> int | str:
    try:
        return vault.check_chunk(chunk)
    except (ChunkMissing, ChunkCorrupt) as error:
        return error.message
