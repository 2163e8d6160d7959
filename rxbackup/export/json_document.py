"""A whole backup as one JSON document that a person can read, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from rxbackup.export.json_rows import RowWriter
from rxbackup.export.rows import row_blocks
from rxbackup.export.tally import Tally
from rxbackup.progress import ProgressSink, ignore_progress
from rxbackup.vault.manifest import Manifest, TableEntry
from rxbackup.vault.vault import Vault

FORMAT = "rxbackup-json/1"
VERSION = "1.0.0"


def write_json(vault: Vault, manifest: Manifest, *, on_progress: ProgressSink = ignore_progress) -> Iterator[bytes]:
    """The document, in pieces. Memory stays flat: a chunk or two, or one longer row.

    Raises:
        Corrupt: a chunk is missing or damaged; the document then stays unfinished and is no valid JSON.
        StoreTrouble: the store cannot be read.
    """
    head = orjson.dumps(_head(manifest), option=orjson.OPT_INDENT_2)
    yield head.removesuffix(b"\n}")
    yield b',\n  "data": {'
    tally = Tally("Writing JSON", manifest, on_progress)
    separator = b"\n"
    for table in manifest.tables:
        yield b"%b%b: [" % (separator, orjson.dumps(document_key(table)))
        yield from _rows(vault, table, tally)
        yield b"]"
        separator = b",\n"
        tally.table_done()
    yield b"\n}}\n"


def document_key(table: TableEntry) -> str:
    """`schema.table`; a name that itself holds a dot or a quote is quoted as in SQL, so that no two look alike."""
    parts = [
        '"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part
        for part in (table.schema, table.name)
    ]
    return ".".join(parts)


def _rows(vault: Vault, table: TableEntry, tally: Tally) -> Iterator[bytes]:
    writer = RowWriter(table)
    separator = b"\n"
    for segment in table.segments:
        for block in row_blocks(vault, table, segment):
            yield separator
            yield from writer.write(block)
            separator = b",\n"
        tally.segment_done(segment)
    yield b"\n" if separator != b"\n" else b""


def _head(manifest: Manifest) -> dict[str, Any]:
    whole = manifest.to_dict()
    tables = [
        {"key": document_key(table)} | {name: value for name, value in entry.items() if name not in _BYTES_ONLY}
        for table, entry in zip(manifest.tables, whole["tables"], strict=True)
    ]
    rows_by_group = {
        group.name: sum(table.rows for table in manifest.tables if table.group == group.name)
        for group in manifest.groups
    }
    return {
        "rxbackup": {
            "format": FORMAT,
            "server": whole["server"],
            "pins": manifest.pins,
            "taken_at": manifest.snapshot.taken_at,
            "groups": whole["groups"],
            "tables": tables,
            "sequences": whole["sequences"],
            "warnings": manifest.warnings,
        },
        "id": manifest.backup_id,
        "name": manifest.name,
        "description": manifest.description,
        "timestamp": manifest.created_at,
        "version": VERSION,
        "created_by": manifest.created_by,
        "metadata": {
            "trigger": manifest.trigger,
            # What the backup added to its store is not known yet when its manifest, which says all this, is written.
            "totals": {name: value for name, value in whole["totals"].items() if name != "stored_bytes"},
            "rows_by_group": rows_by_group,
            "rows_by_table": {document_key(table): table.rows for table in manifest.tables},
        },
    }


_BYTES_ONLY = frozenset({"segments", "oid", "relfilenode", "blocks", "raw_bytes"})
