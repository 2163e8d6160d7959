"""Numbers: how often backups succeed, how long they take, how much rests where, and how full it is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from rxbackup.access.actor import SYSTEM_EMAIL, Actor
from rxbackup.access.roles import Permission
from rxbackup.operations._telling.alerting import CRITICAL, WARNING, raise_alert, solve_alert
from rxbackup.operations._telling.announcing import TEST
from rxbackup.operations.freshness import show_freshness
from rxbackup.operations.guard import requires
from rxbackup.operations.health import HEARTBEAT
from rxbackup.operations.services import Services
from rxbackup.operations.stores import list_stores
from rxbackup.operations.views import StoreView
from rxbackup.operations.views.measures import DayOfRuns, History, LatestBackup, Measures, RunCount, StoreSizeView
from rxbackup.operations.wording import size
from rxbackup.tables.system import Alert, Backup, Message, Setting, StoreSize

__all__ = ["History", "Measures", "measure_stores", "read_measures", "show_history"]

_NEARLY_FULL = "store-nearly-full"
_MEASURED = "stores_measured"
_EVERY = timedelta(hours=1)
_LITTLE, _ENOUGH, _SHARE = 1_000_000_000, 20_000_000_000, 0.1
_MOST_DAYS = 3660
_RUNS = """
SELECT kind, state, count(*), coalesce(sum(extract(epoch FROM finished_at - started_at)), 0)::float8
FROM rxbackup.jobs GROUP BY kind, state ORDER BY kind, state
"""
_DAYS = """
SELECT (j.finished_at AT TIME ZONE 'UTC')::date AS day,
    count(*) FILTER (WHERE j.state = 'succeeded') AS succeeded,
    count(*) FILTER (WHERE j.state IN ('failed', 'interrupted')) AS failed,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY b.seconds) FILTER (WHERE j.state = 'succeeded') AS seconds,
    coalesce(sum(b.raw_bytes) FILTER (WHERE j.state = 'succeeded'), 0)::bigint AS raw_bytes,
    coalesce(sum(b.stored_bytes) FILTER (WHERE j.state = 'succeeded'), 0)::bigint AS stored_bytes
FROM rxbackup.jobs j LEFT JOIN rxbackup.backups b ON b.job_id = j.id
WHERE j.kind = 'backup' AND j.state <> 'cancelled' AND j.finished_at > :since
GROUP BY 1 ORDER BY 1
"""
_LATEST = """
SELECT timestamp, coalesce(rows, 0), coalesce(tables, 0), coalesce(raw_bytes, 0), coalesce(stored_bytes, 0),
    coalesce(seconds, 0), coalesce(segments_total, 0), coalesce(segments_read, 0)
FROM rxbackup.backups WHERE state = 'complete' AND origin IS NULL ORDER BY timestamp DESC LIMIT 1
"""


@requires(Permission.VIEW)
def read_measures(services: Services, actor: Actor) -> Measures:
    """Everything that a monitoring wants to know, as it is now."""
    freshness = show_freshness(services, actor)
    stores = list_stores(services, actor)
    with services.system.session(actor.identity) as session:
        beat = session.exec(select(Setting.value).where(col(Setting.key) == HEARTBEAT)).first()
        return Measures(
            freshness=freshness,
            runs=tuple(RunCount(*row) for row in session.connection().execute(text(_RUNS))),
            backups=_by(session, col(Backup.state)),
            latest=_latest(session),
            stores=stores,
            alerts=_by(session, col(Alert.kind), col(Alert.severity), where=col(Alert.solved_at).is_(None)),
            messages=_by(session, col(Message.state), where=col(Message.event) != TEST),
            scheduler_at=datetime.fromisoformat(beat["at"]) if beat else None,
        )


@requires(Permission.VIEW)
def show_history(services: Services, actor: Actor, *, days: int = 90) -> History:
    """Days that are over, for charts: what became of backups, and what the stores held."""
    since = services.clock() - timedelta(days=max(1, min(days, _MOST_DAYS)))
    with services.system.session(actor.identity) as session:
        runs = tuple(DayOfRuns(*row) for row in session.connection().execute(text(_DAYS), {"since": since}))
        sizes = session.exec(
            select(StoreSize)
            .where(col(StoreSize.day) > since.date())
            .order_by(col(StoreSize.day), col(StoreSize.store))
        ).all()
        shown = tuple(StoreSizeView(s.store, s.day, s.stored_bytes, s.backups, s.free_bytes) for s in sizes)
    good, bad = sum(day.succeeded for day in runs), sum(day.failed for day in runs)
    return History(runs, shown, good / (good + bad) if good + bad else None)


@requires(Permission.ADMINISTER)
def measure_stores(services: Services, actor: Actor) -> int:
    """Write down, once an hour, what each store holds today, and say where there is little room; how many stores."""
    now = services.clock()
    with services.system.session(actor.identity) as session:
        last = session.exec(select(Setting.updated_at).where(col(Setting.key) == _MEASURED)).first()
        if last is not None and last > now - _EVERY:
            return 0
        session.merge(Setting(key=_MEASURED, value=True, updated_at=now, updated_by=actor.email))
    views = list_stores(services, actor)
    with services.system.session(actor.identity) as session:
        for view in views:
            _write_size(session, view, now)
            _watch_room(session, view)
    return len(views)


def _write_size(session: Session, view: StoreView, now: datetime) -> None:
    held: dict[str, Any] = {
        "stored_bytes": view.stored_bytes + view.waiting_bytes,
        "backups": view.backups,
        "free_bytes": view.free_bytes,
    }
    statement = insert(StoreSize).values(store=view.name, day=now.astimezone(UTC).date(), **held)
    session.connection().execute(statement.on_conflict_do_update(index_elements=["store", "day"], set_=held))


def _watch_room(session: Session, view: StoreView) -> None:
    if view.free_bytes is None or not view.capacity_bytes:
        return
    wanted = max(_LITTLE, min(_ENOUGH, int(view.capacity_bytes * _SHARE)))
    if view.free_bytes >= wanted * 1.2:
        solve_alert(session, _NEARLY_FULL, view.name, SYSTEM_EMAIL)
    elif view.free_bytes < wanted and view.backups:
        raise_alert(
            session,
            _NEARLY_FULL,
            view.name,
            CRITICAL if view.free_bytes < _LITTLE else WARNING,
            f"The store {view.name} has {size(view.free_bytes)} left of {size(view.capacity_bytes)}.",
            "Free space there, delete backups that nobody needs, or move to a larger store.",
            details={
                "title": view.name,
                "facts": [["Where", view.where], ["Backups there", size(view.stored_bytes)]],
            },
        )


def _by(session: Session, *columns: Any, where: Any = None) -> tuple[Any, ...]:
    # SQLModel types `select` for a known number of columns.
    statement: Any = select(*columns, func.count()).group_by(*columns).order_by(*columns)  # type: ignore[call-overload]
    if where is not None:
        statement = statement.where(where)
    return tuple(tuple(row) for row in session.exec(statement))


def _latest(session: Session) -> LatestBackup | None:
    row = session.connection().execute(text(_LATEST)).first()
    return LatestBackup(*row) if row else None
