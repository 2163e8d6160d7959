"""Retention: which backups of a schedule stay, why and until when; those that do not go to the trash."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, exists
from sqlalchemy import cast as as_type
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import RxbackupError
from rxbackup.operations._remembering import recall, remember
from rxbackup.operations._removal.deleting_unasked import delete_if_still
from rxbackup.operations._schedules.retaining import Judged, judged, retain
from rxbackup.operations._schedules.schedule_rows import find_schedule
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import JudgedView, RetentionView
from rxbackup.retention.policy import Policy, policy_from_json
from rxbackup.tables.system import Alert, Backup, Schedule

__all__ = ["JudgedView", "RetentionView", "forget_failures", "preview_retention", "retain_daily"]

_LOOKED = "retention_looked_at"
_FAILED = ("failed", "interrupted")
_FAILURES_KEPT = timedelta(days=30)

_logger = logging.getLogger(__name__)


@requires(Permission.VIEW)
def preview_retention(
    services: Services,
    actor: Actor,
    name: str,
    *,
    policy: Policy | None = None,
    changes: Mapping[str, Any] | None = None,
    zone: str = "",
) -> RetentionView:
    """What a policy makes of the backups that a schedule has today. Nothing is changed.

    Args:
        services: the installation.
        actor: who asks.
        name: the schedule's name or id.
        policy: another policy than the schedule's own.
        changes: values that differ from that policy, by the names of its fields.
        zone: another time zone than the schedule's own, by which days begin.

    Raises:
        NotFound: there is no such schedule.
        UsageError: a number makes no sense, or there is no such zone.
    """
    with services.system.session(actor.identity) as session:
        schedule = find_schedule(session, name)
        wanted = policy or policy_from_json(schedule.retention)
        tried = replace(wanted, **dict(changes or {}))
        found = judged(session, schedule, services.database_clock(session), tried, zone=zone)
        return RetentionView(schedule.name, found.policy.in_words(), found.held, _views(found))


@requires(Permission.ADMINISTER)
def retain_daily(services: Services, actor: Actor) -> int:
    """Let every schedule remove what it keeps no more, once a day; how many backups went to the trash.

    After each good backup its own schedule does so in any case: this is for pins that were taken off, and alerts that
    were answered.
    """
    with services.system.session(actor.identity) as session:
        now = services.database_clock(session)
        today = now.date().isoformat()
        if recall(session, _LOOKED) == today:
            return 0
        remember(session, _LOOKED, today, at=now, by=actor.email)
        schedules = session.exec(select(Schedule.id).where(col(Schedule.retention) != {})).all()
    going = 0
    for schedule_id in schedules:
        try:
            going += retain(services, actor, schedule_id)
        except RxbackupError as error:
            _logger.warning("Retention of schedule %s: %s", schedule_id, error.message)
    return going


@requires(Permission.ADMINISTER)
def forget_failures(services: Services, actor: Actor) -> int:
    """Delete what schedules began long ago and never finished; how many backups those were.

    The newest failure of each schedule stays, and so does whatever an open alert points to, and what is pinned.
    """
    with services.system.session(actor.identity) as session:
        old = session.exec(select(Backup.id).where(*_forgettable(services.database_clock(session)))).all()
    forgotten = 0
    for backup_id in old:
        try:
            _, away = delete_if_still(
                services,
                actor,
                str(backup_id),
                partial(_is_forgettable, services, backup_id),
                because=f"it failed more than {_FAILURES_KEPT.days} days ago",
            )
        except RxbackupError as error:
            _logger.warning("The failed backup %s stays for now: %s", backup_id, error.message)
            continue
        forgotten += not away
    return forgotten


def _is_forgettable(services: Services, backup_id: UUID, session: Session) -> bool:
    statement = select(Backup.id).where(col(Backup.id) == backup_id, *_forgettable(services.database_clock(session)))
    return session.exec(statement).first() is not None


def _forgettable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    later = aliased(Backup)
    failed_again = exists().where(
        col(later.schedule_id) == col(Backup.schedule_id),
        col(later.state).in_(_FAILED),
        col(later.timestamp) > col(Backup.timestamp),
    )
    pointed_to = exists().where(
        col(Alert.solved_at).is_(None),
        or_(
            col(Alert.about).startswith(as_type(col(Backup.id), String)),
            col(Alert.details)["backup"].astext == as_type(col(Backup.id), String),
            col(Alert.details)["job"].astext == as_type(col(Backup.job_id), String),
        ),
    )
    return (
        col(Backup.trigger) == "schedule",
        col(Backup.state).in_(_FAILED),
        col(Backup.timestamp) < now - _FAILURES_KEPT,
        ~col(Backup.pinned),
        or_(col(Backup.schedule_id).is_(None), failed_again),
        ~pointed_to,
    )


def _views(found: Judged) -> tuple[JudgedView, ...]:
    kept = {each.id: each for each in found.judgement.kept}
    newest_first = sorted(found.backups.values(), key=lambda row: (row.timestamp, str(row.id)), reverse=True)
    views = []
    for row in newest_first:
        stays = kept.get(str(row.id))
        views.append(
            JudgedView(
                id=str(row.id),
                name=row.name,
                when=row.timestamp,
                verified=found.candidates[str(row.id)].verified,
                stored_bytes=row.stored_bytes or 0,
                reasons=stays.reasons if stays else (),
                until=stays.until if stays else None,
                going=stays is None,
            )
        )
    return tuple(views)
