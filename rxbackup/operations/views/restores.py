"""The values that restores hand to doors; doors take them from `views`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rxbackup.operations.views.backups import BackupView


@dataclass(frozen=True, slots=True)
class NewRestore:
    """What somebody wants put back.

    Attributes:
        backup_id: full id of the backup.
        groups: only these; None is all.
        skip: all but these.
        tables: of those only these, by qualified name; None is all of them.
        mode: `exact`, `missing` (only put back rows that are gone) or `changed` (also set right rows that differ).
        safety: whether a safety backup comes first.
        confirm_name: the backup's name, as typed by the person who confirms.
        trust_foreign: whether the same person trusts a backup that another key has signed, or none.
        store: read the copy that rests there; None is where the backup was taken.
        undoes: id of the restore's run that this one undoes, if it does.
        set_aside: whether rows that foreign keys across the border of the choice speak against are left as they are.
        replace_own_account: whether the row of the person who restores, in the application's users, is restored too.
        maintenance: whether tables that must mostly be loaded anew are truncated and rebuilt, locked meanwhile.
        preview: id of the run that computed the preview this person saw. The restore is refused if the schema has moved
            since, or if more rows would be changed or removed than were shown.
    """

    backup_id: str
    groups: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    tables: tuple[str, ...] | None = None
    mode: str = "exact"
    safety: bool = True
    confirm_name: str | None = None
    trust_foreign: bool = False
    store: str | None = None
    undoes: str | None = None
    set_aside: bool = False
    replace_own_account: bool = False
    maintenance: bool = False
    preview: str | None = None


@dataclass(frozen=True, slots=True)
class UndoView:
    """What undoing a restore would put back.

    Attributes:
        job: the restore's run.
        restored: name of the backup that was restored then.
        backup: the safety backup, taken just before.
        groups, skip, tables: what was restored then, and would be put back now.
        set_aside, replace_own_account: as they were asked for then.
        until: the safety backup is kept at least until then; None is without an end.
        undone_by: the run that undid it, if that stands; None if its rows were not taken back, or were put back again.
        undone_at: when that was.
    """

    job: str
    restored: str
    finished_at: datetime | None
    backup: BackupView
    groups: tuple[str, ...] | None
    skip: tuple[str, ...]
    tables: tuple[str, ...] | None = None
    set_aside: bool = False
    replace_own_account: bool = False
    until: datetime | None = None
    undone_by: str | None = None
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a restore does to one table, in rows.

    Attributes:
        set_aside: rows left as they are because of foreign keys.
        seconds: how long it took.
    """

    added: int
    changed: int
    removed: int
    set_aside: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FieldView:
    """One column of a sample row, as PostgreSQL writes the values, cut to 200 characters; None is NULL.

    Attributes:
        before: the value there is now; None also where there is no row now.
        after: the value after the restore; None also where there will be no row.
    """

    column: str
    before: str | None
    after: str | None
    differs: bool


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One row that a restore would add, change or remove: `change` is "add", "change" or "remove"."""

    change: str
    fields: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """What somebody can do about a consequence.

    Attributes:
        kind: "add-group" or "skip-group" (value: its name), "add-table" or "skip-table" (where single tables were
            chosen; value: the qualified name), "mode" (value: the mode) or "set-aside" (no value).
        label: the same in words.
    """

    kind: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class ConsequenceView:
    """What a foreign or unique key across the border of the choice would do. The restore is refused while there is one.

    Attributes:
        kind: "orphans" (rows outside would lose what they refer to), "parentless" (rows of the backup refer to rows
            that are gone) or "clash" (newer rows hold values that must be unique).
        table: whose rows are meant; `rows` is how many.
        other: the table at the other end; the same for a clash.
        hint: what to do about it, in words.
    """

    kind: str
    table: str
    other: str
    rows: int
    message: str
    choices: tuple[ChoiceView, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DriftView:
    """A column that is no longer what it was when the backup was taken.

    Attributes:
        kind: "new", "dropped", "renamed" or "retyped".
        consequence: in words, what the restore will do about it.
        blocks: whether the restore is refused because of it.
    """

    table: str
    column: str
    kind: str
    consequence: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class TablePreview:
    """One table of a plan.

    Attributes:
        backup_rows: rows in the backup.
        live_rows: rows there now; `live_rows_estimated` says that they are from PostgreSQL's statistics.
        change: what would be done, if it was asked for exactly.
        segments_touched, segments_total: how many parts of the table differ from the backup; None where nobody looked,
            or where the table has to be taken whole.
        samples: some of the rows that would be added, changed or removed.
    """

    name: str
    group: str
    backup_rows: int
    live_rows: int
    live_rows_estimated: bool
    change: TableChange | None = None
    segments_touched: int | None = None
    segments_total: int | None = None
    samples: tuple[SampleRow, ...] = ()


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
    """What a restore would do. Nothing was changed.

    Attributes:
        allowed: False while there are problems or consequences.
        is_exact: whether every table has its change, computed in PostgreSQL.
        stale_views: materialized views that read from the chosen tables, and want a refresh afterwards.
        kept_account: email of the person whose own row stays as it is; "" if there is none.
        job: id of the run that computed it; "" if none did.
    """

    backup: BackupView
    tables: tuple[TablePreview, ...]
    groups: tuple[GroupPreview, ...]
    problems: tuple[ProblemView, ...]
    warnings: tuple[str, ...]
    allowed: bool
    fingerprint: str
    mode: str = "exact"
    is_exact: bool = False
    consequences: tuple[ConsequenceView, ...] = ()
    drift: tuple[DriftView, ...] = ()
    stale_views: tuple[str, ...] = ()
    kept_account: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class RestoreView:
    """What a restore did.

    Attributes:
        safety_backup: id of the backup taken just before, if any.
        undo_until: it is kept at least until then.
        stale_views: materialized views that read from the restored tables, and want a refresh.
        sessions_ended: how many sessions of people whose account was changed were ended.
    """

    job: str
    tables: Mapping[str, TableChange]
    safety_backup: str | None
    seconds: float
    note: str = ""
    undo_until: datetime | None = None
    stale_views: tuple[str, ...] = ()
    sessions_ended: int = 0
