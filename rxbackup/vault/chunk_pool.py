"""The chunks of a vault: each stored once, under the keyed hash of its content.

Object names: `chunks/<first 2 hex>/<chunk id>-<generation>`. A chunk that was collected and comes back is written
as a new generation, so that a late deletion of the old object cannot take the new one with it. Every generation holds
the same bytes; whoever reads takes any that is intact. Only generation 0 may be a difference: whatever replaces an
object is kept whole, because backups that need the chunk already know nothing of a new anchor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from rxbackup.errors import ChunkCorrupt, ChunkMissing, Corrupt, ObjectNotFound, UsageError
from rxbackup.stores.base import Store, StoredObject
from rxbackup.vault.chunking import CHUNK_BYTES
from rxbackup.vault.compression import Buffer
from rxbackup.vault.packing import pack, pack_difference, unpack
from rxbackup.vault.sealing import SMALLEST_OBJECT_BYTES, Codec, Label, ObjectType, VaultKeys, unseal

_ID = re.compile(r"[0-9a-f]{64}")

_SAMPLE = 16
"""One of so many new chunks is opened completely before it is written; all are unsealed and compared."""


_LISTING_PAYS_FROM = 100
"""More chunks than these are looked for in one listing."""


@dataclass(frozen=True, slots=True)
class ChunkReceipt:
    """What became of a chunk.

    Attributes:
        id: 64 hex digits.
        plain_bytes: its length.
        stored_bytes: length of the sealed object.
        codec: raw, zstd or difference.
        is_new: whether this call stored it.
        object_name: where it is in the store.
        generation: which writing of this chunk the object is.
        anchor: id of the chunk that it is a difference from, or None.
    """

    id: str
    plain_bytes: int
    stored_bytes: int
    codec: str
    is_new: bool
    object_name: str
    generation: int = 0
    anchor: str | None = None


class ChunkPool:
    """Puts, gets and looks for chunks.

    Args:
        store: where they are.
        keys: of the vault.
        known: receipts by id that are trusted: these chunks are not looked for. Nothing is remembered beyond them,
            because a memory that outlives a collection promises chunks that are gone.
        retired: chunk id → generation up to which its objects may vanish at any moment: nothing is leaned on them.
    """

    def __init__(
        self,
        store: Store,
        keys: VaultKeys,
        known: Mapping[str, ChunkReceipt] | None = None,
        retired: Mapping[str, int] | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._known = known or {}
        self._retired = retired or {}
        self._written = 0

    def put(self, plain: Buffer, *, anchor: str | None = None) -> ChunkReceipt:
        """Store a chunk unless it is there, intact."""
        if len(plain) > CHUNK_BYTES:
            raise UsageError(f"A chunk of {len(plain)} bytes is too long.")
        key = self._keys.content_id(plain)
        chunk = key.hex()
        known = self._known.get(chunk)
        if known is not None and known.generation >= self._first(chunk):
            return replace(known, is_new=False)
        return self._found_intact(chunk) or self._write(key, plain, anchor)

    def get(self, chunk: str) -> bytes:
        """The plain bytes, from any generation that is intact. Raises `ChunkMissing`, `ChunkCorrupt`."""
        return self._intact(chunk)[1]

    def size(self, chunk: str) -> int:
        """Stored bytes, without reading them. Raises `ChunkMissing`, `ChunkCorrupt` (too short)."""
        found = self._store.stat(object_name(chunk, 0))
        if found is None or found.size < SMALLEST_OBJECT_BYTES:
            found = next((o for o in self._later(chunk) if o.size >= SMALLEST_OBJECT_BYTES), found)
        if found is None:
            raise _missing(chunk)
        if found.size < SMALLEST_OBJECT_BYTES:
            raise ChunkCorrupt(f"The chunk {chunk[:12]} is cut short: {found.size} bytes are left of it.")
        return found.size

    def missing(self, wanted: AbstractSet[str]) -> set[str]:
        """Those that are not there, cut short, or may be collected at any moment. None is read."""
        if len(wanted) <= _LISTING_PAYS_FROM:
            return {chunk for chunk in wanted if not self._is_there(chunk)}
        return set(wanted) - {
            chunk
            for chunk, generation, found in self.objects()
            if generation >= self._first(chunk) and found.size >= SMALLEST_OBJECT_BYTES
        }

    def _is_there(self, chunk: str) -> bool:
        found = self._store.stat(object_name(chunk, self._first(chunk)))
        return found is not None and found.size >= SMALLEST_OBJECT_BYTES

    def is_intact(self, chunk: str, generation: int) -> bool:
        """Whether this very object of a chunk opens, and holds what it should."""
        try:
            self._opened(chunk, self._store.get(object_name(chunk, generation)))
        except (ObjectNotFound, Corrupt):
            return False
        return True

    def delete(self, chunk: str, generation: int) -> None:
        """Remove one object of a chunk; nothing happens if it is gone."""
        self._store.delete(object_name(chunk, generation))

    def objects(self) -> Iterator[tuple[str, int, StoredObject]]:
        """Every stored chunk: id, generation, object."""
        for found in self._store.list("chunks/"):
            chunk, _, generation = found.name.rpartition("/")[2].partition("-")
            if _is_id(chunk) and generation.isdecimal():
                yield chunk, int(generation), found

    def _first(self, chunk: str) -> int:
        """The first generation that is not retired."""
        return self._retired.get(chunk, -1) + 1

    def _found_intact(self, chunk: str) -> ChunkReceipt | None:
        """The receipt of a stored chunk that nobody vouches for: it is opened, not just seen.

        Leaning on a torn object would make this backup unreadable; None lets it be written again.
        """
        generation = self._first(chunk)
        name = object_name(chunk, generation)
        if self._store.stat(name) is None:
            return None
        try:
            sealed = self._store.get(name)
            label, plain = self._opened(chunk, sealed)
        except (ObjectNotFound, Corrupt):
            return None
        anchor = None if label.anchor is None else label.anchor.hex()
        if anchor is not None and (generation > 0 or anchor in self._retired):
            return None
        return ChunkReceipt(chunk, len(plain), len(sealed), label.codec.word, False, name, generation, anchor)

    def _write(self, key: bytes, plain: Buffer, anchor: str | None) -> ChunkReceipt:
        chunk = key.hex()
        generation = self._first(chunk)
        name = object_name(chunk, generation)
        codec, sealed, leaning = self._sealed(key, plain, anchor if generation == 0 else None)
        is_new = self._store.put(name, sealed, if_absent=True)
        if not is_new:
            found = self._found_intact(chunk)
            if found is not None:
                return found
            if leaning is not None:
                codec, sealed, leaning = self._sealed(key, plain, None)
            self._store.put(name, sealed)
        return ChunkReceipt(chunk, len(plain), len(sealed), codec.word, True, name, generation, leaning)

    def _sealed(self, key: bytes, plain: Buffer, anchor: str | None) -> tuple[Codec, bytes, str | None]:
        """How it is squeezed, the sealed object, and the id of the anchor that it leans on."""
        codec, sealed, leaning = self._packed(key, plain, anchor)
        # What changed in memory since it was hashed would be stored under a name that it does not deserve.
        if self._keys.content_id(plain) != key:
            raise Corrupt("A chunk changed in memory while it was stored.", hint="Test this machine's memory.")
        if self._written % _SAMPLE == 0:
            self._opened(key.hex(), sealed)
        self._written += 1
        return codec, sealed, leaning

    def _packed(self, key: bytes, plain: Buffer, anchor: str | None) -> tuple[Codec, bytes, str | None]:
        whole = None if anchor is None else self._anchor(anchor)
        if whole is not None:
            leaning, prefix, whole_bytes = whole
            sealed = pack_difference(plain, ObjectType.CHUNK, key, self._keys, anchor=(bytes.fromhex(leaning), prefix))
            # The anchor's own size stands for that of this chunk kept whole: they are alike, or this is large anyway.
            if len(sealed) * 2 <= whole_bytes:
                return Codec.DIFFERENCE, sealed, leaning
        codec, sealed = pack(plain, ObjectType.CHUNK, key, self._keys)
        return codec, sealed, None

    def _anchor(self, chunk: str) -> tuple[str, bytes, int] | None:
        """Id, plain bytes and stored bytes of the chunk kept whole that `chunk` is or leans on; None if it is damaged.

        Only generations that are not retired count: what an older one leaned on may be gone tomorrow.
        """
        try:
            sealed = self._store.get(object_name(chunk, self._first(chunk)))
            label = self._unsealed(chunk, sealed)[0]
            if label.anchor is not None:
                chunk = label.anchor.hex()
                sealed = self._store.get(object_name(chunk, self._first(chunk)))
            return chunk, self._opened(chunk, sealed, may_lean=False)[1], len(sealed)
        except (ObjectNotFound, Corrupt):
            return None

    def _opened(self, chunk: str, sealed: Buffer, *, may_lean: bool = True) -> tuple[Label, bytes]:
        """Authenticate, unpack within bounds, compare length and hash."""
        label, content = self._unsealed(chunk, sealed)
        prefix = None
        if label.anchor is not None:
            if not may_lean:
                raise ChunkCorrupt(f"The chunk {chunk[:12]} should be whole but is a difference.")
            prefix = self._intact(label.anchor.hex(), may_lean=False)[1]
        try:
            plain = unpack(label, content, limit=CHUNK_BYTES, prefix=prefix)
        except Corrupt as error:
            raise _corrupt(chunk, error) from error
        # GCM does not commit to its key, and a difference may lean on wrong bytes: the hash has the last word.
        if self._keys.content_id(plain).hex() != chunk:
            raise ChunkCorrupt(f"The chunk {chunk[:12]} does not hold what its name says.")
        return label, plain

    def _unsealed(self, chunk: str, sealed: Buffer) -> tuple[Label, bytes]:
        try:
            return unseal(sealed, ObjectType.CHUNK, bytes.fromhex(chunk), self._keys)
        except Corrupt as error:
            raise _corrupt(chunk, error) from error

    def _intact(self, chunk: str, *, may_lean: bool = True) -> tuple[Label, bytes]:
        """What the first generation that is intact holds; 0 is the common case and is tried without asking."""
        trouble: Corrupt | None = None
        for name in self._names(chunk):
            try:
                return self._opened(chunk, self._store.get(name), may_lean=may_lean)
            except ObjectNotFound:
                continue
            except Corrupt as error:
                trouble = trouble or error
        raise trouble or _missing(chunk)

    def _names(self, chunk: str) -> Iterator[str]:
        yield object_name(chunk, 0)
        yield from (found.name for found in self._later(chunk))

    def _later(self, chunk: str) -> list[StoredObject]:
        """The objects of generation 1 and up, the newest first."""
        found = [each for each in self._store.list(object_name(chunk, None)) if _generation(each.name) > 0]
        return sorted(found, key=lambda each: _generation(each.name), reverse=True)


def object_name(chunk: str, generation: int | None) -> str:
    """Where a chunk is; what all its names begin with, for None. Raises `UsageError` if it is no chunk id."""
    if not _is_id(chunk):
        raise UsageError(f"{chunk[:80]!r} is no chunk id.")
    return f"chunks/{chunk[:2]}/{chunk}-{'' if generation is None else generation}"


def _generation(name: str) -> int:
    text = name.rpartition("-")[2]
    return int(text) if text.isdecimal() else -1


def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def _missing(chunk: str) -> ChunkMissing:
    return ChunkMissing(f"The chunk {chunk[:12]} is not in the store.")


def _corrupt(chunk: str, error: Corrupt) -> ChunkCorrupt:
    return ChunkCorrupt(f"The chunk {chunk[:12]} cannot be used. {error.message}")
