"""Squeeze and seal, and back: compression and sealing in the one order that is safe."""

from __future__ import annotations

from rxbackup.errors import Corrupt
from rxbackup.vault.compression import Buffer, compress, decompress
from rxbackup.vault.sealing import Codec, Label, ObjectType, VaultKeys, seal, unseal


def pack(plain: Buffer, object_type: ObjectType, object_id: bytes, keys: VaultKeys) -> tuple[Codec, bytes]:
    """How the plain bytes were squeezed, and the sealed object."""
    squeezed: Buffer = compress(plain)
    codec = Codec.ZSTD
    if len(squeezed) >= len(plain):
        squeezed, codec = plain, Codec.RAW
    return codec, _seal_checked(squeezed, Label(object_type, object_id, codec, len(plain)), keys)


def pack_difference(
    plain: Buffer, object_type: ObjectType, object_id: bytes, keys: VaultKeys, *, anchor: tuple[bytes, Buffer]
) -> bytes:
    """The sealed object, squeezed as a difference from the anchor (its id and plain bytes)."""
    anchor_id, prefix = anchor
    squeezed = compress(plain, prefix=prefix)
    return _seal_checked(squeezed, Label(object_type, object_id, Codec.DIFFERENCE, len(plain), anchor_id), keys)


def unpack(label: Label, content: Buffer, *, limit: int, prefix: Buffer | None = None) -> bytes:
    """The plain bytes of an unsealed object.

    Args:
        label: what the object says about itself, already authenticated.
        content: its squeezed bytes.
        limit: the most that may come out, whatever the label says.
        prefix: plain bytes of the label's anchor, for a difference.

    Raises:
        Corrupt: the content is not what the label promises.
    """
    if label.plain_bytes > limit:
        raise Corrupt(f"It claims to hold {label.plain_bytes} bytes; no more than {limit} are allowed.")
    if label.codec != Codec.RAW:
        return decompress(content, label.plain_bytes, prefix=prefix)
    if len(content) != label.plain_bytes:
        raise Corrupt("It does not have the length it was sealed with.")
    return bytes(content)


def _seal_checked(squeezed: Buffer, label: Label, keys: VaultKeys) -> bytes:
    """Seal, open again, compare: memory that flips bits is found before the write, not at the restore.

    AES-GCM opens gigabytes a second, so this costs a few per cent.
    """
    sealed = seal(squeezed, label, keys)
    if unseal(sealed, label.object_type, label.object_id, keys) != (label, squeezed):
        raise Corrupt("What was sealed does not open as what it was.", hint="Test this machine's memory.")
    return sealed
