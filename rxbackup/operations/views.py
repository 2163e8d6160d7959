"""The values operations hand to doors: frozen, plain, free of rows and of secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ErrorView:
    """What went wrong, for people (`message`, `hint`) and machines (`code`, kebab case)."""

    code: str
    message: str
    hint: str


# ── jobs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JobView:
    """One run of an operation.

    Attributes:
        kind: backup, restore or verify.
        state: queued, running, succeeded, failed, cancelled or interrupted.
        stage: what is being done now, as a short phrase for people.
        percent: 0–100, None while nobody knows.
        rows_total, bytes_total: estimates, 0 while unknown.
        message: one line for people: what happened, or what is happening.
        result: what the operation reported, once it succeeded.
        backup_id, backup_name: the backup it makes, reads or restores, if any.
    """

    id: str
    kind: str
    actor: str
    state: str
    stage: str
    percent: float | None
    rows_done: int
    rows_total: int
    bytes_done: int
    bytes_total: int
    message: str
    error: ErrorView | None
    result: Mapping[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    backup_id: str | None
    backup_name: str | None
    cancel_requested: bool = False

    @property
    def is_active(self) -> bool:
        """Whether it is still waiting or running."""
        return self.state in {"queued", "running"}


# ── backups ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class NewBackup:
    """What somebody wants backed up. `groups=None` is everything."""

    name: str
    description: str = ""
    groups: tuple[str, ...] | None = None
    store: str = "database"
    full: bool = False
    trigger: str = "manual"


@dataclass(frozen=True, slots=True)
class BackupQuery:
    """Which backups to list, in which order. `sort` is one of when, name, rows, size, state, by."""

    text: str = ""
    state: str | None = None
    store: str | None = None
    sort: str = "when"
    descending: bool = True
    page: int = 1
    per_page: int = 50


@dataclass(frozen=True, slots=True)
class BackupView:
    """One backup as a line in a list.

    Attributes:
        when: the instant whose rows it holds, once known; before that, when it was started.
        state: running, complete, failed, interrupted or deleting.
        raw_bytes: rows as text. stored_bytes: what this backup added to its store.
        verified_level: stored, readable, decrypted or restored; None if nothing was ever checked.
    """

    id: str
    name: str
    description: str
    when: datetime
    created_by: str
    state: str
    rows: int
    tables: int
    raw_bytes: int
    stored_bytes: int
    seconds: float
    pinned: bool
    verified_level: str | None
    verified_at: datetime | None
    store: str
    trigger: str
    error: ErrorView | None
    groups: tuple[str, ...]
    job_id: str | None
    segments_total: int
    segments_read: int


@dataclass(frozen=True, slots=True)
class BackupPage:
    """One page of a list; `total` counts all that match, `pages` is at least 1."""

    items: tuple[BackupView, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class TableView:
    """One table inside a backup; `name` is qualified: schema.table."""

    name: str
    group: str
    rows: int
    raw_bytes: int
    segments_total: int
    segments_read: int


@dataclass(frozen=True, slots=True)
class GroupView:
    """One group inside a backup."""

    name: str
    tables: tuple[str, ...]
    rows: int
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class BackupDetail:
    """Everything there is to say about one backup."""

    view: BackupView
    tables: tuple[TableView, ...]
    groups: tuple[GroupView, ...]
    warnings: tuple[str, ...]
    server_version: str
    database: str
    vault_id: str
    taken_at: datetime | None
    chunks: int
    base_id: str | None


# ── restores ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class NewRestore:
    """What somebody wants put back.

    Attributes:
        backup_id: full id of the backup.
        groups: only these; None is all.
        skip: all but these.
        mode: only `exact` for now.
        safety: whether a safety backup comes first.
        confirm_name: the backup's name, as typed by the person who confirms.
    """

    backup_id: str
    groups: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    mode: str = "exact"
    safety: bool = True
    confirm_name: str | None = None


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


# ── the rest ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class VerifyView:
    """What a verification found. `level` is structure or contents; `damaged` says in words what is broken."""

    backup_id: str
    level: str
    ok: bool
    checked_chunks: int
    damaged: tuple[str, ...]
    seconds: float
    job: str = ""


@dataclass(frozen=True, slots=True)
class DownloadLink:
    """A link that works once, for the session that asked."""

    path: str
    expires_at: datetime
    file_name: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file to stream; `content` is made while it is read."""

    file_name: str
    media_type: str
    content: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class GroupCount:
    """How many rows a group holds now; `estimated` is True where PostgreSQL's statistics were used for a table."""

    name: str
    tables: tuple[str, ...]
    rows: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class StoreView:
    """A place where backups rest.

    Attributes:
        where: the place, for people.
        same_server: whether it is lost together with the protected database.
        note: the same as a sentence; empty if there is nothing to warn of.
    """

    name: str
    kind: str
    where: str
    same_server: bool
    note: str
    backups: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class KeyView:
    """What the key check found; `key_id` names the key, it is no secret."""

    key_id: str
    source: str
    vaults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a health check."""

    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether this instance can do its work, and why not."""

    ok: bool
    checks: Mapping[str, Check] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of `doctor`; `hint` is empty where all is well."""

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account."""

    email: str
    role: str
    active: bool
    created_at: datetime
    last_sign_in_at: datetime | None
