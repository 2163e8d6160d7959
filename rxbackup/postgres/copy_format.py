r"""PostgreSQL's COPY text format, as bytes and nothing more.

A row is its fields joined by tabs and ended by a newline; `\N` is NULL. Inside a field, backslash, tab, newline,
carriage return, backspace, form feed and vertical tab are written with a backslash, so a raw tab or newline always
separates. Values stay what PostgreSQL printed: nothing here knows a type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

NULL = rb"\N"

_ESCAPED = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))", re.DOTALL)
_NAMED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_SPECIAL = re.compile(rb"[\b\f\n\r\t\v\\]")
_ESCAPES = {value: b"\\" + name for name, value in _NAMED.items()} | {b"\\": rb"\\"}


def split_row(line: bytes) -> list[bytes | None]:
    """The values of one row, NULL as None. A newline at its end is ignored.

    A row of a table without columns is an empty line and cannot be told from one empty value.
    """
    return [None if field == NULL else unescape(field) for field in line.removesuffix(b"\n").split(b"\t")]


def join_row(values: Iterable[bytes | None]) -> bytes:
    """The row of these values, ended by a newline."""
    return b"\t".join([NULL if value is None else escape(value) for value in values]) + b"\n"


def unescape(field: bytes) -> bytes:
    """The value of a field that is not NULL, as `COPY FROM` reads it."""
    return _ESCAPED.sub(_meant, field) if b"\\" in field else field


def escape(value: bytes) -> bytes:
    """The field of a value, as `COPY TO` writes it."""
    return _SPECIAL.sub(_escaped, value)


def _meant(found: re.Match[bytes]) -> bytes:
    octal, hexadecimal, other = found.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    return _NAMED.get(other, other)


def _escaped(found: re.Match[bytes]) -> bytes:
    return _ESCAPES[found[0]]
