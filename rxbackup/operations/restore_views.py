"""The values that restores hand to doors; doors take them from `views`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rxbackup.operations.backup_views import BackupView


@dataclass(frozen=True, slots=True)
class NewRestore:
    """What somebody wants put back.

    Attributes:
        backup_id: full id of the backup.
        groups: only these; None is all.
        skip: all but these.
        mode: `exact`, `missing` (only put back rows that are gone) or `changed` (also set right rows that differ).
        safety: whether a safety backup comes first.
        confirm_name: the backup's name, as typed by the person who confirms.
        trust_foreign: whether the same person trusts a backup that another key has signed, or none.
        store: read the copy that rests there; None is where the backup was taken.
        undoes: id of the restore's run that this one undoes, if it does.
    """

    backup_id: str
    groups: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    mode: str = "exact"
    safety: bool = True
    confirm_name: str | None = None
    trust_foreign: bool = False
    store: str | None = None
    undoes: str | None = None


@dataclass(frozen=True, slots=True)
class UndoView:
    """What undoing a restore would put back.

    Attributes:
        job: the restore's run.
        restored: name of the backup that was restored then.
        backup: the safety backup, taken just before.
        groups, skip: what was restored then, and would be put back now.
    """

    job: str
    restored: str
    finished_at: datetime | None
    backup: BackupView
    groups: tuple[str, ...] | None
    skip: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a restore does to one table, in rows."""

    added: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True)
class TablePreview:
    """One table of a plan.

    Attributes:
        backup_rows: rows in the backup.
        live_rows: rows there now; `live_rows_estimated` says that they are from PostgreSQL's statistics.
        change: what would be done, if it was asked for exactly.
    """

    name: str
    group: str
    backup_rows: int
    live_rows: int
    live_rows_estimated: bool
    change: TableChange | None = None


@dataclass(frozen=True, slots=True)
class GroupPreview:
    """One group of a plan."""

    name: str
    backup_rows: int
    live_rows: int
    tables: int


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Why a plan cannot be carried out as it stands."""

    message: str
    hint: str
    kind: str = ""
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RestorePreview:
    """What a restore would do. Nothing was changed. `allowed` is False while there are problems."""

    backup: BackupView
    tables: tuple[TablePreview, ...]
    groups: tuple[GroupPreview, ...]
    problems: tuple[ProblemView, ...]
    warnings: tuple[str, ...]
    allowed: bool
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RestoreView:
    """What a restore did. `safety_backup` is the id of the backup taken just before, if any."""

    job: str
    tables: Mapping[str, TableChange]
    safety_backup: str | None
    seconds: float
    note: str = ""
