"""The values that looking into backups and comparing them hand to doors; doors take them from `views`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rxbackup.operations.views.backups import BackupView
from rxbackup.operations.views.restores import FieldView


@dataclass(frozen=True, slots=True)
class KeptTableView:
    """A table of a backup as people see it: a partitioned one is one."""

    name: str
    group: str
    rows: int
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column whose values a backup holds; `is_key` where it belongs to the primary key."""

    name: str
    type: str
    is_key: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """One row of a backup.

    Attributes:
        place: where it is; reading from there finds it again.
        values: as PostgreSQL wrote them, in the order of the columns; None is NULL.
        cut: numbers, from 0, of the values that are longer than what is shown.
    """

    place: str
    values: tuple[str | None, ...]
    cut: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RowsView:
    """Some rows of a table in a backup.

    Attributes:
        computed: columns that the server computes, which no backup holds.
        total: all rows of the table in the backup, whether they fit or not.
        looked_at: how many were looked at for these.
        next: where to go on; None at the end.
    """

    backup: BackupView
    table: str
    group: str
    columns: tuple[ColumnView, ...]
    computed: tuple[str, ...]
    rows: tuple[RowView, ...]
    total: int
    looked_at: int
    next: str | None


@dataclass(frozen=True, slots=True)
class TableComparison:
    """What became of one table between two moments, in rows.

    Attributes:
        rows_before, rows_after: all its rows; None where there is no such table.
        by_key: whether rows were recognised by their primary key; otherwise a changed row counts as removed and added.
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
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """What became of one group: rows, and how many of its tables differ."""

    name: str
    added: int
    changed: int
    removed: int
    tables: int
    tables_changed: int


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """What differs between two backups, or between one and the live database.

    Attributes:
        job: the run that found it.
        after: None is the live database at `at`.
        at: when the comparison was made.
        tables: those that differ, by group and name.
        notes: what was not compared, in words.
        parts_opened, parts_total: how much had to be opened, of both sides together.
    """

    job: str
    before: BackupView
    after: BackupView | None
    at: datetime
    groups: tuple[GroupComparison, ...]
    tables: tuple[TableComparison, ...]
    notes: tuple[str, ...]
    parts_opened: int
    parts_total: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RowComparison:
    """One row that was "added", "changed" or "removed"; `cut` says that a value is longer than what is shown."""

    change: str
    fields: tuple[FieldView, ...]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class RowComparisons:
    """Some rows of a table that differ; `more` says that others follow, `skipped` how many went before."""

    table: str
    rows: tuple[RowComparison, ...]
    skipped: int
    more: bool
    notes: tuple[str, ...]
    by_key: bool
