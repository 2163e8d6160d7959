"""What one backup consists of, as values.

Times are ISO 8601 with zone; 64-bit transaction ids are decimal text; sizes are bytes; a segment's data are the
concatenation of its chunks: rows in PostgreSQL's COPY text format of `TableEntry.copied_columns`, under `pins`,
each ending in a newline, without header and without an end mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from rxbackup.errors import ManifestCorrupt
from rxbackup.vault.strict_json import decode, encode

FORMAT = "rxbackup/1"

_FORMAT = re.compile(r"rxbackup/(\d+)(\.\d+)?")
_CHUNK_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Where the rows came from."""

    system_identifier: str
    version_num: int
    version: str
    database: str
    database_oid: int
    encoding: str
    collation: str | None
    lc_monetary: str


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """The instant the rows belong to.

    Attributes:
        taken_at: when, by the server's clock.
        snapshot: `pg_current_snapshot()` as text.
        horizon: its xmin, the oldest transaction still open then.
        next_xid: the first transaction id not yet given out then.
        watermark: the token committed into the protected database afterwards, or None.
        text_rules: digest of what, besides the rows, decided how they look as text; '' if unknown.
    """

    taken_at: str
    snapshot: str
    horizon: str
    next_xid: str
    watermark: str | None
    text_rules: str = ""


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """A group and its tables (`schema.name`)."""

    name: str
    tables: list[str]


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """One column.

    Attributes:
        name: as in the catalogue, unquoted.
        type: `format_type()` text.
        not_null: whether NULL is refused.
        identity: '' or 'a' (always) or 'd' (by default).
        generated: '' or 's' (stored) or 'v' (virtual).
        collation: its own collation, or None.
        number: the server's own for it: one that was dropped and added again has another. None if unknown.
    """

    name: str
    type: str
    not_null: bool
    identity: str
    generated: str
    collation: str | None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """The rows in a range of blocks: `first_block` up to, not including, `end_block` (None: the end)."""

    first_block: int
    end_block: int | None
    rows: int
    raw_bytes: int
    chunks: list[str]


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One table; of a partitioned table, each leaf is one.

    Attributes:
        oid, relfilenode, blocks: as they were when the backup was taken.
        root: `schema.name` of the partitioned table it belongs to, or None.
        primary_key: column names, in key order.
        segments_read: how many segments were read from the database; the others were taken over from `base_id`.
            None in backups that did not count.
    """

    schema: str
    name: str
    oid: int
    relfilenode: int
    root: str | None
    group: str
    columns: list[ColumnEntry]
    primary_key: list[str]
    blocks: int
    rows: int
    raw_bytes: int
    segments: list[SegmentEntry]
    segments_read: int | None = None

    @property
    def qualified(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def copied_columns(self) -> list[ColumnEntry]:
        """The columns whose values are in the data, in order: all but the generated ones."""
        return [column for column in self.columns if not column.generated]

    @property
    def layout(self) -> tuple[tuple[int | None, str, str], ...]:
        """Number, name and type of the copied columns, to compare with those of the live table."""
        return tuple((column.number, column.name, column.type) for column in self.copied_columns)


@dataclass(frozen=True, slots=True)
class SequenceEntry:
    """A sequence, read after the rows. `owner` has the keys schema, table, column."""

    schema: str
    name: str
    last_value: int
    is_called: bool
    increment: int
    minimum: int
    maximum: int
    start: int
    cycle: bool
    owner: dict[str, str] | None

    @property
    def qualified(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the backup."""

    rows: int
    tables: int
    raw_bytes: int
    stored_bytes: int
    segments_total: int
    segments_read: int
    chunks: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One backup, completely described but for the row values.

    Attributes:
        base_id: the earlier backup that unchanged segments were taken over from; nothing is needed from it any more.
        leans: of every chunk that is stored as a difference, its id and the id of its anchor. None in backups that were
            made before this was written down: then only the chunks themselves know.
    """

    format: str = FORMAT
    backup_id: str
    vault_id: str
    name: str
    description: str
    created_by: str
    created_at: str
    trigger: str
    server: ServerFacts
    pins: dict[str, str]
    snapshot: SnapshotFacts
    base_id: str | None
    groups: list[GroupEntry]
    tables: list[TableEntry]
    sequences: list[SequenceEntry]
    warnings: list[str] = field(default_factory=list)
    totals: Totals
    leans: dict[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        found: dict[str, Any] = encode(self)
        return found

    def to_json(self) -> bytes:
        """As a JSON document in UTF-8."""
        return orjson.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: bytes | str) -> Manifest:
        """Read a document made by `to_json`. Raises `ManifestCorrupt`."""
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise ManifestCorrupt(f"The manifest is no JSON: {error}.") from error
        return cls.from_dict(document)

    @classmethod
    def from_dict(cls, document: object) -> Manifest:
        """Read JSON values, and check that they agree with each other.

        Fields that a later minor format added are ignored; another major format is refused.

        Raises:
            ManifestCorrupt: a field is missing, unknown, of the wrong type, or contradicts another.
        """
        said = document.get("format") if isinstance(document, dict) else None
        known = _FORMAT.fullmatch(said) if isinstance(said, str) else None
        if known is None:
            raise ManifestCorrupt("This is not the manifest of a backup.")
        if known[1] != "1":
            raise ManifestCorrupt(
                f"The manifest is of format {said}; this version of rxbackup reads rxbackup/1.",
                hint="Install the newer version of rxbackup that made this backup.",
            )
        try:
            manifest = decode(cls, document, ignore_unknown=known[2] is not None)
        except ValueError as error:
            raise ManifestCorrupt(f"The manifest is damaged: {error}.") from error
        manifest.check()
        return manifest

    def check(self) -> None:
        """Raise `ManifestCorrupt` if the manifest contradicts itself."""
        for problem in _problems(self):
            raise ManifestCorrupt(f"The manifest of backup {self.backup_id} contradicts itself: {problem}.")

    def chunk_ids(self) -> set[str]:
        """Every chunk that holds rows of the backup; an anchor that only others lean on is not among them."""
        return {chunk for table in self.tables for segment in table.segments for chunk in segment.chunks}

    def needed_ids(self) -> set[str]:
        """Every chunk that must be in the vault for the backup to be readable: those with rows, and their anchors."""
        return self.chunk_ids() | set((self.leans or {}).values())


def _problems(manifest: Manifest) -> list[str]:
    found = [
        f"{what} {value!r} is no uuid"
        for what, value in (("backup_id", manifest.backup_id), ("vault_id", manifest.vault_id))
        if not _is_uuid(value)
    ]
    names = [(table.schema, table.name) for table in manifest.tables]
    if len(set(names)) != len(names):
        found.append("a table is in it twice")
    for table in manifest.tables:
        found += _table_problems(table)
    leans = manifest.leans or {}
    if not all(map(_CHUNK_ID.fullmatch, leans.values())) or leans.keys() & set(leans.values()):
        found.append("a difference leans on something that is no chunk kept whole")
    if not leans.keys() <= manifest.chunk_ids():
        found.append("it names a difference that holds none of its rows")
    if manifest.totals.rows != sum(table.rows for table in manifest.tables):
        found.append("its total of rows is not the sum of its tables")
    return found


def _table_problems(table: TableEntry) -> list[str]:
    found = []
    if table.rows != sum(segment.rows for segment in table.segments):
        found.append(f"the rows of {table.qualified} are not the sum of its segments")
    if table.raw_bytes != sum(segment.raw_bytes for segment in table.segments):
        found.append(f"the bytes of {table.qualified} are not the sum of its segments")
    if not all(_CHUNK_ID.fullmatch(chunk) for segment in table.segments for chunk in segment.chunks):
        found.append(f"{table.qualified} names something that is no chunk")
    if any(bool(segment.raw_bytes) != bool(segment.chunks) for segment in table.segments):
        found.append(f"a segment of {table.qualified} has bytes without chunks, or chunks without bytes")
    names = {column.name for column in table.columns}
    if len(names) != len(table.columns) or not names.issuperset(table.primary_key):
        found.append(f"the columns of {table.qualified} do not fit together")
    return found


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
