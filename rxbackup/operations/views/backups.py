"""The values that tell about backups and runs; doors take them from `views`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rxbackup.operations.views.proofs import ProofView
from rxbackup.operations.views.stores import PlaceView


@dataclass(frozen=True, slots=True)
class ErrorView:
    """What went wrong, for people (`message`, `hint`) and machines (`code`, kebab case)."""

    code: str
    message: str
    hint: str


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


@dataclass(frozen=True, slots=True)
class NewBackup:
    """What somebody wants backed up. `groups=None` is everything; `copies` are further stores.

    `schedule_id` is the schedule that wants it, if it is one.
    """

    name: str
    description: str = ""
    groups: tuple[str, ...] | None = None
    store: str = "database"
    full: bool = False
    trigger: str = "manual"
    copies: tuple[str, ...] = ()
    schedule_id: str | None = None


@dataclass(frozen=True, slots=True)
class BackupQuery:
    """Which backups to list, in which order. `sort` is one of when, name, rows, size, state, by.

    `trash` lists what is in the trash, and nothing else.
    """

    text: str = ""
    state: str | None = None
    store: str | None = None
    schedule_id: str | None = None
    trash: bool = False
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
        places: where it rests, `store` first; empty where nobody asked.
        origin: how it came here: archive, json or rebuild; empty if it was taken here.
        foreign: whether another key signed it.
        schedule_id, schedule: the schedule that took it, and its name, if one did and is still there.
        trashed_at, trashed_by, trash_until: since when it is in the trash, who put it there, and when it goes for good.
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
    places: tuple[PlaceView, ...] = ()
    origin: str = ""
    foreign: bool = False
    schedule_id: str | None = None
    schedule: str = ""
    trashed_at: datetime | None = None
    trashed_by: str | None = None
    trash_until: datetime | None = None


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
    """Everything there is to say about one backup.

    Attributes:
        chunks: how many it consists of.
        base_id, base_name: the backup that unchanged segments were taken over from, if any; no name once it is gone.
        reused_segments: how many were taken over.
        frees_bytes: what deleting it would free, in all stores where it rests.
    """

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
    base_name: str | None = None
    reused_segments: int = 0
    frees_bytes: int = 0
    proofs: tuple[ProofView, ...] = ()
