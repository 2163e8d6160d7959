"""The sentence at the top: is the data safe? Never greener than what was proven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rxbackup.operations.views import BackupView, JobView
from rxbackup.operations.views.alerts import FreshnessView
from rxbackup.ui import wording
from rxbackup.ui.pages.backups.watching import Facts

LONG, VERY_LONG = timedelta(days=2), timedelta(days=7)
PROVEN_LATELY = timedelta(days=8)
"""A schedule's newest backup is opened once a week, unless the settings say otherwise."""
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
        proven_at: when an earlier backup was last proven, where this one was not; "" for never.
        next_at, next_zone: when the next one is due by itself, and by whose clocks; "" where none is.
    """

    kind: str = ""
    at: str = ""
    proof: str = ""
    checked_at: str = ""
    reason: str = ""
    remedy: str = ""
    backup_id: str = ""
    name: str = ""
    proven_at: str = ""
    next_at: str = ""
    next_zone: str = ""


_UNKNOWN = FreshnessView("", "", "", None, None, None, None, "")
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
    whole = facts.fresh[0] if facts.fresh else _UNKNOWN
    if not trouble and whole.last_good_at and whole.last_good_at - latest.when > LONG:
        trouble = "Newer ones hold only some of the groups."
    proven = whole.last_proven_at
    is_proven_lately = proven is not None and now - proven < PROVEN_LATELY
    kind, remedy, reason = _grade(facts, latest, now, trouble, is_proven_lately=is_proven_lately)
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
        proven_at="" if level in _PROVEN else wording.iso(proven),
        next_at=wording.iso(whole.next_due_at),
        next_zone=whole.zone,
    )


def _without_backup(trouble: str, active: tuple[JobView, ...]) -> Protection:
    if any(job.kind == "backup" for job in active):
        return Protection(kind="running")
    if trouble:
        return Protection(kind="risk", reason=trouble, remedy="create")
    return Protection(kind="none", remedy="create")


def _grade(
    facts: Facts, latest: BackupView, now: datetime, trouble: str, *, is_proven_lately: bool
) -> tuple[str, str, str]:
    age = now - latest.when
    if _is_damaged(latest, facts.recent):
        return "risk", "create", "A check found damage in it."
    late, patience = _lateness(facts.fresh)
    if late:
        return "risk" if age > patience else "attention", "create", f"{late} {trouble}".strip()
    if trouble:
        return "attention", "create", trouble
    level = latest.verified_level
    critical = [alert.title for alert in facts.alerts if alert.severity == "critical"]
    if critical:
        return "attention", "" if level in _PROVEN else "check", f"{critical[0]}."
    # That all parts are there is checked each time; opening them all, only now and then.
    if level in _PROVEN or (level == "readable" and is_proven_lately):
        return "protected", "", ""
    return "stored", "check", "Its contents have not been opened and checked yet."


def _lateness(fresh: tuple[FreshnessView, ...]) -> tuple[str, timedelta]:
    """Why backups are late, as a sentence, and how old the last good one may be before that is a risk."""
    if not fresh or fresh[0].state != "late":
        return "", VERY_LONG
    late = [view.sentence for view in fresh[1:] if view.state == "late"]
    if late:
        return late[0], LONG
    return "That is more than two days ago, and no schedule takes the next one.", VERY_LONG


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
