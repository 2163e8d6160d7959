"""Put rows of a backup beside the protected tables, into a schema of their own, for somebody to look at.

The protected tables are not read, not locked and not changed. All happens in one transaction: the schema is there with
all its rows, or not at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from rxbackup import errors
from rxbackup.groups.group import Group, choose_groups, choose_tables
from rxbackup.postgres.connecting import Connection, connect, set_pins, translated
from rxbackup.postgres.side_schemas import (
    SideSchema,
    SideTable,
    drop_side_schema,
    fill_table,
    finish_table,
    list_side_schemas,
    make_schema,
    make_table,
    require_types,
)
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.restore.reading_ahead import read_ahead
from rxbackup.vault.manifest import Manifest, TableEntry
from rxbackup.vault.vault import Vault

__all__ = [
    "SideSchema",
    "SideSchemaReport",
    "drop_expired_side_schemas",
    "drop_side_schema",
    "list_side_schemas",
    "make_side_schema",
]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SideSchemaReport:
    """What was put where.

    Attributes:
        tables: rows, by qualified name in the backup.
        places: the table's name in the schema, by qualified name in the backup.
    """

    schema: str
    tables: dict[str, int]
    places: dict[str, str]
    expires_at: datetime
    seconds: float


def make_side_schema(
    manifest: Manifest,
    name: str,
    *,
    groups: tuple[str, ...] | None = None,
    skip: tuple[str, ...] = (),
    tables: tuple[str, ...] | None = None,
    vault: Vault,
    source_url: str,
    expires_at: datetime,
    on_progress: ProgressSink = ignore_progress,
) -> SideSchemaReport:
    """Make a schema with the rows of some groups, or of single tables of them. Partitions become one table.

    It holds what the backup holds: columns with their types, rows, primary keys. Generated columns, other keys, checks
    and defaults are left out. Nobody may write to it, and nobody but the role may read it until it grants that.

    Args:
        name: of the new schema.
        expires_at: with a zone; from then on `drop_expired_side_schemas` drops it.

    Raises:
        errors.UsageError: the name is no good or taken, or a group or table is unknown.
        errors.Refused: the role may make no schema.
        errors.PlanRefused: a type is no longer in the database.
        errors.Corrupt: a chunk is missing or damaged. Nothing was made.
        errors.DatabaseTrouble: the database went away. Nothing was made.
    """
    began = time.monotonic()
    chosen = choose_tables(
        choose_groups([Group(g.name, tuple(g.tables)) for g in manifest.groups], groups, skip=skip), tables
    )
    entries: dict[str, list[TableEntry]] = {name: [] for group in chosen for name in group.tables}
    for entry in manifest.tables:
        if (origin := entry.root or entry.qualified) in entries:
            entries[origin].append(entry)
    made = _tables({origin: parts for origin, parts in entries.items() if parts})
    filling = _Filling(vault, on_progress, name, tuple(e for t in made for e in entries[t.origin]), len(made))
    with (
        closing(connect(source_url, application_name="rxbackup side schema")) as conn,
        translated("putting rows beside the tables"),
        conn.transaction(),
    ):
        set_pins(conn, {**manifest.pins, "row_security": "off", "search_path": ""})
        make_schema(conn, name, manifest.backup_id, expires_at)
        require_types(conn, {kind for table in made for _, kind in table.columns})
        for table in made:
            filling.fill(conn, table, entries[table.origin])
    return SideSchemaReport(
        name,
        {t.origin: sum(e.rows for e in entries[t.origin]) for t in made},
        {t.origin: t.name for t in made},
        expires_at,
        round(time.monotonic() - began, 3),
    )


def drop_expired_side_schemas(source_url: str, now: datetime) -> tuple[str, ...]:
    """Drop those that have expired and that this role may drop. Returns their names; what cannot go stays, logged."""
    dropped = []
    for schema in list_side_schemas(source_url):
        if schema.owned and schema.expires_at <= now:
            try:
                drop_side_schema(source_url, schema.name)
                dropped.append(schema.name)
            except (errors.Refused, errors.NotFound, errors.LockNotAvailable, errors.DatabaseRefused) as error:
                _logger.warning("The schema %s has expired and stays for now: %s", schema.name, error.message)
    return tuple(dropped)


def _tables(entries: dict[str, list[TableEntry]]) -> list[SideTable]:
    """The tables to make. One that shares its name with a table of another schema has that schema in front."""
    names = [origin.partition(".")[2] for origin in entries]
    taken: set[str] = set()
    tables = []
    for origin, parts in entries.items():
        first = parts[0]
        short = first.root.partition(".")[2] if first.root else first.name
        name = short if names.count(short) == 1 else origin.replace(".", "_", 1)
        name = next(n for n in _variants(name) if n not in taken)
        taken.add(name)
        columns: dict[str, str] = {}
        for entry in parts:
            for column in entry.copied_columns:
                columns.setdefault(column.name, column.type)
        key = tuple(first.primary_key) if columns.keys() >= set(first.primary_key) else ()
        tables.append(SideTable(name, origin, tuple(columns.items()), key))
    return tables


def _variants(name: str) -> Iterator[str]:
    """The name, cut to what PostgreSQL bears, and others like it."""
    whole = name.encode()
    yield whole[:63].decode(errors="ignore")
    for number in range(2, 10_000):
        end = f"_{number}"
        yield whole[: 63 - len(end)].decode(errors="ignore") + end


@dataclass(slots=True)
class _Filling:
    """Fills the tables, and says how far it has come."""

    vault: Vault
    on_progress: ProgressSink
    schema: str
    entries: Sequence[TableEntry]
    tables_total: int
    rows: int = 0
    sent: int = 0
    tables: int = 0

    def fill(self, conn: Connection, table: SideTable, parts: Sequence[TableEntry]) -> None:
        make_table(conn, self.schema, table)
        for entry in parts:
            names = [column.name for column in entry.copied_columns]
            taken = fill_table(conn, self.schema, table, names, self._pieces(entry))
            if taken != entry.rows:
                raise errors.ManifestCorrupt(
                    f"{entry.qualified} should have {entry.rows} rows, but PostgreSQL found {taken} in the backup."
                )
            self.rows += entry.rows
        finish_table(conn, self.schema, table)
        self.tables += 1

    def _pieces(self, entry: TableEntry) -> Iterator[bytes]:
        length = 0
        for piece in read_ahead(self.vault, (chunk for segment in entry.segments for chunk in segment.chunks)):
            length += len(piece)
            self.sent += len(piece)
            self._report()
            yield piece
        if length != entry.raw_bytes:
            raise errors.ManifestCorrupt(f"{entry.qualified} is not as long as the manifest says.")

    def _report(self) -> None:
        self.on_progress(
            Progress(
                "Writing the rows beside the tables",
                rows_done=self.rows,
                rows_total=sum(e.rows for e in self.entries),
                bytes_done=self.sent,
                bytes_total=sum(e.raw_bytes for e in self.entries),
                tables_done=self.tables,
                tables_total=self.tables_total,
            )
        )
