"""The data-loss radar: each backup is held against those before it. What looks like lost data holds retention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, text, update
from sqlmodel import Session, col, select

from rxbackup.operations._telling.alerting import CRITICAL, WARNING, raise_alert
from rxbackup.operations._telling.losses import Counted, Loss, find_losses
from rxbackup.operations.wording import counted, moment
from rxbackup.tables.system import Alert, Backup, Job

RADAR = "radar"
_HISTORY = 7
_MOST_FACTS = 20
_TABLES = text("""
SELECT t->>'schema', t->>'name', t->>'root', t->>'group', (t->>'rows')::bigint,
    jsonb_array_length(coalesce(t->'segments', '[]')), (t->>'segments_read')::int, (t->>'relfilenode')::bigint,
    b.backup_data->>'base_id' IS NOT NULL
FROM rxbackup.backups b, jsonb_array_elements(b.backup_data->'tables') AS t
WHERE b.id = :backup
""")


def look_for_losses(session: Session, backup_id: UUID, groups: Sequence[str] | None) -> UUID | None:
    """Compare a complete backup with those before it; raise an alert and pin the last good one if rows seem lost.

    Args:
        session: the caller's transaction, which must act as `system`.
        backup_id: the backup.
        groups: what it was to hold; None is everything.

    Returns:
        The alert, if one was raised now.
    """
    new = session.exec(
        select(Backup.name, Backup.timestamp, Backup.metadata_).where(
            col(Backup.id) == backup_id, col(Backup.state) == "complete"
        )
    ).first()
    if new is None:
        return None
    name, taken_at, metadata = new
    history = _history(session, taken_at, metadata)
    if not history:
        return None
    roots: dict[str, str] = {}
    tables, previous = (_counted(session, each, roots) for each in (backup_id, history[0].id))
    rows = [_together(each.tables, roots) for each in history]
    losses = find_losses(tables, rows, previous, groups=None if groups is None else frozenset(groups))
    if not losses:
        return None
    return _raise(session, backup_id, name, taken_at, losses, _last_good(history, rows, losses))


def _history(session: Session, taken_at: datetime, metadata: Mapping[str, Any]) -> Sequence[Any]:
    """The newest complete backups before, of the same database, since a person last changed rows on purpose."""
    since = [
        session.exec(
            select(func.max(Job.finished_at)).where(col(Job.kind) == "restore", col(Job.state) == "succeeded")
        ).one(),
        *(
            datetime.fromisoformat(details["taken_at"])
            for details in session.exec(
                select(Alert.details).where(col(Alert.kind) == RADAR, col(Alert.solved_at).is_not(None))
            )
        ),
    ]
    known = [each for each in since if each is not None]
    database = str(metadata.get("server", {}).get("database", ""))
    statement = (
        select(
            Backup.id,
            Backup.name,
            Backup.pinned,
            col(Backup.metadata_)["tables"].label("tables"),
        )
        .where(
            col(Backup.state) == "complete",
            col(Backup.origin).is_(None),
            col(Backup.trashed_at).is_(None),
            col(Backup.timestamp) < taken_at,
            col(Backup.metadata_)["server"]["database"].astext == database,
        )
        .order_by(col(Backup.timestamp).desc())
        .limit(_HISTORY)
    )
    if known:
        # What was confirmed is the measure from then on, itself included.
        statement = statement.where(col(Backup.timestamp) >= max(known))
    return session.exec(statement).all()


def _counted(session: Session, backup_id: UUID, roots: dict[str, str]) -> dict[str, Counted]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for schema, name, root, *facts in session.connection().execute(_TABLES, {"backup": backup_id}):
        leaf = f"{schema}.{name}"
        roots[leaf] = root or leaf
        found.setdefault(roots[leaf], []).append(tuple(facts))
    return {name: _one(name, parts) for name, parts in found.items()}


def _one(name: str, parts: Sequence[tuple[Any, ...]]) -> Counted:
    segments = sum(part[2] for part in parts)
    leaned = all(part[3] is not None and part[5] for part in parts)
    return Counted(
        name=name,
        group=str(parts[0][0]),
        rows=sum(part[1] for part in parts),
        segments=segments,
        share_read=sum(part[3] for part in parts) / segments if leaned and segments else None,
        files=frozenset(part[4] for part in parts),
    )


def _together(tables: Mapping[str, int] | None, roots: Mapping[str, str]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for name, count in (tables or {}).items():
        root = roots.get(name, name)
        rows[root] = rows.get(root, 0) + count
    return rows


def _last_good(history: Sequence[Any], rows: Sequence[Mapping[str, int]], losses: Iterable[Loss]) -> Any:
    """The newest backup before that holds what is missed now."""
    wanted = {loss.table: loss.before for loss in losses}
    for backup, counts in zip(history, rows, strict=True):
        if all(counts.get(table, 0) >= before for table, before in wanted.items()):
            return backup
    return history[0]


def _raise(
    session: Session, backup_id: UUID, name: str, taken_at: datetime, losses: Sequence[Loss], last_good: Any
) -> UUID | None:
    facts = [[loss.table, loss.in_words] for loss in losses[:_MOST_FACTS]]
    if len(losses) > _MOST_FACTS:
        facts.append(["and", counted(len(losses) - _MOST_FACTS, "more table")])
    first = losses[0]
    others = f" So do {counted(len(losses) - 1, 'other table')}." if len(losses) > 1 else ""
    alert = raise_alert(
        session,
        RADAR,
        "",
        WARNING if all(loss.kind == "rewritten" for loss in losses) else CRITICAL,
        f"In the backup {name}, {first.table} looks as if data had been lost ({first.in_words}).{others} "
        f"{last_good.name} is the last good backup: it is pinned, and no backup is removed until somebody has looked.",
        "Compare the two backups. If rows are missing, restore them; then, or if this was meant, say that it was "
        "expected.",
        details={
            "title": name,
            "backup": str(backup_id),
            "taken_at": taken_at.isoformat(),
            "last_good": str(last_good.id),
            "pinned": not last_good.pinned,
            "facts": [["Backup", f"{name}, {moment(taken_at)} UTC"], ["Last good", last_good.name], *facts],
        },
    )
    if alert is not None:
        session.exec(update(Backup).where(col(Backup.id) == last_good.id).values(pinned=True))
        return alert
    _add_to_open(session, taken_at, facts)
    return None


def _add_to_open(session: Session, taken_at: datetime, facts: Sequence[list[str]]) -> None:
    """One alert is open already: it also says what was found now, and is told again."""
    alert = session.exec(
        select(Alert).where(col(Alert.kind) == RADAR, col(Alert.solved_at).is_(None)).with_for_update()
    ).one()
    known = alert.details.get("facts", [])
    fresh = [fact for fact in facts if fact not in known]
    if fresh:
        alert.details = {**alert.details, "facts": [*known, *fresh], "taken_at": taken_at.isoformat()}
        session.add(alert)
        session.flush()
