"""Compare: what was added, changed and removed, table by table; and the rows themselves, where asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rxbackup.compare.pairing import Difference, Pairing
from rxbackup.compare.pairs import TablePair
from rxbackup.compare.reading import read_all
from rxbackup.postgres.copy_format import split_row
from rxbackup.progress import Progress, ProgressSink, ignore_progress


@dataclass(frozen=True, slots=True)
class TableDifference:
    """What became of one table, in rows.

    Attributes:
        rows_before, rows_after: all its rows; None where there is no such table.
        by_key: whether a row was recognised by its primary key; otherwise a changed row counts as removed and added.
        parts_opened, parts_total: of both sides together.
        notes: what differs in its columns, in words.
    """

    name: str
    group: str
    added: int
    changed: int
    removed: int
    rows_before: int | None
    rows_after: int | None
    by_key: bool
    parts_opened: int
    parts_total: int
    notes: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.added or self.changed or self.removed or self.notes)


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One value before and after; None is NULL, or no row."""

    column: str
    before: bytes | None
    after: bytes | None
    differs: bool


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One row that was "added", "changed" or "removed"."""

    change: str
    fields: tuple[FieldDifference, ...]


def compare_tables(
    pairs: Sequence[TablePair], folder: Path, *, on_progress: ProgressSink = ignore_progress
) -> tuple[TableDifference, ...]:
    """Count what differs. Only parts that are not known to be the same are opened; memory stays flat.

    Args:
        folder: where rows are put aside that do not fit into memory.

    Raises:
        Corrupt, StoreTrouble: a backup cannot be read.
        DatabaseTrouble: the live side cannot be read.
    """
    total = sum(pair.bytes_to_open for pair in pairs)
    found: list[TableDifference] = []
    done = 0

    def report(size: int) -> None:
        nonlocal done
        done += size
        on_progress(
            Progress(
                "Comparing rows",
                bytes_done=done,
                bytes_total=max(total, done),
                tables_done=len(found),
                tables_total=len(pairs),
            )
        )

    report(0)
    for pair in pairs:
        difference = _compared(pair, folder, report)
        found.append(difference)
    report(0)
    return tuple(found)


def different_rows(pair: TablePair, folder: Path) -> Iterator[RowDifference]:
    """The rows of a table that differ, by key as far as they fit into memory. Raises as `compare_tables`."""
    with Pairing(pair.matching.key, folder) as pairing:
        read_all(pair, pairing)
        for difference in pairing.differences():
            yield _row(pair, difference)


def change_of(difference: Difference) -> str:
    """What happened to a row."""
    before, after = difference
    return "added" if before is None else "removed" if after is None else "changed"


def _compared(pair: TablePair, folder: Path, report: Callable[[int], None]) -> TableDifference:
    counts: Counter[str] = Counter()
    is_on_both = pair.where == "both"
    if is_on_both:
        with Pairing(pair.matching.key, folder) as pairing:
            read_all(pair, pairing, report)
            counts.update(map(change_of, pairing.differences()))
    else:
        counts["removed" if pair.where == "before" else "added"] = pair.rows
    rows_before = None if pair.where == "after" else pair.rows
    rows_after = None if pair.where == "before" else (rows_before or 0) - counts["removed"] + counts["added"]
    return TableDifference(
        name=pair.name,
        group=pair.group,
        added=counts["added"],
        changed=counts["changed"],
        removed=counts["removed"],
        rows_before=rows_before,
        rows_after=rows_after,
        by_key=bool(pair.matching.key),
        parts_opened=len(pair.before) + len(pair.after) if is_on_both else 0,
        parts_total=pair.parts_total,
        notes=pair.matching.notes,
    )


def _row(pair: TablePair, difference: Difference) -> RowDifference:
    before, after = (None if row is None else split_row(row) for row in difference)
    fields = []
    for place, (old_name, new_name) in enumerate(zip(pair.matching.before, pair.matching.after, strict=True)):
        was, now = before[place] if before else None, after[place] if after else None
        differs = was != now if before and after else True
        fields.append(FieldDifference(new_name or old_name, was, now, differs=differs))
    return RowDifference(change_of(difference), tuple(fields))
