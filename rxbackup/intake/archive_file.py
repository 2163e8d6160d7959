"""An archive on disk: its outside checked before anything inside is believed, then read like a store.

The first pass reads every byte once: each header must be one that we would have written, names and sizes within
bounds, anchors before differences, the end mark true to the hash of all before it, and nothing behind it. No member is
ever written to a path.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO
from uuid import UUID

from rxbackup.errors import FileCorrupt, ObjectNotFound, StoreNotWritable
from rxbackup.export.archive import (
    END_MARK,
    FORMAT,
    LARGEST_CHUNK_OBJECT_BYTES,
    LARGEST_END_MARK_BYTES,
    LARGEST_MARKER_BYTES,
    EndMark,
)
from rxbackup.export.tar_format import BLOCK_BYTES, END, padding, read_header
from rxbackup.intake.limits import MOST_MANIFEST_BYTES, MOST_OBJECTS
from rxbackup.intake.strict_head import loads
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.stores.base import StoredObject, StoreRecipe
from rxbackup.vault.marker import MARKER
from rxbackup.vault.sealing import HEADER_BYTES, SMALLEST_OBJECT_BYTES, Codec, peek
from rxbackup.vault.strict_json import decode

_CHUNK = re.compile(r"chunks/([0-9a-f]{2})/(\1[0-9a-f]{62})-(0|[1-9][0-9]{0,8})")
_MANIFEST = re.compile(r"manifests/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_PIECE_BYTES = 1 << 20
_SIZE_BITS = 32
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(slots=True)
class _Contents:
    """What the first pass found. A place is where an object begins, and its length, in one number."""

    marker: bytes = b""
    backup_id: str = ""
    manifest: tuple[int, int] = (0, 0)
    places: dict[bytes, int] = field(default_factory=dict)
    anchors: set[bytes] = field(default_factory=set)
    modified_at: datetime = _LONG_AGO


class ArchiveFile:
    """A checked archive. Make one by `check`; it answers as a store that nobody can write to."""

    kind = "archive"

    def __init__(self, file: BinaryIO, contents: _Contents) -> None:
        self._file = file
        self._contents = contents

    @classmethod
    def check(cls, file: BinaryIO, *, on_progress: ProgressSink = ignore_progress) -> ArchiveFile:
        """Read the whole file once and believe its outside, or raise.

        Raises:
            FileCorrupt: it is cut short, changed, or says what no archive of ours says.
        """
        return cls(file, _Scan(file, on_progress).run())

    @property
    def marker(self) -> bytes:
        """The `vault.json` in it."""
        return self._contents.marker

    @property
    def backup_id(self) -> str:
        """Of the one backup in it."""
        return self._contents.backup_id

    @property
    def chunks(self) -> Iterator[str]:
        """Ids of the chunks, an anchor always before what leans on it."""
        return (chunk.hex() for chunk in self._contents.places)

    def holds_just(self, chunks: AbstractSet[str]) -> bool:
        """Whether these chunks are in it, and besides them only anchors."""
        places, anchors = self._contents.places, self._contents.anchors
        wanted = {bytes.fromhex(chunk) for chunk in chunks}
        return wanted <= places.keys() and all(chunk in wanted or chunk in anchors for chunk in places)

    def describe(self) -> str:
        """For people."""
        return "archive file"

    def recipe(self) -> StoreRecipe:
        """An open file stays in its process."""
        raise StoreNotWritable("An archive file cannot be opened again by its recipe.")

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        """Refused."""
        del content, if_absent
        raise StoreNotWritable(f"An archive is not written to ({name}).")

    def get(self, name: str) -> bytes:
        """The object of that name; each chunk has one object, whatever its generation was."""
        if name == MARKER:
            return self.marker
        start, size = self._place(name) or (0, 0)
        if not size:
            raise ObjectNotFound(f"The archive does not hold {name}.")
        self._file.seek(start)
        content = self._file.read(size)
        if len(content) != size:
            raise FileCorrupt("The file became shorter while it was read.")
        return content

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects, sorted by name."""
        if found := self.stat(f"{prefix}0" if prefix.startswith("chunks/") and prefix.endswith("-") else prefix):
            yield found
            return
        names = [MARKER, f"manifests/{self.backup_id}", *(f"chunks/{c[:2]}/{c}-0" for c in self.chunks)]
        for name in sorted(name for name in names if name.startswith(prefix)):
            if found := self.stat(name):
                yield found

    def stat(self, name: str) -> StoredObject | None:
        """What is known about the object."""
        place = (0, len(self.marker)) if name == MARKER else self._place(name)
        return place and StoredObject(name, place[1], self._contents.modified_at)

    def delete(self, name: str) -> None:
        """Refused."""
        raise StoreNotWritable(f"Nothing is deleted from an archive ({name}).")

    def close(self) -> None:
        """The file belongs to who opened it."""

    def _place(self, name: str) -> tuple[int, int] | None:
        if found := _CHUNK.fullmatch(name):
            packed = self._contents.places.get(bytes.fromhex(found[2])) if found[3] == "0" else None
            return None if packed is None else (packed >> _SIZE_BITS, packed & ((1 << _SIZE_BITS) - 1))
        return self._contents.manifest if name == f"manifests/{self.backup_id}" else None


def read_marker(file: BinaryIO) -> bytes:
    """The `vault.json` of an archive whose end is there; nothing else of it is looked at.

    Raises:
        FileCorrupt: it does not begin or not end as an archive does.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - len(END)))
    if size % BLOCK_BYTES or file.read() != END:
        raise FileCorrupt("The file is cut short: it does not end as an archive does.")
    return _Scan(file, ignore_progress).marker()


class _Scan:
    """The first pass."""

    def __init__(self, file: BinaryIO, on_progress: ProgressSink) -> None:
        self._found = _Contents()
        self._file = file
        self._on_progress = on_progress
        self._digest = hashlib.sha256()
        self._total = os.fstat(file.fileno()).st_size
        self._at = 0
        self._objects = 0

    def run(self) -> _Contents:
        self._found.marker = self.marker()
        while True:
            before, digest = self._at, self._digest.hexdigest()
            name, size = self._header(None)
            if found := _CHUNK.fullmatch(name):
                self._chunk(bytes.fromhex(found[2]), size)
            elif found := _MANIFEST.fullmatch(name):
                self._manifest(found[1], size)
            elif name == END_MARK and self._found.backup_id and size <= LARGEST_END_MARK_BYTES:
                self._end(self._whole(name, size), before, digest)
                return self._found
            else:
                raise FileCorrupt(f"The archive holds {name[:100]!r}, which has no place in it.")

    def marker(self) -> bytes:
        self._file.seek(0)
        return self._whole(*self._header({MARKER: LARGEST_MARKER_BYTES}))

    def _header(self, wanted: dict[str, int] | None) -> tuple[str, int]:
        found = read_header(self._read(BLOCK_BYTES))
        if found is None:
            raise FileCorrupt("The archive holds something that is no member of an archive of rxbackup.")
        name, size, modified_at = found
        if wanted is not None and size > wanted.get(name, -1):
            raise FileCorrupt("The archive does not begin as one of rxbackup does.")
        if self._found.backup_id and name != END_MARK:
            raise FileCorrupt("The archive goes on behind its manifest.")
        self._found.modified_at = datetime.fromtimestamp(modified_at, UTC)
        self._objects += 1
        if self._objects > MOST_OBJECTS:
            raise FileCorrupt(f"The archive holds more than {MOST_OBJECTS} objects.")
        return name, size

    def _chunk(self, chunk: bytes, size: int) -> None:
        found = self._found
        if chunk in found.places:
            raise FileCorrupt(f"The archive holds the chunk {chunk.hex()[:12]} twice.")
        if not SMALLEST_OBJECT_BYTES <= size <= LARGEST_CHUNK_OBJECT_BYTES:
            raise FileCorrupt(f"The chunk {chunk.hex()[:12]} claims to be {size} bytes long.")
        start = self._at
        codec, anchor = peek(self._read(HEADER_BYTES))
        if codec == Codec.DIFFERENCE:
            if anchor not in found.places:
                raise FileCorrupt(f"The chunk {chunk.hex()[:12]} comes before its anchor.")
            found.anchors.add(anchor)
        self._skip(size - HEADER_BYTES + padding(size))
        found.places[chunk] = start << _SIZE_BITS | size

    def _manifest(self, backup_id: str, size: int) -> None:
        if not SMALLEST_OBJECT_BYTES <= size <= MOST_MANIFEST_BYTES:
            raise FileCorrupt(f"The manifest claims to be {size} bytes long.")
        self._found.backup_id = str(UUID(backup_id))
        self._found.manifest = (self._at, size)
        self._skip(size + padding(size))

    def _end(self, content: bytes, before: int, digest: str) -> None:
        try:
            said = loads(content)
            if isinstance(said, dict) and said.get("format") != FORMAT:
                raise FileCorrupt(
                    f"The archive is of format {str(said.get('format'))[:50]!r}; this version reads {FORMAT}.",
                    hint="Install the newer version of rxbackup that made it.",
                )
            mark = decode(EndMark, said)
        except ValueError as error:
            raise FileCorrupt("The end mark of the archive is damaged.") from error
        if mark != EndMark(FORMAT, self._found.backup_id, self._objects - 1, before, digest):
            raise FileCorrupt("The archive was changed since it was written: its end does not fit what comes before.")
        if self._read(len(END)) != END or self._file.read(1):
            raise FileCorrupt("The archive does not end where it should.")

    def _whole(self, name: str, size: int) -> bytes:
        del name
        content = self._read(size)
        self._skip(padding(size), zero=True)
        return content

    def _skip(self, size: int, *, zero: bool = False) -> None:
        while size:
            piece = self._read(min(size, _PIECE_BYTES))
            size -= len(piece)
            if zero and piece.strip(b"\0"):
                raise FileCorrupt("The archive holds bytes where there should be none.")
        self._on_progress(Progress("Checking the file", bytes_done=self._at, bytes_total=self._total))

    def _read(self, size: int) -> bytes:
        piece = self._file.read(size)
        if len(piece) != size:
            raise FileCorrupt("The file is cut short: it ends in the middle of the archive.")
        self._digest.update(piece)
        self._at += size
        return piece
