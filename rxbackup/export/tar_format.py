"""The tar of an archive: POSIX ustar, regular files only, every header byte settled.

A header is good if it is the one that we would have written for its name, size and time: whatever else tar can say
(links, sparse files, longer names, owners, extensions) cannot be said here at all.
"""

from __future__ import annotations

import re
import tarfile

BLOCK_BYTES = 512
END = bytes(2 * BLOCK_BYTES)
"""What a tar ends with."""

_NAME = slice(0, 100)
_SIZE = slice(124, 136)
_TIME = slice(136, 148)
_OCTAL = re.compile(rb"[0-7]{11}\0")
_PLAIN_NAME = re.compile(rb"[a-z0-9][a-z0-9._/-]*", re.ASCII)


def header(name: str, size: int, modified_at: int) -> bytes:
    """The header of a member: 512 bytes. `modified_at` is in seconds since 1970."""
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, modified_at, 0o600
    return member.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def read_header(block: bytes) -> tuple[str, int, int] | None:
    """Name, size and time of a member, or None if the block is no header that we would have written."""
    name = block[_NAME].rstrip(b"\0")
    size, modified_at = block[_SIZE], block[_TIME]
    if not (_PLAIN_NAME.fullmatch(name) and _OCTAL.fullmatch(size) and _OCTAL.fullmatch(modified_at)):
        return None
    found = name.decode("ascii"), int(size[:-1], 8), int(modified_at[:-1], 8)
    return found if header(*found) == block else None


def padding(size: int) -> int:
    """How many zero bytes follow a member's content."""
    return -size % BLOCK_BYTES
