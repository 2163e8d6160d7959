"""What happened, as lines: runs that have ended, acts of people, and runs of schedules that did not happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from rxbackup.operations.views.activity_words import KINDS, kind_of, noun_of, title_of_run
from rxbackup.operations.views.backups import ErrorView, JobView

__all__ = ["KINDS", "OUTCOMES", "ActivityLine", "ActivityPage", "ActivityQuery"]

OUTCOMES = ("done", "failed", "stopped", "refused", "missed")
"""How it ended: what was found damaged has failed, what was cancelled or interrupted was stopped, what a schedule
skipped was missed."""
_OUTCOMES = {"succeeded": "done", "failed": "failed"}
_TOLD = frozenset({"compare", "copy", "import", "prune", "rebuild", "verify"})
"""What is told in a sentence of its own when it went well."""


@dataclass(frozen=True, slots=True)
class ActivityQuery:
    """Which lines.

    Attributes:
        text: in the words of the line, in names, people and errors.
        kind: one of `KINDS`. outcome: one of `OUTCOMES`. by: the email of who did it.
        until: nothing that came later; so a list that is paged through stays as it was when it was opened.
    """

    text: str = ""
    kind: str | None = None
    outcome: str | None = None
    by: str | None = None
    until: datetime | None = None
    page: int = 1
    per_page: int = 50


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One thing that happened.

    Attributes:
        at: when it ended, was done, or was noticed.
        by: the email of who did it; `system` for the app itself.
        what: the kind of the run, or the act: "backup", "backup.trashed".
        kind: one of `KINDS`. outcome: one of `OUTCOMES`.
        title, subject: together a sentence: "Backed up", "Nightly".
        note: what else is known, for people. damaged: what a check found.
        door: how it came, where it was not the browser: api, console.
        seconds: how long it took, None where nobody measured.
        run_id: the run, if it is one. backup_id, schedule_id: what it was about, if that is still there.
        schedule: the name of the schedule behind it.
    """

    id: str
    at: datetime
    by: str
    what: str
    kind: str
    outcome: str
    title: str
    subject: str = ""
    note: str = ""
    damaged: tuple[str, ...] = ()
    error: ErrorView | None = None
    door: str = ""
    seconds: float | None = None
    started_at: datetime | None = None
    run_id: str | None = None
    backup_id: str | None = None
    schedule_id: str | None = None
    schedule: str = ""

    @classmethod
    def of_run(cls, job: JobView, *, damaged: Sequence[str] = (), schedule: str = "") -> Self:
        """A run that has ended.

        Args:
            job: the run.
            damaged: what a check found, in words.
            schedule: the schedule that wanted it.
        """
        is_good = job.state == "succeeded"
        seconds = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
        return cls(
            id=f"run {job.id}",
            at=job.finished_at or job.created_at,
            by=job.actor,
            what=job.kind,
            kind=kind_of(job.kind),
            outcome="failed" if is_good and damaged else _OUTCOMES.get(job.state, "stopped"),
            title=title_of_run(job.kind, job.state, named=bool(job.backup_name), damaged=bool(damaged)),
            subject=job.backup_name or "",
            note=job.message if is_good and not damaged and job.kind in _TOLD else "",
            damaged=tuple(damaged),
            error=job.error,
            seconds=seconds,
            started_at=job.started_at,
            run_id=job.id,
            backup_id=job.backup_id,
            schedule=schedule,
        )

    @property
    def noun(self) -> str:
        """What it is called: "Backup"."""
        return noun_of(self.what)


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """One page, newest first; `total` counts all that match, `pages` is at least 1, `until` is for the next page."""

    items: tuple[ActivityLine, ...]
    total: int
    page: int
    pages: int
    until: datetime
