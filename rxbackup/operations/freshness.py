"""Is there a good backup that is young enough? Absence is a failure, and nobody else reports it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from rxbackup.access.actor import SYSTEM_EMAIL, Actor
from rxbackup.access.roles import Permission
from rxbackup.cadence.due import next_due, zone_of
from rxbackup.cadence.lateness import late_from
from rxbackup.cadence.rules import rule_from_json
from rxbackup.cadence.words import in_words
from rxbackup.errors import UsageError
from rxbackup.notify.letter import Said
from rxbackup.operations._telling.alerting import CRITICAL, raise_alert, solve_alert
from rxbackup.operations._telling.announcing import announce
from rxbackup.operations._telling.noticing import OVERDUE
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views.alerts import FreshnessView
from rxbackup.operations.wording import lapse, moment
from rxbackup.tables.system import Alert, Backup, Schedule

__all__ = ["FreshnessView", "show_freshness", "watch_freshness"]

_PROVEN = ("decrypted", "restored")
_STALE = timedelta(days=2)
"""Without a schedule nobody promised a backup; after so long it counts as late all the same."""


@requires(Permission.VIEW)
def show_freshness(services: Services, actor: Actor) -> tuple[FreshnessView, ...]:
    """How fresh the backups are: first of all together, then of each schedule by name."""
    with services.system.session(actor.identity) as session:
        return _look(session, services.database_clock(session))


@requires(Permission.ADMINISTER)
def watch_freshness(services: Services, actor: Actor) -> int:
    """Raise an alert for each schedule that is late, and solve those that are not any more; how many are late."""
    with services.system.session(actor.identity) as session:
        views = {view.schedule_id: view for view in _look(session, services.database_clock(session))}
        late = [view for key, view in views.items() if key and view.state == "late"]
        for view in late:
            _raise(session, view)
        still = {view.schedule_id for view in late}
        for about in session.exec(
            select(Alert.about).where(col(Alert.kind) == OVERDUE, col(Alert.solved_at).is_(None))
        ).all():
            if about not in still:
                _solve(services, session, about, views.get(about))
        return len(late)


def _raise(session: Session, view: FreshnessView) -> None:
    last = f"{moment(view.last_good_at)} UTC" if view.last_good_at else "never"
    raise_alert(
        session,
        OVERDUE,
        view.schedule_id,
        CRITICAL,
        view.sentence,
        "See whether its runs fail, are skipped or do not happen at all: `rxbackup schedule show`. The app must run, "
        "and with it a worker.",
        details={"title": view.schedule, "facts": [["Schedule", view.schedule], ["Last good backup", last]]},
    )


def _solve(services: Services, session: Session, about: str, view: FreshnessView | None) -> None:
    alert = solve_alert(session, OVERDUE, about, SYSTEM_EMAIL)
    if alert is not None and view is not None and view.state == "ok":
        said = Said(f"Backups are in time again: {view.schedule}", view.sentence, "good")
        announce(services, session, "recovered", said, once=f"solved {alert}")


def _look(session: Session, now: datetime) -> tuple[FreshnessView, ...]:
    good = _newest(session, col(Backup.timestamp))
    proven = _newest(session, col(Backup.verified_at), col(Backup.verified_level).in_(_PROVEN))
    schedules = session.exec(select(Schedule).order_by(func.lower(col(Schedule.name)))).all()
    each = tuple(_of_schedule(row, good.get(row.id), proven.get(row.id), now) for row in schedules)
    return (_of_all(each, _latest(good), _latest(proven), now), *each)


def _newest(session: Session, what: Any, *conditions: Any) -> dict[UUID | None, datetime]:
    """The newest moment by schedule, None for backups of no schedule, over all that can be restored."""
    rows = session.exec(
        select(Backup.schedule_id, func.max(what))
        .where(
            col(Backup.state) == "complete",
            col(Backup.trashed_at).is_(None),
            col(Backup.origin).is_(None),
            *conditions,
        )
        .group_by(col(Backup.schedule_id))
    ).all()
    return {schedule: at for schedule, at in rows if at is not None}


def _latest(moments: dict[UUID | None, datetime]) -> datetime | None:
    return max(moments.values(), default=None)


def _of_schedule(row: Schedule, good: datetime | None, proven: datetime | None, now: datetime) -> FreshnessView:
    try:
        rule, zone = rule_from_json(row.cadence), zone_of(row.zone)
    except UsageError as error:
        return FreshnessView(str(row.id), row.name, "late", good, proven, None, None, error.message)
    # What rested, or was another rule before, is measured from its beginning.
    late = late_from(rule, zone, max(each for each in (good, row.created_at, row.updated_at) if each))
    ago = f"{lapse(now - good)} ago" if good else "never"
    if not row.active:
        why = f" {row.paused_because}" if row.paused_because else ""
        sentence = f"{row.name} is paused; its last good backup was taken {ago}.{why}"
        return FreshnessView(str(row.id), row.name, "paused", good, proven, None, None, sentence)
    due = row.next_due_at or next_due(rule, zone, now)
    is_late = late is not None and now >= late
    if is_late:
        rhythm = in_words(rule)
        last = f"for {lapse(now - good)}" if good else "yet"
        sentence = f"{row.name} has brought no good backup {last}. It should: {rhythm[0].lower()}{rhythm[1:]}."
    elif good:
        sentence = f"{row.name}: the last good backup was taken {ago}."
    elif (first := next_due(rule, zone, max(row.created_at, row.updated_at))) is not None and first <= now:
        sentence = f"{row.name} has brought no good backup yet."
    else:
        sentence = f"{row.name} has not been due yet."
    state = "late" if is_late else "ok" if good else "never"
    zone_name = row.zone if due else ""
    return FreshnessView(str(row.id), row.name, state, good, proven, due, late, sentence, zone_name)


def _of_all(
    each: tuple[FreshnessView, ...], good: datetime | None, proven: datetime | None, now: datetime
) -> FreshnessView:
    active = [view for view in each if view.state != "paused"]
    late = [view for view in active if view.state == "late"]
    due, zone = min(((view.next_due_at, view.zone) for view in active if view.next_due_at), default=(None, ""))
    late_at = min((view.late_from for view in active if view.late_from), default=None)
    if good is None:
        state, sentence = "never", "There is no backup yet."
    elif late:
        state, sentence = "late", late[0].sentence
    elif not active:
        state = "late" if now - good > _STALE else "ok"
        sentence = f"The last backup was taken {lapse(now - good)} ago, and no schedule takes the next one."
        late_at = good + _STALE
    else:
        state, sentence = "ok", f"The last good backup was taken {lapse(now - good)} ago."
    shown = "" if good is None else _about_proof(proven, now)
    return FreshnessView("", "", state, good, proven, due, late_at, f"{sentence}{shown}", zone)


def _about_proof(proven: datetime | None, now: datetime) -> str:
    if proven is None:
        return " None was ever read back to the last row: verify one."
    return f" One was proven to be whole {lapse(now - proven)} ago."
