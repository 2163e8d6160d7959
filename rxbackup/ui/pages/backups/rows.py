"""What travels to the browser: small flat values, made from what operations return. Numbers stay numbers, times ISO."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rxbackup.operations.views import BackupView, ErrorView, GroupCount, JobView, StoreView
from rxbackup.ui import wording
from rxbackup.ui.addresses import restore_address


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
class ActivityRow:
    """Something that has happened, as a sentence: `title` then the backup's name. `details` is the text to copy."""

    id: str
    icon: str
    tone: str
    title: str
    name: str
    backup_id: str
    by: str
    at: str
    took: str
    message: str
    hint: str
    note: str
    details: str
    has_result: bool


@dataclass(frozen=True)
class Tile:
    """Rows of one group now, and how many more or fewer than in the latest backup."""

    name: str
    rows: int
    estimated: bool
    tables: int
    change: int
    compared: bool


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


def tiles(counts: tuple[GroupCount, ...], before: dict[str, int] | None) -> list[Tile]:
    """Live counts as tiles; `before` is rows by group in the latest backup, None if there is none."""
    return [
        Tile(
            name=count.name,
            rows=count.rows,
            estimated=count.estimated,
            tables=len(count.tables),
            change=count.rows - before.get(count.name, 0) if before is not None else 0,
            compared=before is not None and count.name in before and not count.estimated,
        )
        for count in counts
    ]


def activity_row(job: JobView) -> ActivityRow:
    """A finished run in words."""
    icon, tone, title = _activity_words(job)
    seconds = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else 0.0
    damaged = [str(item) for item in job.result.get("damaged", ())]
    message = job.error.message if job.error else "; ".join(damaged[:3])
    hint = (
        job.error.hint
        if job.error
        else "Take a new backup now, and keep this one until it is complete."
        if damaged
        else ""
    )
    return ActivityRow(
        id=job.id,
        icon=icon,
        tone=tone,
        title=f"{title}:" if job.backup_name and job.state in {"failed", "cancelled", "interrupted"} else title,
        name=job.backup_name or "",
        backup_id=job.backup_id or "",
        by=job.actor,
        at=wording.iso(job.finished_at or job.created_at),
        took=wording.span(seconds) if seconds else "",
        message="" if job.state == "cancelled" else message,
        hint="" if job.state == "cancelled" else hint,
        note=job.message if job.state == "succeeded" and not damaged and job.kind in _TOLD else "",
        details=_details(job, damaged),
        has_result=job.kind == "restore" and job.state == "succeeded",
    )


_TOLD = frozenset({"compare", "copy", "import", "prune", "rebuild", "verify"})
"""What is told in a sentence of its own when it went well."""

_DONE = {
    "backup": ("archive", "plain", "Backed up"),
    "restore": ("rotate-ccw", "plain", "Restored"),
    "verify": ("shield-check", "good", "Checked"),
    "delete": ("trash-2", "plain", "Deleted"),
    "compare": ("git-compare", "plain", "Compared"),
    "copy": ("copy", "plain", "Copied"),
    "import": ("file-input", "plain", "Imported"),
    "prune": ("brush-cleaning", "plain", "Freed space"),
    "rebuild": ("archive-restore", "plain", "Brought back the catalogue"),
}


def _activity_words(job: JobView) -> tuple[str, str, str]:
    what = wording.KIND_WORDS.get(job.kind, job.kind.capitalize())
    if job.state == "cancelled":
        return "circle-slash", "idle", f"{what} cancelled"
    if job.state == "interrupted":
        return "circle-slash", "warn", f"{what} interrupted"
    if job.state == "failed":
        return "circle-alert", "bad", f"{what} failed"
    if job.result.get("damaged"):
        return "shield-alert", "bad", "Damage found in"
    return _DONE.get(job.kind, ("circle-check", "plain", "Done"))


def _details(job: JobView, damaged: list[str]) -> str:
    error: ErrorView | None = job.error
    lines = [
        f"{wording.KIND_WORDS.get(job.kind, job.kind)}: {job.state}",
        f"Backup: {job.backup_name or '-'} ({job.backup_id or '-'})",
        f"Run: {job.id}, by {job.actor}",
        f"Started {wording.iso(job.started_at) or '-'}, ended {wording.iso(job.finished_at) or '-'}",
    ]
    if error:
        lines += [f"Error {error.code}: {error.message}", f"Hint: {error.hint}"]
    return "\n".join(lines + damaged)
