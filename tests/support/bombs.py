"""Archives made with malice by somebody whose own key seals them: authentic, and still not to be believed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import orjson

from rxbackup.export.archive import FORMAT
from rxbackup.export.tar_format import END, header, padding
from rxbackup.vault.compression import compress
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.sealing import Codec, Label, ObjectType, seal
from rxbackup.vault.vault import Vault
from tests.support.imports import BACKUP_ID, PHRASE, small_backup
from tests.support.vaults import new_vault

MIB = 1 << 20
_OBJECT_ID = bytes.fromhex(BACKUP_ID.replace("-", "")).ljust(32, b"\0")


def archive(vault: Vault, chunks: Mapping[str, bytes], manifest: bytes) -> bytes:
    """An archive of these sealed objects, with an end mark that is true."""
    members = [("vault.json", vault.marker_for_archive(PHRASE))]
    members += [(f"chunks/{chunk[:2]}/{chunk}-0", sealed) for chunk, sealed in chunks.items()]
    members.append((f"manifests/{BACKUP_ID}", manifest))
    body = b"".join(header(name, len(c), 0) + c + bytes(padding(len(c))) for name, c in members)
    mark = orjson.dumps(
        {
            "format": FORMAT,
            "backup_id": BACKUP_ID,
            "objects": len(members),
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
    )
    return body + header("archive-end.json", len(mark), 0) + mark + bytes(padding(len(mark))) + END


def sealed_manifest(vault: Vault, text: bytes, *, says: int | None = None) -> bytes:
    """A manifest of this text, authentic; `says` is the length that it claims."""
    label = Label(ObjectType.MANIFEST, _OBJECT_ID, Codec.ZSTD, len(text) if says is None else says)
    return seal(compress(text), label, vault._keys)


def changed(change: Callable[[Vault, Manifest], Manifest]) -> bytes:
    """The small backup with another manifest."""
    vault = new_vault()
    made = small_backup(vault)
    after = change(vault, made)
    anchors = set((after.leans or {}).values())
    there = {chunk for chunk, _, _ in vault.chunk_objects()}
    wanted = [chunk for chunk in (*anchors, *(after.chunk_ids() - anchors)) if chunk in there]
    chunks = {chunk: vault.sealed_chunk(chunk).content for chunk in wanted}
    return archive(vault, chunks, sealed_manifest(vault, after.to_json()))


def _of_text(text: bytes, says: int | None = None) -> bytes:
    vault = new_vault()
    return archive(vault, {}, sealed_manifest(vault, text, says=says))


def _with_chunk(plain: bytes, says: int) -> bytes:
    """A backup whose one chunk is squeezed very small, and says that it is `says` bytes long."""
    vault = new_vault()
    made = small_backup(vault)
    key = vault._keys.content_id(plain)
    sealed = seal(compress(plain), Label(ObjectType.CHUNK, key, Codec.ZSTD, says), vault._keys)
    segment = replace(made.tables[0].segments[0], chunks=[key.hex()], raw_bytes=says, rows=1)
    table = replace(made.tables[0], segments=[segment], raw_bytes=says, rows=1)
    totals = replace(made.totals, rows=1, raw_bytes=says, tables=1)
    other = replace(made, tables=[table], sequences=[], leans={}, totals=totals)
    return archive(vault, {key.hex(): sealed}, sealed_manifest(vault, other.to_json()))


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "manifest of lists": lambda: _of_text(b"[" + b"[]," * (9 * MIB) + b"[]]"),
    "manifest of zeros": lambda: _of_text(bytes(30 * MIB), says=1 << 40),
    "chunk of zeros": lambda: _with_chunk(bytes(8 * MIB), 8 * MIB),
    "chunk that lies": lambda: _with_chunk(bytes(64 * MIB), 8 * MIB),
}
