"""Chunks that travel between the stores of one vault as they are: authenticated, never unpacked.

A difference means something only beside its anchor, so two rules hold. Anchors travel first. And where the receiving
store keeps a chunk as a difference from another anchor than the sender does, it is written again, whole and in its
place: then whoever counted on either anchor can read it, whatever happens to the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rxbackup.errors import ChunkMissing, Corrupt, ObjectNotFound
from rxbackup.vault.chunk_pool import ChunkPool, ChunkReceipt, object_name
from rxbackup.vault.packing import pack
from rxbackup.vault.sealing import Label, ObjectType


@dataclass(frozen=True, slots=True)
class SealedChunk:
    """A chunk as it rests in a store.

    Attributes:
        id: 64 hex digits.
        generation: which writing of the chunk it is, there.
        content: the sealed object.
        anchor: id of the chunk that it is a difference from, or None.
        plain_bytes: its length, unpacked.
        codec: raw, zstd or difference.
    """

    id: str
    generation: int
    content: bytes = field(repr=False)
    anchor: str | None
    plain_bytes: int
    codec: str


class TravellingPool(ChunkPool):
    """A chunk pool that also hands out and takes in sealed chunks."""

    def sealed(self, chunk: str) -> SealedChunk:
        """The first object of a chunk that authenticates. Raises `ChunkMissing`, `ChunkCorrupt`."""
        trouble: Corrupt | None = None
        for name in self._names(chunk):
            try:
                content = self._store.get(name)
                label = self._unsealed(chunk, content)[0]
            except ObjectNotFound:
                continue
            except Corrupt as error:
                trouble = trouble or error
                continue
            generation = int(name.rpartition("-")[2])
            return SealedChunk(chunk, generation, content, _anchor(label), label.plain_bytes, label.codec.word)
        raise trouble or ChunkMissing(f"The chunk {chunk[:12]} is not in the store.")

    def put_sealed(self, sealed: SealedChunk) -> ChunkReceipt:
        """Store a sealed chunk unless it is there, intact and leaning on nothing else. Its anchor must be there.

        Raises:
            ChunkCorrupt: the content is not an object of this vault, or not this chunk.
        """
        label = self._unsealed(sealed.id, sealed.content)[0]
        allowed = (None, _anchor(label))
        known = self._known.get(sealed.id)
        if known is not None and known.generation >= self._first(sealed.id) and known.anchor in allowed:
            return replace(known, is_new=False)
        generation = self._first(sealed.id)
        # What leans on nothing stays readable whatever became of its anchor's earlier generations.
        if generation > 0 and label.anchor is not None:
            return self._put_whole(sealed, generation)
        name = object_name(sealed.id, generation)
        if self._store.put(name, sealed.content, if_absent=True):
            return _receipt(sealed.id, label, len(sealed.content), name, generation, is_new=True)
        found = self._authentic(sealed.id, name)
        if found is None or _anchor(found[0]) not in allowed:
            return self._put_whole(sealed, generation)
        return _receipt(sealed.id, found[0], found[1], name, generation, is_new=False)

    def _authentic(self, chunk: str, name: str) -> tuple[Label, int] | None:
        try:
            content = self._store.get(name)
            return self._unsealed(chunk, content)[0], len(content)
        except (ObjectNotFound, Corrupt):
            return None

    def _put_whole(self, sealed: SealedChunk, generation: int) -> ChunkReceipt:
        key, plain = bytes.fromhex(sealed.id), self._opened(sealed.id, sealed.content)[1]
        codec, content = pack(plain, ObjectType.CHUNK, key, self._keys)
        name = object_name(sealed.id, generation)
        self._store.put(name, content)
        return ChunkReceipt(sealed.id, len(plain), len(content), codec.word, True, name, generation, None)


def _receipt(chunk: str, label: Label, size: int, name: str, generation: int, *, is_new: bool) -> ChunkReceipt:
    return ChunkReceipt(chunk, label.plain_bytes, size, label.codec.word, is_new, name, generation, _anchor(label))


def _anchor(label: Label) -> str | None:
    return None if label.anchor is None else label.anchor.hex()
