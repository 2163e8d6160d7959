"""From runs that have ended to alerts and messages: each run is looked at once, whoever performed it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from rxbackup.access.actor import SYSTEM_EMAIL
from rxbackup.notify.letter import Said
from rxbackup.operations._telling.alerting import CRITICAL, WARNING, raise_alert, solve_alert
from rxbackup.operations._telling.announcing import announce, link_to
from rxbackup.operations._telling.radar import look_for_losses
from rxbackup.operations.services import Services
from rxbackup.operations.wording import moment, size
from rxbackup.tables.system import Alert, Backup, Job, Occurrence, Schedule, Setting

FAILURE, OVERDUE, DAMAGED = "failure", "overdue", "verification-failed"

_SEEN = "runs_noticed"
_FIRST_LOOK = timedelta(hours=1)
_OVERLAP = timedelta(minutes=10)
"""A run's end is dated before its transaction commits: so far back they are looked for again."""
_MOST_AT_ONCE = 500

_logger = logging.getLogger(__name__)


def notice_ended(services: Services, identity: str) -> int:
    """Look at every run that ended since the last look; how many there were."""
    with services.system.session(identity) as session:
        seen = _lock_mark(session)
        since = datetime.fromisoformat(seen.value["until"])
        known = {UUID(each) for each in seen.value["ids"]}
        ended = session.exec(
            select(Job)
            .where(col(Job.finished_at) > since - _OVERLAP, col(Job.id).not_in(known))
            .order_by(col(Job.finished_at), col(Job.id))
            .limit(_MOST_AT_ONCE)
        ).all()
        for job in ended:
            _notice(services, session, job)
        if ended:
            _move_mark(session, seen, ended[-1].finished_at or since, known | {job.id for job in ended})
        return len(ended)


def _lock_mark(session: Session) -> Setting:
    """The mark of how far the runs were looked at. While it is locked, nobody else looks at them."""
    begin = session.exec(select(func.clock_timestamp())).one() - _FIRST_LOOK
    values = {"key": _SEEN, "value": {"until": begin.isoformat(), "ids": []}, "updated_by": SYSTEM_EMAIL}
    session.connection().execute(insert(Setting).values(values).on_conflict_do_nothing())
    return session.exec(select(Setting).where(col(Setting.key) == _SEEN).with_for_update()).one()


def _move_mark(session: Session, seen: Setting, until: datetime, known: set[UUID]) -> None:
    until = max(until, datetime.fromisoformat(seen.value["until"]))
    recent = session.exec(select(Job.id).where(col(Job.id).in_(known), col(Job.finished_at) > until - _OVERLAP)).all()
    seen.value = {"until": until.isoformat(), "ids": [str(each) for each in recent]}
    session.add(seen)
    session.flush()


def _notice(services: Services, session: Session, job: Job) -> None:
    look = _LOOKS.get(job.kind)
    if look is None or job.state == "cancelled":
        return
    try:
        with session.begin_nested():
            look(services, session, job)
    except Exception:
        # One run that nobody foresaw must not keep people from hearing of all the others.
        _logger.exception("Run %s could not be told about", job.id)


def _notice_backup(services: Services, session: Session, job: Job) -> None:
    about, title = _schedule_of(session, job)
    if job.state == "succeeded":
        _good_backup(services, session, job, about, title)
    elif about or (job.error or {}).get("code") != "interrupted":
        # Who stops his own backup at the terminal knows.
        whose = f'of the schedule "{title}"' if title else f'"{(job.parameters or {}).get("name", "")}"'
        name = title or str((job.parameters or {}).get("name", ""))
        _failed(session, job, about, name, f"The backup {whose}", [["Last good backup", _last_good(session, about)]])


def _good_backup(services: Services, session: Session, job: Job, about: str, title: str) -> None:
    backup = session.exec(select(Backup).where(col(Backup.job_id) == job.id, col(Backup.state) == "complete")).first()
    if backup is None:
        return
    ids = {about, ""}
    solved = [solve_alert(session, FAILURE, each, SYSTEM_EMAIL) for each in sorted(ids)]
    solved.append(solve_alert(session, OVERDUE, about, SYSTEM_EMAIL))
    name, once = title or backup.name, f"run {job.id}"
    facts = (
        ("Backup", backup.name),
        ("Taken", f"{moment(backup.timestamp)} UTC"),
        ("Rows", f"{backup.rows or 0:,} in {backup.tables or 0} tables"),
        ("Stored", f"{size(backup.stored_bytes or 0)} in {backup.store}"),
        ("Took", f"{backup.seconds or 0:.0f} s"),
    )
    link = link_to(services, f"/backups/{backup.id}")
    text = f"{backup.name} is complete and was read back."
    if any(solved):
        said = Said(f"Backups work again: {name}", text, "good", facts, link=link)
        announce(services, session, "recovered", said, once=once)
    elif about and _is_first(session, backup):
        said = Said(f"First backup is safe: {name}", text, "good", facts, link=link)
        announce(services, session, "first-success", said, once=once)
    announce(services, session, "success", Said(f"Backup is safe: {name}", text, "good", facts, link=link), once=once)
    look_for_losses(session, backup.id, (job.parameters or {}).get("groups"))


def _is_first(session: Session, backup: Backup) -> bool:
    return not session.exec(
        select(Backup.id)
        .where(
            col(Backup.schedule_id) == backup.schedule_id,
            col(Backup.state) == "complete",
            col(Backup.timestamp) < backup.timestamp,
        )
        .limit(1)
    ).first()


def _last_good(session: Session, schedule: str) -> str:
    """When the newest good one was taken, of the schedule or of all: how much is at stake."""
    newest = select(func.max(Backup.timestamp)).where(
        col(Backup.state) == "complete", col(Backup.trashed_at).is_(None), col(Backup.origin).is_(None)
    )
    if schedule:
        newest = newest.where(col(Backup.schedule_id) == UUID(schedule))
    at = session.exec(newest).one()
    return f"{moment(at)} UTC" if at else "never"


def _schedule_of(session: Session, job: Job) -> tuple[str, str]:
    found = session.exec(
        select(Schedule.id, Schedule.name).join(Occurrence).where(col(Occurrence.job_id) == job.id)
    ).first()
    return (str(found[0]), found[1]) if found else ("", "")


def _failed(session: Session, job: Job, about: str, title: str, what: str, more: Sequence[Sequence[str]] = ()) -> None:
    """Raise the alert, or add to the one that is open: people hear of the first failure, then once a day."""
    error: Mapping[str, Any] = job.error or {}
    message = f"{what} failed: {error.get('message') or 'nobody knows why.'}"
    facts = [["When", f"{moment(job.finished_at or job.created_at)} UTC"], ["Asked for by", job.actor], *more]
    details = {"title": title, "job": str(job.id), "failures": 1, "facts": facts}
    hint = str(error.get("hint") or "")
    if raise_alert(session, FAILURE, about, CRITICAL, message, hint, details=details) is not None:
        return
    alert = session.exec(
        select(Alert).where(col(Alert.kind) == FAILURE, col(Alert.about) == about, col(Alert.solved_at).is_(None))
    ).one()
    failures = int(alert.details.get("failures", 1)) + 1
    alert.message, alert.hint = message, hint
    alert.details = {**details, "failures": failures, "facts": [*facts, ["Failures in a row", str(failures)]]}
    session.add(alert)
    session.flush()


def _notice_errand(services: Services, session: Session, job: Job) -> None:
    """Copies and prunes: what failed is over when the same works again."""
    store = str((job.parameters or {}).get("store") or "")
    about, title = f"{job.kind} {store}".strip(), f"{job.kind} {store}".strip()
    if job.state != "succeeded":
        _failed(session, job, about, title, f"The {job.kind}{f' to {store}' if job.kind == 'copy' else ''}")
    elif solve_alert(session, FAILURE, about, SYSTEM_EMAIL) is not None:
        said = Said(f"Works again: {title}", f"The {job.kind} that failed before is done.", "good")
        announce(services, session, "recovered", said, once=f"run {job.id}")


def _notice_restore(services: Services, session: Session, job: Job) -> None:
    parameters = job.parameters or {}
    name, is_undo = str(parameters.get("name", "")), bool(parameters.get("undoes"))
    facts = (("Asked for by", job.actor), ("When", f"{moment(job.finished_at or job.created_at)} UTC"))
    if job.state == "succeeded":
        headline = "Restore taken back" if is_undo else "Restored"
        said = Said(f"{headline}: {name}", str((job.result or {}).get("message", "")), "note", facts)
    else:
        error: Mapping[str, Any] = job.error or {}
        headline = "Undo failed" if is_undo else "Restore failed"
        said = Said(f"{headline}: {name}", str(error.get("message", "")), "bad", facts, str(error.get("hint", "")))
    announce(services, session, "undo" if is_undo else "restore", said, once=f"run {job.id}")


def _notice_verify(services: Services, session: Session, job: Job) -> None:
    parameters, result = job.parameters or {}, job.result or {}
    about, name = str(parameters.get("backup_id", "")), str(parameters.get("name", ""))
    if job.state == "failed":
        # Nothing is known about the backup: no alert about it, but who relies on the proof hears of it.
        error: Mapping[str, Any] = job.error or {}
        said = Said(
            f"Could not be verified: {name}", str(error.get("message", "")), "bad", (), str(error.get("hint", ""))
        )
        announce(services, session, DAMAGED, said, once=f"run {job.id}")
    if job.state != "succeeded":
        return
    store = parameters.get("store")
    place = f"{about} {store}" if store else about
    if result.get("ok"):
        solve_alert(session, DAMAGED, place, SYSTEM_EMAIL)
        return
    where = f"The copy of {name} in {store}" if store else f"The backup {name}"
    facts = [["Level", str(parameters.get("level", ""))], ["When", f"{moment(job.finished_at or job.created_at)} UTC"]]
    raise_alert(
        session,
        DAMAGED,
        place,
        CRITICAL if not store else WARNING,
        f"{where} is damaged. {result.get('message', '')}",
        "Take a new backup now, and verify the others.",
        details={"title": name, "job": str(job.id), "facts": facts},
    )


_LOOKS: Mapping[str, Callable[[Services, Session, Job], None]] = {
    "backup": _notice_backup,
    "copy": _notice_errand,
    "prune": _notice_errand,
    "restore": _notice_restore,
    "verify": _notice_verify,
}
