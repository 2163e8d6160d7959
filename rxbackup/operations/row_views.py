"""The values that looking into backups and comparing them hand to doors; doors take them from `views`."""

from __future__ import annotations

from dataclasses import dataclass

from rxbackup.operations.backup_views import BackupView


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
