"""Vaults and manifests for tests that need no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import uuid4

from rxbackup.stores.base import Store
from rxbackup.stores.local import LocalStore
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.chunking import CHUNK_BYTES
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.manifest import (
    ColumnEntry,
    GroupEntry,
    Manifest,
    SegmentEntry,
    SequenceEntry,
    ServerFacts,
    SnapshotFacts,
    TableEntry,
    Totals,
)
from rxbackup.vault.vault import Vault

PINS = {"DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "TimeZone": "UTC", "extra_float_digits": "3"}


def new_vault(store: Store | None = None, keyring: Keyring | None = None) -> Vault:
    """A vault in memory, unless told otherwise."""
    return Vault.create(store or MemoryStore(), keyring or Keyring.generate())


def new_local_vault(folder: Path) -> Vault:
    """A vault in a folder, which other processes can open too."""
    return Vault.create(LocalStore.create(folder / "store"), Keyring.generate())


def column(name: str, kind: str = "text", *, generated: str = "", not_null: bool = False) -> ColumnEntry:
    return ColumnEntry(name, kind, not_null, "", generated, None)


def table(
    vault: Vault,
    name: str,
    columns: Sequence[ColumnEntry],
    segments: Iterable[bytes],
    *,
    schema: str = "public",
    limit: int = CHUNK_BYTES,
) -> TableEntry:
    """A table whose segments hold these rows of COPY text, stored in the vault."""
    entries = [_segment(vault, index, rows, limit) for index, rows in enumerate(segments)]
    rows, raw_bytes = sum(e.rows for e in entries), sum(e.raw_bytes for e in entries)
    return TableEntry(
        schema, name, 16384, 16384, None, "Things", list(columns), [], len(entries), rows, raw_bytes, entries
    )


def manifest(vault: Vault, tables: Sequence[TableEntry], sequences: Sequence[SequenceEntry] = ()) -> Manifest:
    """A manifest of these tables; it is not stored yet."""
    segments = [segment for each in tables for segment in each.segments]
    return Manifest(
        backup_id=str(uuid4()),
        vault_id=vault.id,
        name="Backup 22 Nov 2026, 19:40",
        description="",
        created_by="ada@example.org",
        created_at="2026-11-22T19:40:00+00:00",
        trigger="manual",
        server=ServerFacts("7312", 180000, "18.0", "app", 5, "UTF8", "C.UTF-8", "C"),
        pins=PINS,
        snapshot=SnapshotFacts("2026-11-22T19:40:00+00:00", "10:12:10", "10", "12", None),
        base_id=None,
        groups=[GroupEntry("Things", [each.qualified for each in tables])],
        tables=list(tables),
        sequences=list(sequences),
        totals=Totals(
            sum(each.rows for each in tables),
            len(tables),
            sum(each.raw_bytes for each in tables),
            1,
            len(segments),
            len(segments),
            len({chunk for segment in segments for chunk in segment.chunks}),
            0.5,
        ),
    )


def sequence(name: str = "things_id_seq", *, last_value: int = 41, is_called: bool = True) -> SequenceEntry:
    return SequenceEntry("public", name, last_value, is_called, 1, 1, 2**63 - 1, 1, False, None)


def _segment(vault: Vault, index: int, rows: bytes, limit: int) -> SegmentEntry:
    # As the product cuts: whole rows while they fit, a longer row anywhere.
    parts = [b""]
    for row in rows.splitlines(keepends=True):
        for start in range(0, len(row), limit):
            piece = row[start : start + limit]
            if parts[-1] and len(parts[-1]) + len(row) > limit:
                parts.append(b"")
            parts[-1] += piece
    chunks = [vault.put_chunk(part).id for part in parts if part]
    return SegmentEntry(index, index + 1, rows.count(b"\n"), len(rows), chunks)
