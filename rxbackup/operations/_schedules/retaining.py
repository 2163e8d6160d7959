"""What a schedule's policy makes of its backups, and what does not stay goes to the trash."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.cadence.due import zone_of
from rxbackup.errors import Busy, Refused
from rxbackup.operations._backups.catalogue import find_backup
from rxbackup.operations._backups.holding import held_among
from rxbackup.operations._removal.deleting import refuse_removal
from rxbackup.operations._removal.trashing import put_into_trash
from rxbackup.operations.services import Services
from rxbackup.retention.judging import Candidate, Judgement, judge
from rxbackup.retention.policy import Policy, policy_from_json
from rxbackup.tables.system import Alert, Backup, Job, Schedule

_PROVEN = frozenset({"readable", "decrypted", "restored"})
"""What is only *stored* was read back by nobody but who wrote it."""

_A_DAY = timedelta(days=1)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Judged:
    """The backups of a schedule that count, and the judgement on them. `backups` are by id."""

    policy: Policy
    backups: Mapping[str, Row[tuple[UUID, str, datetime, int | None]]]
    candidates: Mapping[str, Candidate]
    judgement: Judgement
    held: str


def judged(
    session: Session, schedule: Schedule, now: datetime, policy: Policy | None = None, *, zone: str = ""
) -> Judged:
    """Judge the backups that a schedule has now, by the database's clock, by its own policy or by another one.

    `zone` says where days begin; "" for the schedule's own.
    """
    policy = policy_from_json(schedule.retention) if policy is None else policy
    rows = session.execute(
        columns(
            col(Backup.id),
            col(Backup.name),
            col(Backup.timestamp),
            col(Backup.stored_bytes),
            col(Backup.pinned),
            col(Backup.verified_level),
        ).where(
            col(Backup.schedule_id) == schedule.id,
            col(Backup.state) == "complete",
            # What was found damaged is no good backup: it takes no place, and a person has to look at it.
            col(Backup.error).is_(None),
            col(Backup.trashed_at).is_(None),
        )
    ).all()
    used = _used(session)
    held_ids = held_among(session, [str(row.id) for row in rows])
    candidates = {}
    for row in rows:
        key = str(row.id)
        exempt = "pinned" if row.pinned else used.get(key, "being read" if key in held_ids else "")
        candidates[key] = Candidate(key, row.timestamp, verified=row.verified_level in _PROVEN, exempt=exempt)
    held = _held(session) or _ahead_of([row.timestamp for row in rows], now)
    judgement = judge(policy, list(candidates.values()), zone_of(zone or schedule.zone), held=held)
    return Judged(policy, {str(row.id): row for row in rows}, candidates, judgement, held)


def retain(services: Services, actor: Actor, schedule_id: UUID) -> int:
    """Move to the trash what a schedule keeps no more; how many backups that were.

    Whoever pins a backup or begins to read it at the same moment wins.
    """
    with services.system.session(actor.identity) as session:
        schedule = session.get(Schedule, schedule_id)
        if schedule is None:
            return 0
        going = judged(session, schedule, services.database_clock(session)).judgement.going
    return sum(_let_go(services, actor, schedule, backup_id) for backup_id in going)


def _let_go(services: Services, actor: Actor, schedule: Schedule, backup_id: str) -> bool:
    try:
        with services.system.session(actor.identity) as session:
            view = find_backup(session, backup_id)
            refuse_removal(session, view)
            # Judged again, now that nothing can change it: another backup may have been deleted meanwhile.
            now = services.database_clock(session)
            if backup_id not in judged(session, schedule, now).judgement.going:
                return False
            because = f"the schedule {schedule.name} keeps it no more"
            put_into_trash(session, actor, view, now, services.settings.trash_days, because=because)
    except (Busy, Refused) as error:
        _logger.info("Backup %s stays for now: %s", backup_id, error.message)
        return False
    return True


def _used(session: Session) -> dict[str, str]:
    jobs = session.exec(
        select(col(Job.parameters)["backup_id"].astext, Job.kind).where(col(Job.state).in_(["queued", "running"]))
    )
    return {backup_id: f"used by a {kind}" for backup_id, kind in jobs if backup_id}


def _ahead_of(moments: Sequence[datetime], now: datetime) -> str:
    """Beside a backup of a day to come every other one looks old: a clock was ahead when it was taken."""
    return (
        "a backup is dated in the future: nothing goes as long as it is"
        if max(moments, default=now) > now + _A_DAY
        else ""
    )


def _held(session: Session) -> str:
    """All schedules protect one database: where its rows seem to be lost, none of them removes anything."""
    open_alert = select(Alert.id).where(col(Alert.kind) == "radar", col(Alert.solved_at).is_(None)).limit(1)
    return "rows seem to be lost: nothing goes until somebody has looked" if session.exec(open_alert).first() else ""
