"""Rows of COPY text as JSON objects, a block at a time, fast.

Most rows hold neither a backslash nor a quote: such a row is split at its tabs and poured into a template. The
others are converted value by value, and a row too long to be copied about is converted in windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from rxbackup.errors import ManifestCorrupt
from rxbackup.export.json_values import (
    BOOLEANS,
    CONVERTERS,
    NUMBERS,
    PLAIN_CONVERTERS,
    WINDOW_BYTES,
    Converter,
    ValueKind,
    escaped_piece,
    is_plain,
    is_utf8,
    kind_of,
    must_be_wrapped,
    plain_document,
    windows,
)
from rxbackup.postgres.copy_format import unescape
from rxbackup.vault.chunking import CHUNK_BYTES
from rxbackup.vault.manifest import TableEntry

_OUTPUT_ROWS = 4096
_LOOKED_UP: Mapping[ValueKind, Mapping[bytes, bytes]] = {ValueKind.NUMBER: NUMBERS, ValueKind.BOOLEAN: BOOLEANS}


class RowWriter:
    """Writes the rows of one table as JSON objects separated by `,` and a newline."""

    def __init__(self, table: TableEntry) -> None:
        columns = table.copied_columns
        self._table = table.qualified
        self._kinds = [kind_of(column.type) for column in columns]
        self._keys = [orjson.dumps(column.name) for column in columns]
        keys = [key.replace(b"%", b"%%") for key in self._keys]
        quoted = [b'"%b"' if kind is ValueKind.TEXT else b"%b" for kind in self._kinds]
        self._simple = b"{%b}" % b",".join(b"%b:%b" % pair for pair in zip(keys, quoted, strict=True))
        self._general = b"{%b}" % b",".join(b"%b:%%b" % key for key in keys)
        self._looked_up = [(index, _LOOKED_UP[kind]) for index, kind in enumerate(self._kinds) if kind in _LOOKED_UP]
        self._texts = [index for index, kind in enumerate(self._kinds) if kind is ValueKind.TEXT]
        self._documents = [index for index, kind in enumerate(self._kinds) if kind is ValueKind.DOCUMENT]
        self._any = [CONVERTERS[kind] for kind in self._kinds]
        self._plain = [PLAIN_CONVERTERS[kind] for kind in self._kinds]

    def write(self, block: bytes | bytearray) -> Iterator[bytes]:
        """JSON of a block of whole rows, without a separator before the first or after the last."""
        try:
            if not self._kinds:
                yield b",\n".join([b"{}"] * block.count(b"\n"))
            elif len(block) > CHUNK_BYTES:
                yield from self._long(block)
            else:
                yield from self._short(bytes(block))
        except (TypeError, KeyError, ValueError, IndexError) as error:
            raise ManifestCorrupt(f"A row of {self._table} does not fit the columns in the manifest.") from error

    def _short(self, block: bytes) -> Iterator[bytes]:
        lines = block.split(b"\n")
        lines.pop()
        convert = self._plain_rows if is_plain(block) else self._any_rows
        for start in range(0, len(lines), _OUTPUT_ROWS):
            if start:
                yield b",\n"
            yield b",\n".join(convert(lines[start : start + _OUTPUT_ROWS]))

    def _plain_rows(self, lines: list[bytes]) -> list[bytes]:
        simple, looked_up, texts, documents = self._simple, self._looked_up, self._texts, self._documents
        rows: list[bytes] = []
        for line in lines:
            if b"\\" in line:
                rows.append(self._row(line, self._plain))
                continue
            fields = line.split(b"\t")
            for index, table in looked_up:
                field = fields[index]
                fields[index] = table.get(field, field)
            if b'"' in line:
                for index in texts:
                    fields[index] = fields[index].replace(b'"', b'\\"')
            for index in documents:
                fields[index] = plain_document(fields[index])
            rows.append(simple % tuple(fields))
        return rows

    def _any_rows(self, lines: list[bytes]) -> list[bytes]:
        return [self._row(line, self._any) for line in lines]

    def _row(self, line: bytes, converters: Sequence[Converter]) -> bytes:
        return self._general % tuple(
            [convert(field) for convert, field in zip(converters, line.split(b"\t"), strict=True)]
        )

    def _long(self, block: bytes | bytearray) -> Iterator[bytes]:
        """Row by row and value by value, so that nothing as long as the row is made beside it."""
        view = memoryview(block)
        start = 0
        while start < len(block):
            end = block.index(b"\n", start)
            if start:
                yield b",\n"
            yield from self._long_row(block, view, start, end)
            start = end + 1

    def _long_row(self, block: bytes | bytearray, view: memoryview, start: int, end: int) -> Iterator[bytes]:
        lead = b"{"
        for key, kind in zip(self._keys, self._kinds, strict=True):
            if start > end:
                raise ValueError("too few values")
            tab = block.find(b"\t", start, end)
            stop = end if tab < 0 else tab
            yield b"%b%b:" % (lead, key)
            yield from _long_value(kind, view[start:stop])
            start, lead = stop + 1, b","
        if start != end + 1:
            raise ValueError("too many values")
        yield b"}"


def _long_value(kind: ValueKind, field: memoryview) -> Iterator[bytes]:
    if len(field) <= WINDOW_BYTES or kind not in (ValueKind.TEXT, ValueKind.DOCUMENT) or not is_utf8(field):
        yield CONVERTERS[kind](bytes(field))
    elif kind is ValueKind.TEXT:
        yield b'"'
        yield from map(escaped_piece, windows(field))
        yield b'"'
    else:
        yield from _long_document(field)


def _long_document(field: memoryview) -> Iterator[bytes]:
    pieces = map(unescape, windows(field))
    head = next(pieces)
    wrapped = must_be_wrapped(head, unescape(bytes(field[-2:]))[-1:])
    yield b'{"$json":' if wrapped else b""
    yield head
    yield from pieces
    yield b"}" if wrapped else b""
