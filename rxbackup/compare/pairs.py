"""Which parts of two tables have to be opened to be compared: those that nobody knows to hold the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rxbackup.compare.columns import ColumnThen, Matching, match_columns
from rxbackup.compare.tables import KeptTable, kept_tables
from rxbackup.export.rows import row_blocks
from rxbackup.vault.manifest import Manifest, SegmentEntry, TableEntry
from rxbackup.vault.vault import Vault

GONE = "The table is gone."
NEW = "The table is new."

Blocks = Iterator[bytes | bytearray]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one side of a table.

    Attributes:
        table, first_block: where they are: what is at the same place on both sides is compared first.
        columns: what the values in its rows are, in order.
        raw_bytes: how long its rows are as text; a guess where nobody knows.
        read: its rows, in blocks of whole rows.
    """

    table: str
    first_block: int
    columns: tuple[str, ...]
    raw_bytes: int
    read: Callable[[], Blocks]


@dataclass(frozen=True, slots=True)
class TablePair:
    """A table on two sides.

    Attributes:
        where: "both", or the only side that has it: "before", "after".
        rows: how many it has before, or on the only side that has it.
        before, after: the parts that have to be opened.
        parts_total: how many parts it has on both sides together.
    """

    name: str
    group: str
    where: str
    rows: int
    matching: Matching
    before: tuple[Part, ...]
    after: tuple[Part, ...]
    parts_total: int

    @property
    def bytes_to_open(self) -> int:
        """What has to be read, as text."""
        return sum(part.raw_bytes for part in (*self.before, *self.after))


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup, and where to read it."""

    vault: Vault
    manifest: Manifest


def pair_backups(before: Kept, after: Kept, *, only: str | None = None) -> tuple[TablePair, ...]:
    """The tables of two backups, those of groups that both hold; with `only`, one of them."""
    first, second = kept_tables(before.manifest), kept_tables(after.manifest)
    names = [name for name in dict.fromkeys([*first, *second]) if only in {None, name}]
    groups = [{group.name for group in kept.manifest.groups} for kept in (before, after)]
    found = []
    for name in names:
        old, new = first.get(name), second.get(name)
        side = old or new
        if (old and new) or (side and all(side.group in each for each in groups)):
            found.append(_pair(before, after, old, new))
    return tuple(found)


def groups_apart(before: Manifest, after: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the groups that only the first, and only the second, holds."""
    first, second = [g.name for g in before.groups], [g.name for g in after.groups]
    return tuple(n for n in first if n not in second), tuple(n for n in second if n not in first)


def columns_then(table: KeptTable) -> tuple[ColumnThen, ...]:
    """The columns of a backed-up table."""
    return tuple(ColumnThen(c.name, c.type, c.number) for c in table.columns)


def kept_part(vault: Vault, entry: TableEntry, segment: SegmentEntry) -> Part:
    """A segment of a backup."""
    return Part(
        table=entry.qualified,
        first_block=segment.first_block,
        columns=tuple(column.name for column in entry.copied_columns),
        raw_bytes=segment.raw_bytes,
        read=lambda: row_blocks(vault, entry, segment),
    )


def only_before(vault: Vault, table: KeptTable) -> TablePair:
    """A backed-up table that the other side does not have."""
    return _only(vault, table, None)


def _only(vault: Vault, old: KeptTable | None, new: KeptTable | None) -> TablePair:
    side = old or new
    assert side is not None  # noqa: S101 - it is the name of one of them
    names = tuple(column.name for column in side.columns)
    parts = tuple(kept_part(vault, entry, segment) for entry in side.entries for segment in entry.segments)
    return TablePair(
        side.name,
        side.group,
        "before" if old else "after",
        side.rows,
        Matching(names, names, tuple(names.index(name) for name in side.key), (GONE if old else NEW,)),
        before=parts if old else (),
        after=() if old else parts,
        parts_total=len(parts),
    )


def _pair(before: Kept, after: Kept, old: KeptTable | None, new: KeptTable | None) -> TablePair:
    if old is None or new is None:
        return _only(before.vault if old else after.vault, old, new)
    matching = match_columns(
        columns_then(old),
        columns_then(new),
        key_before=old.key,
        key_after=new.key,
        same_table=_is_same_table(before.manifest, after.manifest, old, new),
    )
    comparable = before.manifest.vault_id == after.manifest.vault_id
    known = _common_chunks(matching, old, new) if comparable else Counter()
    left, right = known.copy(), known.copy()
    return TablePair(
        old.name,
        new.group,
        "both",
        old.rows,
        matching,
        before=_unknown_parts(before.vault, old, matching.before, left),
        after=_unknown_parts(after.vault, new, matching.after, right),
        parts_total=sum(len(entry.segments) for side in (old, new) for entry in side.entries),
    )


_Content = tuple[tuple[str, ...], tuple[int, ...]]


def _content(entry: TableEntry, segment: SegmentEntry, names: tuple[str, ...]) -> _Content:
    """What a segment holds: its chunks, and which of their fields are compared."""
    places = {column.name: place for place, column in enumerate(entry.copied_columns)}
    return tuple(segment.chunks), tuple(places.get(name, -1) for name in names)


def _common_chunks(matching: Matching, old: KeptTable, new: KeptTable) -> Counter[_Content]:
    """Content that both sides have, wherever it is: the same rows on both sides make no difference."""
    sides = [
        Counter(_content(entry, segment, names) for entry in side.entries for segment in entry.segments)
        for side, names in ((old, matching.before), (new, matching.after))
    ]
    return sides[0] & sides[1]


def _unknown_parts(vault: Vault, side: KeptTable, names: tuple[str, ...], known: Counter[_Content]) -> tuple[Part, ...]:
    parts = []
    for entry in side.entries:
        for segment in entry.segments:
            content = _content(entry, segment, names)
            if known[content] > 0:
                known[content] -= 1
            elif segment.chunks:
                parts.append(kept_part(vault, entry, segment))
    return tuple(parts)


def _is_same_table(before: Manifest, after: Manifest, old: KeptTable, new: KeptTable) -> bool:
    then, now = before.server, after.server
    return (then.system_identifier, then.database_oid) == (now.system_identifier, now.database_oid) and old.entries[
        0
    ].oid == new.entries[0].oid
