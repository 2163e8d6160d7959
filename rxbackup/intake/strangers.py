"""What a manifest from elsewhere may say before it is kept.

Names are only compared with the live catalogue when it is restored, and never become SQL by themselves; here is
refused what no backup of ours says, and what would reach past the rows: settings, our own schemas and the system's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from rxbackup.errors import FileCorrupt, Refused
from rxbackup.intake.limits import MOST_NAME_BYTES, MOST_TABLES, MOST_TEXT, Bounds
from rxbackup.postgres.connecting import PINS
from rxbackup.postgres.introspection import OWN_SCHEMAS
from rxbackup.vault.manifest import Manifest, SequenceEntry, SnapshotFacts, TableEntry

_LONGEST_LINE = 255
_MEANINGFUL = frozenset({"DateStyle", "IntervalStyle", "TimeZone"})
"""Text written under one of them and read under another means something else."""
_MOST_WARNINGS = 100
_ENCODING = re.compile(r"[A-Z][A-Z0-9_]{1,20}")


def check_stranger(manifest: Manifest, bounds: Bounds) -> None:
    """Refuse what a manifest must not say that this installation's vault did not vouch for.

    Raises:
        Refused: it reaches for rxbackup's own tables or the system's, or holds more than is allowed.
        FileCorrupt: it says what no backup says.
    """
    _check_settings(manifest)
    _check_times(manifest)
    if len(manifest.tables) > MOST_TABLES:
        raise Refused(f"The backup holds {len(manifest.tables)} tables; at most {MOST_TABLES} are taken in.")
    if len({(table.schema, table.name) for table in manifest.tables}) != len(manifest.tables):
        raise FileCorrupt("The file holds a table twice.")
    for table in manifest.tables:
        _check_table(table)
    for sequence in manifest.sequences:
        _check_sequence(sequence)
    for group in manifest.groups:
        _check_lines([group.name, *group.tables])
    if manifest.totals.raw_bytes > bounds.row_bytes:
        raise Refused(
            f"The backup holds {manifest.totals.raw_bytes} bytes of rows; at most {bounds.row_bytes} are taken in.",
            hint="If you trust it, raise RXBACKUP_IMPORT_MAX_ROW_BYTES and try again.",
        )
    check_schemas(manifest)


def check_schemas(manifest: Manifest) -> None:
    """Refuse tables and sequences in schemas that no restore may write to. Raises `Refused`."""
    schemas = {table.schema for table in manifest.tables} | {sequence.schema for sequence in manifest.sequences}
    for schema in sorted(schemas):
        if schema in OWN_SCHEMAS or schema == "information_schema" or schema.startswith("pg_"):
            raise Refused(
                f"The file holds tables of the schema {schema[:63]!r}, which belongs to rxbackup or to PostgreSQL.",
                hint="Such a file was not written by rxbackup. Do not trust where it came from.",
            )


def disarmed(manifest: Manifest, **changes: Any) -> Manifest:
    """The manifest as it is kept here: nothing later may lean on it, and nothing in it names this server's past.

    A table's oid, file and block numbers mean nothing here, and must not be mistaken for those of a live table.
    """
    tables = [
        replace(
            table,
            oid=0,
            relfilenode=0,
            blocks=0,
            segments_read=None,
            columns=[replace(column, number=None) for column in table.columns],
        )
        for table in manifest.tables
    ]
    snapshot = SnapshotFacts(manifest.snapshot.taken_at, "", "0", "0", None)
    known = {"base_id": None, "trigger": "import", "tables": tables, "snapshot": snapshot, **changes}
    return replace(manifest, **known)


def _check_settings(manifest: Manifest) -> None:
    wanted = {**PINS, "client_encoding": manifest.server.encoding}
    if not _ENCODING.fullmatch(manifest.server.encoding) or any(
        wanted.get(name) != value for name, value in manifest.pins.items()
    ):
        raise FileCorrupt("The file wants its rows read under settings that no backup of rxbackup is written under.")
    if not manifest.pins.keys() >= _MEANINGFUL:
        raise FileCorrupt("The file does not say under which settings its rows were written.")


def _check_times(manifest: Manifest) -> None:
    for text in (manifest.created_at, manifest.snapshot.taken_at):
        try:
            ok = datetime.fromisoformat(text).tzinfo is not None
        except ValueError:
            ok = False
        if not ok:
            raise FileCorrupt("The file does not say when the backup was taken.")


def _check_table(table: TableEntry) -> None:
    columns = [column.name for column in table.columns]
    _check_names([table.schema, table.name, *columns, *table.primary_key])
    _check_lines([table.group, table.root or "", *(column.type for column in table.columns)])
    if any(segment.rows < 0 or segment.raw_bytes < 0 for segment in table.segments) or table.rows < 0:
        raise FileCorrupt(f"The file counts less than no rows in {table.qualified}.")
    for column in table.columns:
        if column.identity not in ("", "a", "d") or column.generated not in ("", "s", "v"):
            raise FileCorrupt(f"The file describes a column of {table.qualified} as PostgreSQL has none.")


def _check_sequence(sequence: SequenceEntry) -> None:
    _check_names([sequence.schema, sequence.name, *(sequence.owner or {}).values()])


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if len(name.encode("utf-8", "surrogatepass")) > MOST_NAME_BYTES or "\0" in name:
            raise FileCorrupt(f"The file holds a name that PostgreSQL cannot have: {name[:40]!r}.")


def _check_lines(lines: Iterable[str]) -> None:
    for line in lines:
        if len(line) > _LONGEST_LINE or "\0" in line:
            raise FileCorrupt(f"The file holds a name that no backup has: {line[:40]!r}.")


def warnings_of(manifest: Manifest) -> list[str]:
    """Its warnings, as many and as long as people read."""
    return [warning[:MOST_TEXT] for warning in manifest.warnings[:_MOST_WARNINGS]]
