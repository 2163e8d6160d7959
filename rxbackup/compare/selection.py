"""The rows of one table that fit, as a file: CSV or JSON, streamed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rxbackup.compare.filters import Filter, RowTest
from rxbackup.compare.tables import KeptTable
from rxbackup.compare.text import as_text, codec_of
from rxbackup.export.json_rows import RowWriter
from rxbackup.export.rows import row_blocks
from rxbackup.postgres.copy_format import split_row
from rxbackup.vault.manifest import Manifest, TableEntry
from rxbackup.vault.vault import Vault

_QUOTED = re.compile('[",\r\n]|^$|^\\s|\\s$')
_OUTPUT_BYTES = 1 << 18


def write_csv(vault: Vault, manifest: Manifest, table: KeptTable, filters: Sequence[Filter] = ()) -> Iterator[bytes]:
    """RFC 4180 in UTF-8 with a heading, as PostgreSQL's own CSV: NULL is nothing, an empty value is `""`.

    Raises:
        Corrupt: a chunk is missing or damaged; the file then ends early.
    """
    codec = codec_of(manifest.server.encoding)
    yield _csv_line([column.name for column in table.columns])
    for entry, block in _fitting(vault, table, filters, codec):
        places = {column.name: place for place, column in enumerate(entry.copied_columns)}
        order = [places[column.name] for column in table.columns]
        pieces: list[bytes] = []
        size = 0
        for line in bytes(block).split(b"\n")[:-1]:
            values = split_row(line)
            pieces.append(_csv_line([None if (v := values[at]) is None else as_text(v, codec) for at in order]))
            size += len(pieces[-1])
            if size > _OUTPUT_BYTES:
                yield b"".join(pieces)
                pieces, size = [], 0
        yield b"".join(pieces)


def write_json(vault: Vault, manifest: Manifest, table: KeptTable, filters: Sequence[Filter] = ()) -> Iterator[bytes]:
    """An array of objects, with values as the download of a whole backup has them. Raises as `write_csv`."""
    codec = codec_of(manifest.server.encoding)
    separator = b"[\n"
    writer: tuple[TableEntry, RowWriter] | None = None
    for entry, block in _fitting(vault, table, filters, codec):
        if writer is None or writer[0] is not entry:
            writer = (entry, RowWriter(entry))
        yield separator
        yield from writer[1].write(block)
        separator = b",\n"
    yield b"\n]\n" if separator != b"[\n" else b"[]\n"


def _fitting(
    vault: Vault, table: KeptTable, filters: Sequence[Filter], codec: str
) -> Iterator[tuple[TableEntry, bytes | bytearray]]:
    """Blocks of the rows that fit."""
    for entry in table.entries:
        test = RowTest(filters, entry, codec)
        for segment in entry.segments:
            for block in row_blocks(vault, entry, segment):
                if not filters:
                    yield entry, block
                elif fitting := b"".join([block[first:end] for first, end in test.lines(block)]):
                    yield entry, fitting


def _csv_line(values: Sequence[str | None]) -> bytes:
    return (",".join(["" if value is None else _csv_field(value) for value in values]) + "\r\n").encode()


def _csv_field(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if _QUOTED.search(value) else value
