"""A whole backup as one file: its sealed objects as they are, in a plain tar.

`vault.json`, then chunks, an anchor always before the differences that lean on it, then the manifest, then a small end
mark that counts and hashes what came before. `tar x` of it makes a folder that is a local store. Nothing in it is
readable without the key, or the passphrase that it was made with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson

from rxbackup.errors import Corrupt
from rxbackup.export.tally import Tally
from rxbackup.export.tar_format import END, header, padding
from rxbackup.progress import ProgressSink, ignore_progress
from rxbackup.vault.chunking import CHUNK_BYTES
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.marker import MARKER
from rxbackup.vault.sealing import SMALLEST_OBJECT_BYTES
from rxbackup.vault.vault import Vault

FORMAT = "rxbackup-archive/1"
SUFFIX = "rxbackup"
MEDIA_TYPE = "application/x-tar"
END_MARK = "archive-end.json"

LARGEST_MARKER_BYTES = 256 * 1024
LARGEST_END_MARK_BYTES = 1024
LARGEST_CHUNK_OBJECT_BYTES = CHUNK_BYTES + SMALLEST_OBJECT_BYTES
"""A chunk is kept raw where compressing it would make it longer."""


@dataclass(frozen=True, slots=True)
class EndMark:
    """What the last member says of those before it.

    Attributes:
        format: `rxbackup-archive/1`.
        backup_id: the one backup that the archive holds.
        objects: members before this one.
        bytes: length of the tar before this member's header.
        sha256: of those bytes, in hex.
    """

    format: str
    backup_id: str
    objects: int
    bytes: int
    sha256: str


def write_archive(
    vault: Vault, manifest: Manifest, *, marker: bytes | None = None, on_progress: ProgressSink = ignore_progress
) -> Iterator[bytes]:
    """The archive, in pieces. Memory stays flat: a chunk and its anchor.

    Args:
        vault: where the backup is.
        manifest: of the backup.
        marker: the `vault.json` to put in, by default the vault's own (see `Vault.marker_for_archive`).
        on_progress: told after every segment.

    Raises:
        Corrupt: an object is missing or damaged; the archive then lacks its end and is no archive.
        StoreTrouble: the store cannot be read.
    """
    tar = _Tar(int(datetime.fromisoformat(manifest.created_at).timestamp()))
    yield from tar.member(MARKER, vault.marker_for_archive() if marker is None else marker)
    tally = Tally("Writing the archive", manifest, on_progress)
    written: set[str] = set()
    for table in manifest.tables:
        for segment in table.segments:
            for chunk in segment.chunks:
                yield from _chunk(vault, chunk, tar, written)
            tally.segment_done(segment)
        tally.table_done()
    yield from tar.member(f"manifests/{manifest.backup_id}", vault.sealed_manifest(manifest.backup_id))
    yield from tar.end(manifest.backup_id)


def _chunk(vault: Vault, chunk: str, tar: _Tar, written: set[str]) -> Iterator[bytes]:
    if chunk in written:
        return
    sealed = vault.sealed_chunk(chunk)
    if sealed.anchor is not None and sealed.anchor not in written:
        anchor = vault.sealed_chunk(sealed.anchor)
        if anchor.anchor is not None:
            raise Corrupt(f"The chunk {anchor.id[:12]} should be whole but is a difference.")
        written.add(anchor.id)
        yield from tar.member(_object_name(anchor.id, anchor.generation), anchor.content)
    written.add(chunk)
    yield from tar.member(_object_name(chunk, sealed.generation), sealed.content)


def _object_name(chunk: str, generation: int) -> str:
    return f"chunks/{chunk[:2]}/{chunk}-{generation}"


class _Tar:
    """Writes members and remembers what the end mark says."""

    def __init__(self, modified_at: int) -> None:
        # Times before 1970 and after 2242 have no place in a header; they are for people only.
        self._modified_at = min(max(modified_at, 0), 0o77777777777)
        self._digest = hashlib.sha256()
        self._bytes = self._objects = 0

    def member(self, name: str, content: bytes) -> Iterator[bytes]:
        """The bytes of one more member."""
        for piece in (header(name, len(content), self._modified_at), content, bytes(padding(len(content)))):
            self._digest.update(piece)
            self._bytes += len(piece)
            yield piece
        self._objects += 1

    def end(self, backup_id: str) -> Iterator[bytes]:
        """The end mark, and the end of the tar."""
        mark = orjson.dumps(
            {
                "format": FORMAT,
                "backup_id": backup_id,
                "objects": self._objects,
                "bytes": self._bytes,
                "sha256": self._digest.hexdigest(),
            }
        )
        yield from self.member(END_MARK, mark)
        yield END
