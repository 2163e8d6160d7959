"""The sentence at the top: is the data safe? Never greener than what was proven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rxbackup.operations.views import BackupView, JobView
from rxbackup.ui import wording
from rxbackup.ui.pages.backups.watching import Facts

FRESH = timedelta(hours=26)
STALE = timedelta(days=7)
_PROVEN = frozenset({"decrypted", "restored"})


@dataclass(frozen=True)
class Protection:
    """How safe the data is.

    Attributes:
        kind: "" (not known yet), none, running, protected, stored, attention or risk.
        at: when the last good backup was taken; "" for none.
        proof: what was proven of it, continuing the sentence; `checked_at` is when.
        reason: why it is not better, as a sentence of its own; may be "".
        remedy: what the one button does: create, check or "".
        backup_id, name: the last good backup.
    """

    kind: str = ""
    at: str = ""
    proof: str = ""
    checked_at: str = ""
    reason: str = ""
    remedy: str = ""
    backup_id: str = ""
    name: str = ""


_PROOFS = {
    "restored": "restored in a test",
    "decrypted": "contents checked",
    "readable": "all parts found",
    "stored": "",
}


def place_note(latest: BackupView | None) -> str:
    """What to know about where the last good backup rests: a warning if every place of it is lost with the database."""
    places = [place for place in latest.places if place.state == "complete"] if latest else []
    if not places or not all(place.same_server for place in places):
        return ""
    return "It rests on the server that it protects only: it does not survive the loss of that server."


def judge(facts: Facts, now: datetime) -> Protection:
    """Judge how safe the data is, from the last good backup and what has happened since."""
    latest, recent, active = facts.latest, facts.recent, facts.active
    trouble = _trouble(latest, recent)
    if latest is None:
        return _without_backup(trouble, active)
    missing = [count.name for count in facts.counts or () if count.name not in latest.groups]
    if missing and not trouble:
        trouble = f"It leaves out {wording.listed(missing)}."
    kind, remedy, reason = _grade(latest, now, trouble, recent)
    level = latest.verified_level or ""
    return Protection(
        kind=kind,
        at=wording.iso(latest.when),
        proof=_PROOFS.get(level, ""),
        checked_at=wording.iso(latest.verified_at) if _PROOFS.get(level) else "",
        reason=reason,
        remedy="" if any(job.kind in {"backup", "verify"} for job in active) else remedy,
        backup_id=latest.id,
        name=latest.name,
    )


def _without_backup(trouble: str, active: tuple[JobView, ...]) -> Protection:
    if any(job.kind == "backup" for job in active):
        return Protection(kind="running")
    if trouble:
        return Protection(kind="risk", reason=trouble, remedy="create")
    return Protection(kind="none", remedy="create")


def _grade(latest: BackupView, now: datetime, trouble: str, recent: tuple[JobView, ...]) -> tuple[str, str, str]:
    age = now - latest.when
    if _is_damaged(latest, recent):
        return "risk", "create", "A check found damage in it."
    if age > STALE:
        return "risk", "create", trouble or "That is more than a week ago."
    if trouble:
        return "attention", "create", trouble
    if age > FRESH:
        return "attention", "create", "That is more than a day ago."
    if latest.verified_level in _PROVEN:
        return "protected", "", ""
    return "stored", "check", "Its contents have not been opened and checked yet."


def _trouble(latest: BackupView | None, recent: tuple[JobView, ...]) -> str:
    """Why the newest finished backup run failed, if it came after the last good backup."""
    for job in recent:
        if job.kind != "backup" or job.is_active or job.state == "cancelled":
            continue
        if job.state == "succeeded" or (latest is not None and job.created_at < latest.when):
            return ""
        cause = job.error.message if job.error else "It stopped before it was done."
        return f"The last attempt failed: {cause}"
    return ""


def _is_damaged(latest: BackupView, recent: tuple[JobView, ...]) -> bool:
    checks = (job for job in recent if job.kind == "verify" and job.backup_id == latest.id and job.state == "succeeded")
    newest = next(checks, None)
    return newest is not None and bool(newest.result.get("damaged"))
