"""A JSON document taken into a vault: rows become the COPY text that they were, cut and sealed as a backup's are.

What the document says about itself comes first, then the rows. It is signed by nobody: always a stranger's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO
from uuid import UUID

from rxbackup.errors import FileCorrupt
from rxbackup.export.json_document import FORMAT, document_key
from rxbackup.intake.cutting import cut
from rxbackup.intake.json_rows import RowTaker
from rxbackup.intake.json_text import JsonText
from rxbackup.intake.limits import MOST_HEAD_BYTES, MOST_HEAD_DEPTH, Bounds
from rxbackup.intake.strangers import check_stranger, disarmed, warnings_of
from rxbackup.intake.strict_head import loads
from rxbackup.intake.taken import TakenIn
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.vault.chunk_pool import ChunkReceipt
from rxbackup.vault.manifest import (
    ColumnEntry,
    GroupEntry,
    Manifest,
    SequenceEntry,
    ServerFacts,
    SnapshotFacts,
    TableEntry,
    Totals,
)
from rxbackup.vault.strict_json import decode
from rxbackup.vault.vault import Vault

_STAGE = "Taking in the document"
_LONGEST_KEY = 1024
_TAIL_BYTES = 64


@dataclass(frozen=True, slots=True)
class _Table:
    key: str
    schema: str
    name: str
    root: str | None
    group: str
    columns: list[ColumnEntry]
    primary_key: list[str]
    rows: int
    segments_read: int | None = None


@dataclass(frozen=True, slots=True)
class _About:
    format: str
    server: ServerFacts
    pins: dict[str, str]
    taken_at: str
    groups: list[GroupEntry]
    tables: list[_Table]
    sequences: list[SequenceEntry]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Head:
    rxbackup: _About
    id: str
    name: str
    description: str
    timestamp: str
    version: str
    created_by: str


class JsonFile:
    """A document whose head was read and believed as far as a stranger's can be.

    Attributes:
        manifest: what the head says, without rows: no segments, and counts that the rows must still meet.
    """

    def __init__(self, file: BinaryIO, bounds: Bounds) -> None:
        _refuse_torn(file)
        self._text = JsonText(file)
        self._bounds = bounds
        self.manifest = _manifest(_read_head(self._text))
        check_stranger(self.manifest, bounds)

    def take(self, into: Vault, *, backup_id: str, on_progress: ProgressSink = ignore_progress) -> TakenIn:
        """Take in the rows, once.

        Raises:
            FileCorrupt: the rows are not those that the head promises, or no rows at all.
            StoreTrouble: the store cannot be written to.
        """
        receipts: dict[str, ChunkReceipt] = {}

        def put(plain: bytes | memoryview) -> ChunkReceipt:
            receipt = into.put_chunk(plain)
            known = receipts.get(receipt.id)
            if known is None or receipt.is_new:
                receipts[receipt.id] = receipt
            return receipt

        tables = list(self._tables(put, on_progress))
        self._end()
        kept = disarmed(
            replace(self.manifest, tables=tables),
            backup_id=backup_id,
            vault_id=into.id,
            warnings=warnings_of(self.manifest),
            leans={chunk: r.anchor for chunk, r in receipts.items() if r.anchor},
            totals=_totals(tables, len(receipts)),
        )
        return TakenIn(kept, tuple(receipts.values()), into.put_manifest(kept).stored_bytes)

    def _tables(
        self, put: Callable[[bytes | memoryview], ChunkReceipt], on_progress: ProgressSink
    ) -> Iterator[TableEntry]:
        text, raw = self._text, 0
        text.expect(b"{")
        for number, table in enumerate(self.manifest.tables):
            if number:
                text.expect(b",")
            if _key(text) != document_key(table):
                raise FileCorrupt(f"The rows of {table.qualified} do not come where the document's head says.")
            taker = RowTaker(table.qualified, table.copied_columns, self.manifest.server.encoding)
            segments = cut(_watched(taker.blocks(text), text, on_progress), put)
            rows, size = sum(s.rows for s in segments), sum(s.raw_bytes for s in segments)
            if rows != table.rows:
                raise FileCorrupt(f"{table.qualified} should have {table.rows} rows, and has {rows} in the document.")
            raw += size
            if raw > self._bounds.row_bytes:
                raise FileCorrupt(f"The document holds more than {self._bounds.row_bytes} bytes of rows.")
            yield replace(table, segments=segments, raw_bytes=size)

    def _end(self) -> None:
        for _ in range(2):
            self._text.expect(b"}")
        if self._text.peek():
            raise FileCorrupt("Something follows behind the end of the document.")


def _watched(
    blocks: Iterator[tuple[bytes, int]], text: JsonText, on_progress: ProgressSink
) -> Iterator[tuple[bytes, int]]:
    for block in blocks:
        yield block
        on_progress(Progress(_STAGE, bytes_done=text.done, bytes_total=text.total))


def _refuse_torn(file: BinaryIO) -> None:
    """Most torn files are found by their end, before anything is stored."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    if b"".join(file.read().split())[-2:] != b"}}":
        raise FileCorrupt("The file is cut short: it does not end as a document does.")


def _read_head(text: JsonText) -> _Head:
    """Everything before the rows; the text then stands before them."""
    found: dict[str, Any] = {}
    size = 0
    text.expect(b"{")
    while True:
        key = _key(text)
        if key == "data":
            break
        if key in found:
            raise FileCorrupt(f"The document says {key[:50]!r} twice.")
        value = text.value(most_bytes=MOST_HEAD_BYTES - size, most_depth=MOST_HEAD_DEPTH)
        size += len(value)
        found[key] = _loads(value)
        text.expect(b",")
    _refuse_unknown(found)
    # What is counted there is counted again.
    found.pop("metadata", None)
    try:
        return decode(_Head, found)
    except ValueError as error:
        raise FileCorrupt(f"The document does not describe a backup: {error}.") from error


def _refuse_unknown(found: dict[str, Any]) -> None:
    about = found.get("rxbackup")
    said = about.get("format") if isinstance(about, dict) else None
    if said is None:
        raise FileCorrupt(
            "The document does not say first that it is one of rxbackup.",
            hint="Import it as rxbackup wrote it: what describes it must come before its rows.",
        )
    if said != FORMAT:
        raise FileCorrupt(
            f"The document is of format {str(said)[:50]!r}; this version of rxbackup reads {FORMAT}.",
            hint="Install the newer version of rxbackup that wrote it.",
        )


def _key(text: JsonText) -> str:
    if text.peek() != b'"':
        raise text.broken()
    key = _loads(text.value(most_bytes=_LONGEST_KEY, most_depth=1))
    text.expect(b":")
    return str(key)


def _loads(value: bytes) -> Any:
    try:
        return loads(value)
    except ValueError as error:
        # UnicodeDecodeError, JSONDecodeError and our own: all say what is wrong, none repeats the text.
        said = "it is no JSON" if type(error) is not ValueError else str(error)
        raise FileCorrupt(f"What the document says about itself cannot be read: {said}.") from error


def _manifest(head: _Head) -> Manifest:
    about = head.rxbackup
    tables = [_table(table) for table in about.tables]
    try:
        if str(UUID(head.id)) != head.id:
            raise ValueError(head.id)  # noqa: TRY301 - one complaint for both
    except ValueError:
        raise FileCorrupt("The document does not say which backup it is.") from None
    return Manifest(
        backup_id=head.id,
        vault_id=str(UUID(int=0)),
        name=head.name,
        description=head.description,
        created_by=head.created_by,
        created_at=head.timestamp,
        trigger="import",
        server=about.server,
        pins=about.pins,
        snapshot=SnapshotFacts(about.taken_at, "", "0", "0", None),
        base_id=None,
        groups=about.groups,
        tables=tables,
        sequences=about.sequences,
        warnings=about.warnings,
        totals=_totals(tables, 0),
    )


def _table(table: _Table) -> TableEntry:
    entry = TableEntry(
        table.schema, table.name, 0, 0, table.root, table.group, table.columns, table.primary_key, 0, table.rows, 0, []
    )
    names = {column.name for column in table.columns}
    if table.key != document_key(entry) or len(names) != len(table.columns) or not names.issuperset(table.primary_key):
        raise FileCorrupt(f"What the document says about {table.key[:130]!r} does not fit together.")
    return entry


def _totals(tables: list[TableEntry], chunks: int) -> Totals:
    segments = sum(len(table.segments) for table in tables)
    rows, size = sum(table.rows for table in tables), sum(table.raw_bytes for table in tables)
    return Totals(rows, len(tables), size, 0, segments, segments, chunks, 0.0)
