"""What travels to the browser about what happened: flat values, made from what operations return."""

from __future__ import annotations

from dataclasses import dataclass

from rxbackup.access.actor import CONSOLE_EMAIL, SYSTEM_EMAIL
from rxbackup.operations.views import JobView
from rxbackup.operations.views.activity import ActivityLine
from rxbackup.ui import wording
from rxbackup.ui.addresses import SCHEDULES, STORES, backup_address, restore_address

_MOST_DAMAGE = 3
_NOBODY = {SYSTEM_EMAIL: "rxbackup itself", CONSOLE_EMAIL: "the terminal"}
_DOORS = {"api": "through the API", "console": "at the terminal"}

_ICONS = {
    "backup": "archive",
    "restore": "rotate-ccw",
    "restore-into": "rotate-ccw",
    "preview": "eye",
    "refresh": "refresh-cw",
    "verify": "shield-check",
    "copy": "copy",
    "import": "file-input",
    "compare": "git-compare",
    "prune": "brush-cleaning",
    "rebuild": "archive-restore",
    "backup.pinned": "pin",
    "backup.unpinned": "pin-off",
    "backup.undeleted": "undo-2",
    "backup.downloaded": "download",
    "backup.rows.downloaded": "download",
    "backup.rows.compared": "git-compare",
}
_ICONS_OF_KINDS = {
    "deletion": "trash-2",
    "look": "table-2",
    "restore": "table-2",
    "schedule": "calendar-clock",
    "store": "hard-drive",
    "notification": "bell",
    "person": "user-round",
}
_ENDS = {
    "failed": ("circle-alert", "bad"),
    "stopped": ("circle-slash", "warn"),
    "refused": ("ban", "warn"),
    "missed": ("clock-alert", "warn"),
}


@dataclass(frozen=True)
class ActivityRow:
    """Something that has happened, as a sentence: `title`, then `name`.

    Attributes:
        href: where the name leads, "" where that is gone. result_href: the lasting result of a restore.
        message, hint: what went wrong and what to do. note: what else is known. details: the text to copy.
    """

    id: str
    icon: str
    tone: str
    title: str
    name: str
    href: str
    by: str
    at: str
    took: str
    message: str
    hint: str
    note: str
    details: str
    result_href: str


def activity_row(line: ActivityLine) -> ActivityRow:
    """A line in words."""
    icon, tone = _look(line)
    message = line.error.message if line.error else "; ".join(line.damaged[:_MOST_DAMAGE])
    hint = line.error.hint if line.error else ""
    if line.damaged:
        hint = "Take a new backup now, and keep this one until it is complete."
    is_told = not _was_cancelled(line)
    has_result = line.what == "restore" and line.outcome == "done" and line.backup_id is not None
    return ActivityRow(
        id=line.id,
        icon=icon,
        tone=tone,
        title=line.title,
        name=line.subject,
        href=_href(line),
        by=_by(line),
        at=wording.iso(line.at),
        took=wording.span(line.seconds) if line.seconds else "",
        message=message if is_told else "",
        hint=hint if is_told else "",
        note=line.note,
        details=_details(line) if message else "",
        result_href=f"{restore_address(str(line.backup_id))}?step=result&run={line.run_id}" if has_result else "",
    )


def row_of_run(job: JobView) -> ActivityRow:
    """A run that has ended, in words."""
    return activity_row(ActivityLine.of_run(job, damaged=[str(each) for each in job.result.get("damaged") or ()]))


def _look(line: ActivityLine) -> tuple[str, str]:
    if line.damaged:
        return "shield-alert", "bad"
    if _was_cancelled(line):
        return "circle-slash", "idle"
    if line.outcome in _ENDS:
        return _ENDS[line.outcome]
    if line.what.endswith(".cancel"):
        return "circle-slash", "plain"
    icon = _ICONS.get(line.what) or _ICONS_OF_KINDS.get(line.kind, "circle-check")
    return icon, "good" if line.what == "verify" else "plain"


def _was_cancelled(line: ActivityLine) -> bool:
    return line.outcome == "stopped" and (line.error is None or line.error.code == "cancelled")


def _href(line: ActivityLine) -> str:
    if line.backup_id:
        return backup_address(line.backup_id)
    if line.kind == "schedule":
        return SCHEDULES if line.schedule_id else ""
    return STORES if line.what == "store.added" else ""


def _by(line: ActivityLine) -> str:
    parts = [_NOBODY.get(line.by, line.by)]
    if line.schedule and line.kind != "schedule":
        parts.append(f"for the schedule {line.schedule}")
    if line.door in _DOORS and line.by != CONSOLE_EMAIL:
        parts.append(_DOORS[line.door])
    return ", ".join(parts)


def _details(line: ActivityLine) -> str:
    lines = [
        f"{line.title} {line.subject}".strip(),
        f"Backup: {line.backup_id or '-'}",
        f"Run: {line.run_id or line.id}, by {line.by}",
        f"Started {wording.iso(line.started_at) or '-'}, ended {wording.iso(line.at) or '-'}",
    ]
    if line.error:
        lines += [f"Error {line.error.code}: {line.error.message}", f"Hint: {line.error.hint}"]
    return "\n".join([*lines, *line.damaged])
