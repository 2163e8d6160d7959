"""Alerts: what wants a person now, what was, and telling people until it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, or_, text, update
from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotFound
from rxbackup.notify.letter import Said
from rxbackup.operations._telling.alerting import CRITICAL
from rxbackup.operations._telling.announcing import announce, link_to
from rxbackup.operations._telling.noticing import notice_ended
from rxbackup.operations._telling.radar import RADAR
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views.alerts import AlertView
from rxbackup.operations.wording import moment
from rxbackup.tables.system import Alert, Backup

__all__ = ["AlertView", "expect_alert", "list_alerts", "notice_runs", "tell_alerts"]

_REMIND_EVERY = timedelta(hours=24)
_TOLD_LATE = timedelta(days=1)
_SHORTEST_PREFIX = 4
_TITLES = {
    "failure": "Failed",
    "overdue": "No good backup in time",
    "radar": "Data may be lost",
    "schedule-paused": "Schedule paused",
    "store-nearly-full": "Store nearly full",
    "verification-failed": "Damaged backup",
}
_EVENTS = {"radar": "suspicious-change", "schedule-paused": "paused"}
"""Where an event has another name than the alert. What nobody foresaw is told as a failure."""
_SOLVE_GONE = """
UPDATE rxbackup.alerts SET solved_at = clock_timestamp(), solved_by = 'system'
WHERE solved_at IS NULL AND (
    kind = 'verification-failed' AND NOT EXISTS (
        SELECT FROM rxbackup.backups b WHERE b.id::text = split_part(about, ' ', 1) AND b.state = 'complete')
    OR kind = 'store-nearly-full' AND NOT EXISTS (SELECT FROM rxbackup.stores s WHERE s.name = about)
    OR kind = 'failure' AND about LIKE 'copy %' AND NOT EXISTS (
        SELECT FROM rxbackup.stores s WHERE s.name = substr(about, 6)))
"""
"""What an alert is about may be gone: then nobody needs to be told again."""
_TOLD = frozenset({"failure", "overdue", "store-nearly-full", "verification-failed"})


@requires(Permission.VIEW)
def list_alerts(services: Services, actor: Actor, *, solved: bool = False, limit: int = 100) -> tuple[AlertView, ...]:
    """What is open, the newest first; with `solved` also what was."""
    statement = select(Alert).order_by(col(Alert.raised_at).desc(), col(Alert.id)).limit(max(1, min(limit, 1000)))
    if not solved:
        statement = statement.where(col(Alert.solved_at).is_(None))
    with services.system.session(actor.identity) as session:
        return tuple(_view(alert) for alert in session.exec(statement))


@requires(Permission.ADMINISTER)
def expect_alert(services: Services, actor: Actor, alert_id: str) -> AlertView:
    """Say that this was expected, or is dealt with: the alert is over, and what it held back goes on.

    The backup that the radar pinned is let go again. What caused a failure or a silence is not over because of that:
    the next one raises a new alert.

    Raises:
        NotFound: there is no open alert of that id.
    """
    with services.system.session(actor.identity) as session:
        alert = _find(session, alert_id)
        alert.solved_at, alert.solved_by = services.database_clock(session), actor.email
        session.add(alert)
        session.flush()
        if alert.kind == RADAR and alert.details.get("pinned"):
            last_good = UUID(str(alert.details["last_good"]))
            session.exec(update(Backup).where(col(Backup.id) == last_good).values(pinned=False))
        audit.append(
            session,
            actor=actor.email,
            action="alert.expected",
            object_type="alert",
            object_id=str(alert.id),
            details={"name": _title(alert), "kind": alert.kind, "about": alert.about, "door": actor.door},
        )
        return _view(alert)


@requires(Permission.ADMINISTER)
def notice_runs(services: Services, actor: Actor) -> int:
    """Look once at each run that has ended: what it means for alerts, and who has to hear of it; how many there were.

    Call it before retention removes anything: only then the radar has seen the newest backup.
    """
    return notice_ended(services, actor.identity)


@requires(Permission.ADMINISTER)
def tell_alerts(services: Services, actor: Actor) -> int:
    """Write messages about alerts that nobody was told of yet, and remind of open ones once a day; how many alerts."""
    now = services.clock()
    untold = (col(Alert.reminded_at).is_(None), col(Alert.raised_at) > now - _TOLD_LATE)
    due = (col(Alert.solved_at).is_(None), col(Alert.reminded_at) <= now - _REMIND_EVERY)
    forgotten = (col(Alert.solved_at).is_(None), col(Alert.reminded_at).is_(None))
    with services.system.session(actor.identity) as session:
        session.connection().execute(text(_SOLVE_GONE))
        alerts = session.exec(
            select(Alert)
            .where(or_(*(each[0] & each[1] for each in (untold, due, forgotten))))
            .order_by(col(Alert.raised_at))
            .with_for_update(skip_locked=True)
        ).all()
        for alert in alerts:
            is_reminder = alert.reminded_at is not None
            once = f"alert {alert.id}" + (f" {now:%Y-%m-%d %H}" if is_reminder else "")
            announce(services, session, _event_of(alert), _said(services, alert, is_reminder=is_reminder), once=once)
            alert.reminded_at = now
            session.add(alert)
        return len(alerts)


def _event_of(alert: Alert) -> str:
    return _EVENTS.get(alert.kind) or (alert.kind if alert.kind in _TOLD else "failure")


def _said(services: Services, alert: Alert, *, is_reminder: bool) -> Said:
    facts = [tuple(map(str, fact)) for fact in alert.details.get("facts", [])]
    if is_reminder:
        facts.append(("Open since", f"{moment(alert.raised_at)} UTC"))
    return Said(
        headline=f"Still open: {_title(alert)}" if is_reminder else _title(alert),
        text=alert.message,
        tone="bad" if alert.severity == CRITICAL else "note",
        facts=tuple((name, value) for name, value in facts),
        hint=alert.hint,
        link=link_to(services, "/"),
    )


def _title(alert: Alert) -> str:
    about: Any = alert.details.get("title") or alert.details.get("schedule") or ""
    title = _TITLES.get(alert.kind, "Attention")
    return f"{title}: {about}" if about else title


def _find(session: Session, alert_id: str) -> Alert:
    wanted = alert_id.strip().lower()
    found: Sequence[Alert] = ()
    if len(wanted) >= _SHORTEST_PREFIX:
        found = session.exec(
            select(Alert)
            .where(cast(col(Alert.id), String).startswith(wanted, autoescape=True), col(Alert.solved_at).is_(None))
            .with_for_update()
        ).all()
    if len(found) != 1:
        what = "more than one open alert" if found else "no open alert"
        raise NotFound(f"There is {what} {alert_id[:80]!r}.", hint="`rxbackup alert list` shows what is open.")
    return found[0]


def _view(alert: Alert) -> AlertView:
    return AlertView(
        id=str(alert.id),
        kind=alert.kind,
        about=alert.about,
        title=_title(alert),
        severity=alert.severity,
        message=alert.message,
        hint=alert.hint,
        facts=tuple((str(name), str(value)) for name, value in alert.details.get("facts", [])),
        details=alert.details,
        raised_at=alert.raised_at,
        solved_at=alert.solved_at,
        solved_by=alert.solved_by,
    )
