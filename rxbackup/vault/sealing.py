"""Sealing: what makes a stored object unreadable and unforgeable.

An object is a header of 128 bytes, big-endian, in clear but authenticated, then AES-256-GCM ciphertext and its tag:

    offset  size  field
         0     8  magic `rxbackup`
         8     1  format, 1
         9     1  suite, 1: AES-256-GCM under an HKDF-SHA256 subkey per object
        10     1  object type: 1 chunk, 2 manifest
        11     1  codec: 0 raw, 1 zstd, 2 zstd with the anchor as prefix
        12     4  zero
        16    16  vault id
        32     8  data key id
        40    32  object id: of a chunk its keyed BLAKE3, of a manifest the backup's uuid and zeros
        72     8  plain length in bytes
        80    32  anchor's chunk id, zeros without one
       112    12  nonce
       124     4  zero
       128        ciphertext, then 16 bytes of tag

All 128 bytes are the associated data, and the object's type and id go into its subkey: an object that is moved to
another name, another vault or another role does not open.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rxbackup.errors import Corrupt, RxbackupError

Buffer = bytes | bytearray | memoryview

MAGIC = b"rxbackup"
FORMAT = 1
SUITE = 1
HEADER_BYTES = 128
TAG_BYTES = 16
SMALLEST_OBJECT_BYTES = HEADER_BYTES + TAG_BYTES

_LAYOUT = struct.Struct(">8sBBBB4x16s8s32sQ32s12s4x")
_NO_ANCHOR = bytes(32)


class ObjectType(IntEnum):
    """What a sealed object is."""

    CHUNK = 1
    MANIFEST = 2


class Codec(IntEnum):
    """How the plain bytes were squeezed before sealing."""

    RAW = 0
    ZSTD = 1
    DIFFERENCE = 2

    @property
    def word(self) -> str:
        """The codec's name in the catalogue."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Label:
    """What an object says about itself, authenticated.

    Attributes:
        object_type: chunk or manifest.
        object_id: 32 bytes.
        codec: how the content was squeezed.
        plain_bytes: length before squeezing.
        anchor: chunk id that the content is a difference from, or None.
    """

    object_type: ObjectType
    object_id: bytes
    codec: Codec
    plain_bytes: int
    anchor: bytes | None = None


@dataclass(frozen=True, slots=True)
class VaultKeys:
    """The opened keys of one vault. Pickles for copy processes; prints nothing.

    Attributes:
        vault_id: 16 bytes.
        data_keys: by key id (8 bytes), every key that objects of the vault may be sealed with.
        current: id of the key that new objects are sealed with.
        id_key: the key of chunk ids.
    """

    vault_id: bytes
    data_keys: Mapping[bytes, bytes] = field(repr=False)
    current: bytes
    id_key: bytes = field(repr=False)

    def content_id(self, plain: Buffer) -> bytes:
        """The keyed BLAKE3 of plain bytes: without the key nobody can test a store for known content."""
        return blake3(plain, key=self.id_key).digest()


class NonceSource:
    """Random nonces, refusing a random generator that repeats itself."""

    def __init__(self, remembered: int = 4096) -> None:
        self._order: deque[bytes] = deque()
        self._seen: set[bytes] = set()
        self._remembered = remembered

    def draw(self) -> bytes:
        """Twelve random bytes. Raises `RxbackupError` if they were drawn before: the generator is stuck."""
        nonce = os.urandom(12)
        if nonce in self._seen:
            raise RxbackupError(
                "The random generator of this machine repeats itself; nothing was written.",
                hint="Do not trust this machine with keys. Restart it, and look at its kernel's random source.",
            )
        self._seen.add(nonce)
        self._order.append(nonce)
        if len(self._order) > self._remembered:
            self._seen.discard(self._order.popleft())
        return nonce


_nonces = NonceSource()


def seal(content: Buffer, label: Label, keys: VaultKeys) -> bytes:
    """The sealed object: header, ciphertext, tag."""
    nonce = _nonces.draw()
    header = _LAYOUT.pack(
        MAGIC,
        FORMAT,
        SUITE,
        label.object_type,
        label.codec,
        keys.vault_id,
        keys.current,
        label.object_id,
        label.plain_bytes,
        label.anchor or _NO_ANCHOR,
        nonce,
    )
    subkey = _subkey(keys.data_keys[keys.current], keys.vault_id, label.object_type, label.object_id)
    return b"".join((header, AESGCM(subkey).encrypt(nonce, content, header)))


def unseal(sealed: Buffer, object_type: ObjectType, object_id: bytes, keys: VaultKeys) -> tuple[Label, bytes]:
    """What is inside, still squeezed.

    Raises:
        Corrupt: not an object of this vault, not the one asked for, or not the bytes that were sealed.
    """
    if len(sealed) < SMALLEST_OBJECT_BYTES:
        raise Corrupt(f"It is {len(sealed)} bytes long; no sealed object is that short.")
    header = bytes(sealed[:HEADER_BYTES])
    magic, version, suite, kind, codec, vault_id, key_id, found_id, length, anchor, nonce = _LAYOUT.unpack(header)
    if magic != MAGIC:
        raise Corrupt("It does not begin as a sealed object does.")
    if (version, suite) != (FORMAT, SUITE):
        raise Corrupt(f"It is of format {version}, suite {suite}; this version of rxbackup reads 1, 1.")
    if vault_id != keys.vault_id:
        raise Corrupt("It belongs to another vault.")
    if kind != object_type or found_id != object_id:
        raise Corrupt("It is another object than its name says.")
    data_key = keys.data_keys.get(key_id)
    if data_key is None:
        raise Corrupt(f"It is sealed with the data key {key_id.hex()}, which this vault does not have.")
    if codec not in Codec._value2member_map_ or (codec == Codec.DIFFERENCE) != (anchor != _NO_ANCHOR):
        raise Corrupt("Its header contradicts itself.")
    subkey = _subkey(data_key, vault_id, object_type, object_id)
    try:
        content = AESGCM(subkey).decrypt(nonce, memoryview(sealed)[HEADER_BYTES:], header)
    except InvalidTag:
        raise Corrupt("Its authentication fails: stored bytes were changed.") from None
    label = Label(object_type, object_id, Codec(codec), length, anchor if codec == Codec.DIFFERENCE else None)
    return label, content


def peek(header: Buffer) -> tuple[int, bytes]:
    """Codec and anchor that a sealed object's header claims; nothing of it is authenticated."""
    _, _, _, _, codec, _, _, _, _, anchor, _ = _LAYOUT.unpack(header)
    return codec, anchor


def _subkey(data_key: bytes, vault_id: bytes, object_type: int, object_id: bytes) -> bytes:
    # A key per object keeps random 96-bit nonces far from their limit of 2^32 messages a key (SP 800-38D).
    information = b"rxbackup/1 object" + bytes([object_type]) + object_id
    return HKDF(SHA256(), 32, salt=vault_id, info=information).derive(data_key)
