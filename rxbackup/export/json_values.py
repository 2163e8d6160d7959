r"""COPY fields as JSON values, without ever making them numbers or dates.

What PostgreSQL printed is kept to the digit: numbers become JSON numbers by being copied, strings by being quoted.
COPY's `\n`, `\t`, `\r`, `\b`, `\f` and `\\` mean the same in JSON, so most strings need no change at all.
`json_reading` is the way back.
"""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum

import orjson

from rxbackup.postgres.copy_format import NULL, unescape

Converter = Callable[[bytes], bytes]

WINDOW_BYTES = 1 << 20


class ValueKind(Enum):
    """How a column's values look in JSON."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DOCUMENT = "document"
    TEXT = "text"


_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_NUMBERS = re.compile(r"numeric(\(\d+,-?\d+\))?|real|double precision")
_DOCUMENTS = frozenset({"json", "jsonb"})

_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n"))
_CONTROL = re.compile(rb"[\x00-\x1f]")
_PAIR = re.compile(rb"\\.", re.DOTALL)
_FIRST_KEY = re.compile(rb'\{[ \t\r\n]*("(?:[^"\\]|\\.)*")', re.DOTALL)
_SPACE = b" \t\r\n"
_BLANK = 0x20

INTEGERS: Mapping[bytes, bytes] = {NULL: b"null"}
NUMBERS: Mapping[bytes, bytes] = {
    NULL: b"null",
    b"NaN": b'"NaN"',
    b"Infinity": b'"Infinity"',
    b"-Infinity": b'"-Infinity"',
}
BOOLEANS: Mapping[bytes, bytes] = {NULL: b"null", b"t": b"true", b"f": b"false"}


def kind_of(column_type: str) -> ValueKind:
    """The kind for a type as `format_type()` writes it; a domain, an array or an unknown type is text."""
    if column_type in _INTEGERS:
        return ValueKind.INTEGER
    if _NUMBERS.fullmatch(column_type):
        return ValueKind.NUMBER
    if column_type == "boolean":
        return ValueKind.BOOLEAN
    return ValueKind.DOCUMENT if column_type in _DOCUMENTS else ValueKind.TEXT


def is_plain(rows: bytes | bytearray) -> bool:
    """Whether rows are UTF-8 without control characters other than the tabs and newlines between values."""
    return not _has_controls(rows) and (rows.isascii() or is_utf8(rows))


def is_utf8(value: bytes | bytearray | memoryview) -> bool:
    """Whether the bytes are UTF-8, decided without holding them decoded."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(value)
    try:
        for start in range(0, len(view), WINDOW_BYTES):
            decoder.decode(view[start : start + WINDOW_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def plain_text(field: bytes) -> bytes:
    """The JSON string of a field from rows that are `is_plain`."""
    # Called for most values of most exports: the common case is decided by two searches.
    if b"\\" in field:
        if field == NULL:
            return b"null"
        return b'"' + _escaped_plain(field) + b'"'
    if b'"' in field:
        field = field.replace(b'"', b'\\"')
    return b'"' + field + b'"'


def any_text(field: bytes) -> bytes:
    """The JSON string of any field; bytes that are no UTF-8 become `{"$bytes": base64}`."""
    if field == NULL:
        return b"null"
    return b'"%b"' % escaped_piece(field) if is_utf8(field) else wrapped_bytes(field)


def document(field: bytes) -> bytes:
    """A json or jsonb value as it is, wrapped as `{"$json": value}` where it could be mistaken."""
    if not field.isascii() and not is_utf8(field):
        return wrapped_bytes(field)
    return plain_document(field)


def plain_document(field: bytes) -> bytes:
    """The same for a field that is UTF-8."""
    value = field
    if b"\\" in field:
        if field == NULL:
            return b"null"
        value = unescape(field)
    # Nothing can be mistaken without a `$` or an escape in a key, an outer blank, or being null itself.
    if b'"$' in value or b"\\u00" in value or value[0] <= _BLANK or value[-1] <= _BLANK or value == b"null":
        return b'{"$json":%b}' % value if must_be_wrapped(value[:WINDOW_BYTES], value[-1:]) else value
    return value


def must_be_wrapped(head: bytes, last: bytes) -> bool:
    """Whether a json value needs `{"$json": …}` around it, by its beginning and its last byte.

    A json null would be SQL's NULL; outer blanks would be lost; an object that looks like a wrapper would be
    taken for one.
    """
    if head == b"null" or head[:1] in _SPACE or last in _SPACE:
        return True
    key = _FIRST_KEY.match(head)
    if key is None:
        # An object whose first key does not even end within the head is no wrapper of ours.
        return False
    try:
        return orjson.loads(key[1]) in ("$json", "$bytes")
    except orjson.JSONDecodeError:
        return True


def wrapped_bytes(field: bytes) -> bytes:
    """The value of a field that is no UTF-8, as `{"$bytes": base64}`."""
    return b'{"$bytes":"%b"}' % base64.b64encode(unescape(field))


def escaped_piece(piece: bytes) -> bytes:
    """The inside of a JSON string for a part of a field that does not end within an escape."""
    escaped = _escaped_plain(piece)
    if not _has_controls(escaped):
        return escaped
    return _CONTROL.sub(lambda found: b"\\u%04x" % found[0][0], escaped)


def windows(field: memoryview) -> Iterator[bytes]:
    """A long field in parts that do not end within an escape."""
    start = 0
    while start < len(field):
        piece = bytes(field[start : start + WINDOW_BYTES])
        backslashes = len(piece) - len(piece.rstrip(b"\\"))
        if backslashes % 2 and start + len(piece) < len(field):
            piece = bytes(field[start : start + len(piece) + 1])
        yield piece
        start += len(piece)


def _has_controls(rows: bytes | bytearray) -> bool:
    # Deleting what should not be there and comparing lengths is several times faster than searching for it.
    return len(rows.translate(None, _CONTROLS)) != len(rows)


def _escaped_plain(field: bytes) -> bytes:
    if b'"' in field:
        field = field.replace(b'"', b'\\"')
    if b"\\v" in field:
        # The one COPY escape that JSON lacks; `\\v` is a backslash and a v, so pairs are told apart from the left.
        field = _PAIR.sub(lambda pair: b"\\u000b" if pair[0] == b"\\v" else pair[0], field)
    return field


CONVERTERS: Mapping[ValueKind, Converter] = {
    ValueKind.INTEGER: lambda field: INTEGERS.get(field, field),
    ValueKind.NUMBER: lambda field: NUMBERS.get(field, field),
    ValueKind.BOOLEAN: lambda field: BOOLEANS[field],
    ValueKind.DOCUMENT: document,
    ValueKind.TEXT: any_text,
}
PLAIN_CONVERTERS: Mapping[ValueKind, Converter] = {
    **CONVERTERS,
    ValueKind.DOCUMENT: plain_document,
    ValueKind.TEXT: plain_text,
}
"""For rows that are `is_plain`."""
