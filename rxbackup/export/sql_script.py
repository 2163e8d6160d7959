r"""A whole backup as a data script for psql.

It is for people to use elsewhere; rxbackup never executes SQL from a file. Rows go through untouched as COPY data.
Names are quoted everywhere, and a comment never holds a line break of a name: psql would read the rest as a command
(the class of CVE-2025-8714). `ON_ERROR_STOP` matters for the same reason: after a COPY that failed psql would read
the rows as commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rxbackup.export.rows import segment_chunks
from rxbackup.export.sql_foreign_keys import LOOSEN, TABLES, TIGHTEN, text_array
from rxbackup.export.tally import Tally
from rxbackup.progress import ProgressSink, ignore_progress
from rxbackup.vault.manifest import Manifest, SequenceEntry, TableEntry
from rxbackup.vault.vault import Vault

_HEAD = """\
--
-- Data of a PostgreSQL database, written by rxbackup
--
-- backup:      {backup_id}
-- name:        {name}
-- taken at:    {taken_at}
-- database:    {database} (PostgreSQL {version})
-- tables:      {tables}, rows: {rows}
--
-- Load it with psql into a database that has these tables, empty:
--   psql -X -v ON_ERROR_STOP=1 -f FILE DATABASE
-- Everything happens in one transaction, as the owner of the tables. Where foreign keys form a circle they are made
-- deferrable for its length, and put back before its end. Triggers fire, unless a superuser takes the comment mark off
-- the line with session_replication_role; foreign keys are then not checked either.
--

\\set ON_ERROR_STOP on
"""

# Only what decides how a value is read; a script must not carry other settings along.
_VALUE_PINS = (
    "client_encoding",
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "extra_float_digits",
    "bytea_output",
    "xmloption",
)
_ALWAYS = {"client_encoding": "UTF8"}
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\]")


def write_sql(vault: Vault, manifest: Manifest, *, on_progress: ProgressSink = ignore_progress) -> Iterator[bytes]:
    """The script, in pieces, tables in the manifest's order. Memory stays flat.

    Raises:
        Corrupt: a chunk is missing or damaged; the script then lacks its COMMIT and changes nothing.
        StoreTrouble: the store cannot be read.
    """
    tally = Tally("Writing SQL", manifest, on_progress)
    yield _head(manifest).encode()
    for table in manifest.tables:
        yield _table_head(table).encode()
        for segment in table.segments:
            yield from segment_chunks(vault, table, segment)
            tally.segment_done(segment)
        yield b"\\.\n"
        tally.table_done()
    yield "".join(map(_sequence, manifest.sequences)).encode()
    yield f"\n\nSET CONSTRAINTS ALL IMMEDIATE;\n{TIGHTEN}\nCOMMIT;\n".encode()


def _head(manifest: Manifest) -> str:
    pins = {name: value for name, value in (_ALWAYS | manifest.pins).items() if name in _VALUE_PINS}
    comments = _HEAD.format(
        backup_id=_commented(manifest.backup_id),
        name=_commented(manifest.name),
        taken_at=_commented(manifest.snapshot.taken_at),
        database=_commented(manifest.server.database),
        version=_commented(manifest.server.version),
        tables=len(manifest.tables),
        rows=manifest.totals.rows,
    )
    settings = "".join(f"SET {name} = {_literal(value)};\n" for name, value in pins.items())
    return (
        f"{comments}\nSET standard_conforming_strings = on;\n{settings}SET search_path = '';\nSET row_security = off;\n"
        f"\nBEGIN;\nSET LOCAL {TABLES} = {_literal(text_array(map(_target, manifest.tables)))};\n{LOOSEN}"
        "SET CONSTRAINTS ALL DEFERRED;\n-- SET LOCAL session_replication_role = replica;\n"
    )


def _table_head(table: TableEntry) -> str:
    columns = ", ".join(_identifier(column.name) for column in table.copied_columns)
    listed = f" ({columns})" if columns else ""
    return f"\n-- {_commented(table.qualified)}: {table.rows} rows\nCOPY {_target(table)}{listed} FROM stdin;\n"


def _target(table: TableEntry) -> str:
    return f"{_identifier(table.schema)}.{_identifier(table.name)}"


def _sequence(sequence: SequenceEntry) -> str:
    name = _literal(f"{_identifier(sequence.schema)}.{_identifier(sequence.name)}")
    called = "true" if sequence.is_called else "false"
    return f"\nSELECT pg_catalog.setval({name}, {sequence.last_value}, {called});"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    # standard_conforming_strings is on: a backslash is a backslash.
    return "'" + text.replace("'", "''") + "'"


def _commented(text: str) -> str:
    """A name for a comment: without line breaks, other control characters, or backslashes."""
    return _UNSEEN.sub("?", text)
