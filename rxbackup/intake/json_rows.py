"""Rows of a JSON document as COPY text, byte for byte what they were written from.

Rows as rxbackup writes them match one pattern for the whole row, whose groups are nearly the fields. All others
(another order, other blanks, long numbers, deep values) are taken apart value by value, and must say the same.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterator

from rxbackup.errors import FileCorrupt, UsageError
from rxbackup.export.json_reading import split_object
from rxbackup.export.json_values import ValueKind, kind_of
from rxbackup.intake.json_grammar import (
    DIGITS,
    INSIDE,
    NUMBER,
    SPACE,
    STRING,
    UNICODE_ESCAPES,
    characters,
    check_value,
    shallow_value,
)
from rxbackup.intake.json_text import JsonText
from rxbackup.intake.limits import MOST_ROW_BYTES, MOST_VALUE_DEPTH
from rxbackup.postgres.copy_format import NULL, escape
from rxbackup.vault.manifest import ColumnEntry

_Convert = Callable[[bytes], bytes]

_BLOCK_BYTES = 1 << 20
_UTF8 = frozenset({"UTF8", "SQL_ASCII"})
_INTEGER_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
_SURE_DIGITS = {"smallint": 4, "integer": 9, "bigint": 18}
_LARGEST_REAL = 3.4028235677973366e38
_MOST_NUMERIC_BYTES = 131072 + 16383 + 2
_WRAPPED_BYTES = rf'\{{{SPACE}"\$bytes"{SPACE}:{SPACE}"([A-Za-z0-9+/]*+=*+)"{SPACE}\}}'

_ANY_STRING = re.compile(STRING.encode())
_ANY_NUMBER = re.compile(NUMBER.encode())
_PLAIN_NUMBER = re.compile(rf"{DIGITS}(?:\.[0-9]++)?+".encode())
_BYTES = re.compile(_WRAPPED_BYTES.encode())
_DOCUMENT = re.compile(rb'\{[ \t\r\n]*"\$json"[ \t\r\n]*:')
_UNUSUAL = {b'"NaN"': b"NaN", b'"Infinity"': b"Infinity", b'"-Infinity"': b"-Infinity"}
_CHANGED = (b'\\"', b"\\/", b"\\u")


class RowTaker:
    """Takes the rows of one table.

    Args:
        table: its name, for messages.
        columns: the columns whose values are in the rows, in order.
        encoding: of the database that the rows came from, as PostgreSQL names it.
    """

    def __init__(self, table: str, columns: list[ColumnEntry], encoding: str) -> None:
        self._table = table
        self._kinds = [kind_of(column.type) for column in columns]
        self._slow = {
            column.name: self._converter(kind, column.type, encoding)
            for column, kind in zip(columns, self._kinds, strict=True)
        }
        self._inside = _inside_of_string(encoding)
        self._texts = [i for i, kind in enumerate(self._kinds) if kind is ValueKind.TEXT]
        self._documents = [
            (i, _document_of(column.type, checked=True))
            for i, (column, kind) in enumerate(zip(columns, self._kinds, strict=True))
            if kind is ValueKind.DOCUMENT
        ]
        self._pattern = _row_pattern(columns, self._kinds)

    def blocks(self, text: JsonText) -> Iterator[tuple[bytes, int]]:
        """Blocks of whole rows, and how many are in each, up to and with the bracket that ends the table.

        Raises:
            FileCorrupt: the document does not go on as one of rxbackup's, or holds what no such column can.
        """
        text.expect(b"[")
        if text.took(b"]"):
            return
        rows: list[bytes] = []
        size = 0
        more = True
        while more:
            row, more = self._next(text)
            rows.append(row)
            size += len(row)
            if size >= _BLOCK_BYTES:
                yield b"".join(rows), len(rows)
                rows, size = [], 0
        if rows:
            yield b"".join(rows), len(rows)

    def _next(self, text: JsonText) -> tuple[bytes, bool]:
        """One row, and whether another one follows."""
        found = self._pattern.match(text.buffer, text.at)
        if found is not None and found.end() < len(text.buffer):
            text.at = found.end()
            return self._fast(list(found.groups()[:-1])), found[found.re.groups] == b","
        if text.peek() != b"{":
            raise text.broken()
        try:
            row = self._any(text.value(most_bytes=MOST_ROW_BYTES, most_depth=MOST_VALUE_DEPTH))
        except (FileCorrupt, UsageError) as error:
            raise FileCorrupt(f"{self._table}, before byte {text.done}: {error.message}") from error
        if text.took(b","):
            return row, True
        text.expect(b"]")
        return row, False

    def _fast(self, fields: list[bytes | None]) -> bytes:
        for index, convert in self._documents:
            value = fields[index]
            if value is not None:
                fields[index] = convert(value)
        row = b"\t".join([NULL if field is None else field for field in fields])
        if b"\\" in row:
            for index in self._texts:
                value = fields[index]
                if value is not None and b"\\" in value:
                    fields[index] = self._inside(value)
            row = b"\t".join([NULL if field is None else field for field in fields])
        return row + b"\n"

    def _any(self, text: bytes) -> bytes:
        pairs = split_object(text)
        values = dict(pairs)
        if len(values) != len(pairs):
            raise FileCorrupt("a row names a column twice.")
        if values.keys() != self._slow.keys():
            odd = min(values.keys() ^ self._slow.keys())
            raise FileCorrupt(f"a row does not have just the columns of the table ({odd[:63]!r}).")
        return b"\t".join([convert(values[name]) for name, convert in self._slow.items()]) + b"\n"

    def _converter(self, kind: ValueKind, column_type: str, encoding: str) -> _Convert:
        match kind:
            case ValueKind.INTEGER:
                return _or_null(_integer_of(column_type))
            case ValueKind.NUMBER:
                return _or_null(_numeric if column_type.startswith("numeric") else _float_of(column_type))
            case ValueKind.BOOLEAN:
                return _or_null(_boolean)
            case ValueKind.DOCUMENT:
                return _or_null(_document_of(column_type))
            case ValueKind.TEXT:
                return _or_null(_text_of(encoding))


def _row_pattern(columns: list[ColumnEntry], kinds: list[ValueKind]) -> re.Pattern[bytes]:
    """One row and the comma or bracket behind it."""
    members = [
        f"{_key(column.name)}{SPACE}:{SPACE}{_fast_value(column.type, kind)}{SPACE}"
        for column, kind in zip(columns, kinds, strict=True)
    ]
    inner = f",{SPACE}".join(members)
    return re.compile(rf"{SPACE}\{{{SPACE}{inner}\}}{SPACE}([,\]])".encode())


def _key(name: str) -> str:
    # As orjson writes it. A name with control characters is written otherwise, and then taken apart slowly.
    return re.escape('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"')


def _fast_value(column_type: str, kind: ValueKind) -> str:
    match kind:
        case ValueKind.INTEGER:
            return rf"(?:(-?(?:0|[1-9][0-9]{{0,{_SURE_DIGITS[column_type] - 1}}}))|null)"
        case ValueKind.NUMBER:
            return r"(?:(-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?+)|null)"
        case ValueKind.BOOLEAN:
            return "(?:(t(?=rue)|f(?=alse))(?:rue|alse)|null)"
        case ValueKind.DOCUMENT:
            return f"(?:null|({shallow_value()}))"
        case ValueKind.TEXT:
            return f'(?:"({INSIDE})"|null)'


def _or_null(convert: _Convert) -> _Convert:
    return lambda value: NULL if value == b"null" else convert(value)


def _integer_of(column_type: str) -> _Convert:
    bits = _INTEGER_BITS[column_type]

    def convert(value: bytes) -> bytes:
        short = len(value) <= 20  # noqa: PLR2004 - no longer number fits into 64 bits
        if not (short and re.fullmatch(DIGITS.encode(), value) and -(1 << bits) <= int(value) < 1 << bits):
            raise _unfit(value, column_type)
        return value

    return convert


def _numeric(value: bytes) -> bytes:
    if value in _UNUSUAL:
        return _UNUSUAL[value]
    if len(value) > _MOST_NUMERIC_BYTES or not _PLAIN_NUMBER.fullmatch(value):
        raise _unfit(value, "numeric")
    return value


def _float_of(column_type: str) -> _Convert:
    largest = _LARGEST_REAL if column_type == "real" else math.inf

    def convert(value: bytes) -> bytes:
        if value in _UNUSUAL:
            return _UNUSUAL[value]
        if len(value) > 400 or not _ANY_NUMBER.fullmatch(value) or not abs(float(value)) < largest:  # noqa: PLR2004
            raise _unfit(value, column_type)
        return value

    return convert


def _boolean(value: bytes) -> bytes:
    if value not in (b"true", b"false"):
        raise _unfit(value, "boolean")
    return value[:1]


def _text_of(encoding: str) -> _Convert:
    inside = _inside_of_string(encoding)

    def convert(value: bytes) -> bytes:
        if _ANY_STRING.fullmatch(value):
            return inside(value[1:-1])
        return _wrapped_bytes(value, "text")

    return convert


def _inside_of_string(encoding: str) -> _Convert:
    any_character = encoding in _UTF8

    def meant(found: re.Match[bytes]) -> bytes:
        character = characters(found)
        if character is None:
            # What JSON and COPY write alike stays; the two others lose their backslash.
            return found[0][1:] if found[0] in (b'\\"', b"\\/") else found[0]
        if not any_character and not character.isascii():
            raise FileCorrupt(f"a character is written by its number, but the database was encoded in {encoding}.")
        return escape(character.encode())

    def convert(inside: bytes) -> bytes:
        if any(each in inside for each in _CHANGED):
            return UNICODE_ESCAPES.sub(meant, inside)
        return inside

    return convert


def _document_of(column_type: str, *, checked: bool = False) -> _Convert:
    def convert(value: bytes) -> bytes:
        known = checked
        if value.startswith(b"{"):
            if _BYTES.fullmatch(value):
                return _wrapped_bytes(value, column_type)
            if wrapper := _DOCUMENT.match(value):
                value, known = value[wrapper.end() : -1], False
        if not known:
            check_value(value, most_depth=MOST_VALUE_DEPTH)
        if column_type == "jsonb" and b"\\u" in value:
            for found in UNICODE_ESCAPES.finditer(value):
                characters(found)
        return escape(value)

    return convert


def _wrapped_bytes(value: bytes, column_type: str) -> bytes:
    found = _BYTES.fullmatch(value)
    if found is None:
        raise _unfit(value, column_type)
    try:
        content = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        raise _unfit(value, column_type) from None
    if b"\0" in content:
        raise _unfit(value, column_type)
    return escape(content)


def _unfit(value: bytes, column_type: str) -> FileCorrupt:
    return FileCorrupt(f"{value[:60].decode('utf-8', 'replace')} is no value for a column of type {column_type}.")
