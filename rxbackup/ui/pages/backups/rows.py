"""What travels to the browser: small flat values, made from what operations return. Numbers stay numbers, times ISO."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rxbackup.operations.views import BackupView, GroupCount, JobView, StoreView
from rxbackup.ui import wording
from rxbackup.ui.addresses import compare_address, restore_address, rows_address


@dataclass(frozen=True)
class Place:
    """A store where a backup rests. `state` is complete, running or failed."""

    store: str
    kind: str
    state: str
    same_server: bool


@dataclass(frozen=True)
class StoreChoice:
    """A store that can be chosen."""

    name: str
    kind: str
    where: str
    same_server: bool
    is_default: bool


@dataclass(frozen=True)
class BackupRow:
    """One line of the table.

    `level` is "" where nothing was ever checked, `trash_until` unless it is in the trash, `schedule` unless it was
    taken by one.
    """

    id: str
    name: str
    description: str
    at: str
    by: str
    rows: int
    stored_bytes: int
    raw_bytes: int
    state: str
    error: str
    level: str
    checked_at: str
    pinned: bool
    trigger: str
    places: list[Place]
    origin: str
    foreign: bool
    trash_until: str = ""
    schedule: str = ""


@dataclass(frozen=True)
class RunRow:
    """Something that is happening now. `percent` is -1 while nobody knows; `href` is its own page, if it has one."""

    id: str
    kind: str
    title: str
    stage: str
    percent: int
    rows_done: int
    rows_total: int
    bytes_done: int
    pace: str
    cancelling: bool
    href: str = ""


@dataclass(frozen=True)
class Tile:
    """Rows of one group now, and how many more or fewer than in the latest backup.

    `inside` leads to its rows in that backup, `changes` to what differs since; "" where it is not in there.
    """

    name: str
    rows: int
    estimated: bool
    tables: int
    change: int
    compared: bool
    inside: str = ""
    changes: str = ""


def store_choice(view: StoreView) -> StoreChoice:
    """A store as something to choose."""
    return StoreChoice(view.name, view.kind, view.where, view.same_server, view.is_default)


def backup_row(view: BackupView) -> BackupRow:
    """A backup as a line of the table."""
    return BackupRow(
        id=view.id,
        name=view.name,
        description=view.description,
        at=wording.iso(view.when),
        by=view.created_by,
        rows=view.rows,
        stored_bytes=view.stored_bytes,
        raw_bytes=view.raw_bytes,
        state=view.state,
        error=view.error.message if view.error else "",
        level=view.verified_level or "",
        checked_at=wording.iso(view.verified_at),
        pinned=view.pinned,
        trigger=view.trigger,
        places=[Place(place.store, place.kind, place.state, place.same_server) for place in view.places],
        origin=view.origin,
        foreign=view.foreign,
        trash_until=wording.iso(view.trash_until),
        schedule=view.schedule,
    )


_RUN_TITLES = {
    "backup": "Backing up",
    "restore": "Restoring",
    "verify": "Checking",
    "delete": "Deleting",
    "copy": "Copying",
    "import": "Importing",
    "prune": "Freeing space",
    "rebuild": "Bringing back the catalogue",
    "preview": "Comparing with the database:",
    "refresh": "Refreshing materialized views after",
    "restore-into": "Restoring into another database:",
    "side-schema": "Putting rows beside the tables:",
    "compare": "Comparing",
}


def run_row(job: JobView, now: datetime) -> RunRow:
    """A running operation; the pace is guessed from what it has done since it started."""
    queued = job.state == "queued"
    name = f" “{job.backup_name}”" if job.backup_name else ""
    return RunRow(
        id=job.id,
        kind=job.kind,
        title=f"{_RUN_TITLES.get(job.kind, job.kind.capitalize())}{name}",
        stage="Cancelling"
        if job.cancel_requested
        else "Waiting for its turn"
        if queued
        else wording.stage(job.stage) or "Starting",
        percent=-1 if job.percent is None or queued else max(0, min(100, round(job.percent))),
        rows_done=job.rows_done,
        rows_total=job.rows_total,
        bytes_done=job.bytes_done,
        pace=_pace(job, now),
        cancelling=job.cancel_requested,
        href=f"{restore_address(job.backup_id)}?run={job.id}" if job.kind == "restore" and job.backup_id else "",
    )


def _pace(job: JobView, now: datetime) -> str:
    if not job.started_at:
        return ""
    seconds = (now - job.started_at).total_seconds()
    if seconds < 2 or not job.bytes_done:  # noqa: PLR2004 - before that the guess is noise
        return ""
    rate = job.bytes_done / seconds
    words = f"{rate / 1e6:.1f} MB/s" if rate < 1e8 else f"{rate / 1e6:.0f} MB/s"  # noqa: PLR2004
    if job.bytes_total > job.bytes_done:
        words += f" · {wording.time_left((job.bytes_total - job.bytes_done) / rate)}"
    return words


def tiles(counts: tuple[GroupCount, ...], before: dict[str, int] | None, backup_id: str = "") -> list[Tile]:
    """Live counts as tiles; `before` is rows by group in the latest backup, None if there is none."""
    held = (before or {}) if backup_id else {}
    return [
        Tile(
            name=count.name,
            rows=count.rows,
            estimated=count.estimated,
            tables=len(count.tables),
            change=count.rows - before.get(count.name, 0) if before is not None else 0,
            compared=before is not None and count.name in before and not count.estimated,
            inside=rows_address(backup_id, count.tables[0]) if count.name in held and count.tables else "",
            changes=compare_address(backup_id) if count.name in held else "",
        )
        for count in counts
    ]
