"""Tables of a backup as people see them: a partitioned table is one, whatever holds its rows."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from rxbackup.errors import NotFound
from rxbackup.vault.manifest import ColumnEntry, Manifest, TableEntry


@dataclass(frozen=True, slots=True)
class KeptTable:
    """One table of a backup.

    Attributes:
        name: `schema.name`; of a partitioned table, its own.
        entries: where its rows are; several for a partitioned table.
        columns: those whose values are kept, in the order of the first entry.
        key: the primary key's columns; empty if it has none.
    """

    name: str
    group: str
    entries: tuple[TableEntry, ...]
    columns: tuple[ColumnEntry, ...]
    key: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows the backup has of it."""
        return sum(entry.rows for entry in self.entries)

    @property
    def raw_bytes(self) -> int:
        """Bytes of its rows as text."""
        return sum(entry.raw_bytes for entry in self.entries)

    @property
    def computed(self) -> tuple[str, ...]:
        """Columns that the server computes: no backup holds their values."""
        return tuple(column.name for column in self.entries[0].columns if column.generated)


def kept_tables(manifest: Manifest) -> dict[str, KeptTable]:
    """The tables of a backup by name, in the manifest's order."""
    entries: dict[str, list[TableEntry]] = {}
    for entry in manifest.tables:
        entries.setdefault(entry.root or entry.qualified, []).append(entry)
    return {name: _kept(name, found) for name, found in entries.items()}


def find_table(manifest: Manifest, wanted: str) -> KeptTable:
    """One table by `schema.name`, by its name alone where only one is called so, or a single partition.

    Raises:
        NotFound: none is called so, or several are.
    """
    tables = kept_tables(manifest)
    if wanted in tables:
        return tables[wanted]
    for entry in manifest.tables:
        if entry.qualified == wanted:
            return _kept(wanted, [entry])
    called_so = [name for name in tables if name.partition(".")[2] == wanted]
    if len(called_so) == 1:
        return tables[called_so[0]]
    if called_so:
        raise NotFound(f"{wanted} fits more than one table.", hint=f"Give the schema too: {', '.join(called_so)}.")
    raise NotFound(f"The backup has no table {wanted[:130]}.", hint=_near(wanted, tuple(tables)))


def _kept(name: str, entries: Sequence[TableEntry]) -> KeptTable:
    first = entries[0]
    return KeptTable(name, first.group, tuple(entries), tuple(first.copied_columns), tuple(first.primary_key))


def _near(wanted: str, names: Sequence[str]) -> str:
    by_name = {name.partition(".")[2]: name for name in names} | {name: name for name in names}
    near = dict.fromkeys(by_name[each] for each in difflib.get_close_matches(wanted, by_name, n=3, cutoff=0.75))
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return "`rxbackup backup show` lists its tables."
