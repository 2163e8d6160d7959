"""Digests of rows that stream by: of the whole stream, and of the rows whatever their order. Memory stays flat."""

from __future__ import annotations

import hashlib

from rxbackup.vault.compression import Buffer

_ROW_BYTES = 16
_MODULUS = 1 << (8 * _ROW_BYTES)


class StreamDigest:
    """The digest of bytes in their order, and how many rows ended in them."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=32)
        self.rows = 0
        self.length = 0

    def add(self, piece: Buffer, rows: int) -> None:
        """Go on with more bytes, in which so many rows end."""
        self._hash.update(piece)
        self.rows += rows
        self.length += len(piece)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StreamDigest) and self._hash.digest() == other._hash.digest()

    __hash__ = None  # type: ignore[assignment]


class RowsDigest:
    """A digest of rows that is the same in any order: the sum of the hashes of all rows, copies counted."""

    def __init__(self) -> None:
        self._sum = 0
        self._row = hashlib.blake2b(digest_size=_ROW_BYTES)

    def add(self, piece: Buffer) -> None:
        """Go on with more bytes. They may end within a row."""
        view = bytes(piece)
        start = 0
        while (end := view.find(b"\n", start) + 1) > 0:
            self._row.update(view[start:end])
            self._sum = (self._sum + int.from_bytes(self._row.digest(), "big")) % _MODULUS
            self._row = hashlib.blake2b(digest_size=_ROW_BYTES)
            start = end
        self._row.update(view[start:])

    @property
    def value(self) -> int:
        """The sum."""
        return self._sum
