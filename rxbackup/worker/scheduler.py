"""The clock: once a minute somebody looks whether everything is as it should be."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.errors import RxbackupError
from rxbackup.operations import (
    alerts,
    backups,
    channels,
    copies,
    freshness,
    health,
    imports,
    jobs,
    measures,
    occurrences,
    previews,
    prunes,
    retentions,
    side_schemas,
    sign_in,
    trash,
    undos,
    verifications,
)
from rxbackup.operations.services import Services

_logger = logging.getLogger(__name__)

_LOOK_AFTER_DATABASE_SECONDS = 5
_SEND_SECONDS = 15
_Duties = tuple[Callable[[Services, Actor], object], ...]
_TIMELY: _Duties = (occurrences.queue_due_backups, occurrences.settle_occurrences)
"""What no other duty may delay, however long that one takes."""
_DUTIES: _Duties = (
    jobs.reap_dead_jobs,
    alerts.notice_runs,  # before retention: only then the radar has seen the newest backup
    backups.finish_deletions,
    copies.queue_waiting_copies,
    retentions.retain_daily,
    retentions.forget_failures,
    trash.delete_expired,
    prunes.sweep_waiting,
    prunes.prune_daily,
    verifications.verify_regularly,
    verifications.drop_drill_leftovers,
    imports.sweep_imports,
    sign_in.purge_sessions,
    previews.forget_previews,
    side_schemas.drop_expired_side_schemas,
    undos.expire_safety_backups,
    freshness.watch_freshness,
    measures.measure_stores,
    alerts.tell_alerts,
    channels.forget_old_messages,
    health.record_heartbeat,
)


def tick(services: Services) -> None:
    """Do every duty once. One that fails does not keep the others from being done, nor the next tick from coming.

    Any number of instances may do this at the same time.
    """
    _do(services, _TIMELY)
    _do(services, _DUTIES)


def _do(services: Services, duties: _Duties) -> None:
    for duty in duties:
        _guarded(duty.__name__, functools.partial(duty, services, Actor.system()))


def _send(services: Services) -> None:
    """Apart from the duties: a mail server that does not answer must not keep backups waiting."""
    _guarded("send_messages", functools.partial(channels.send_messages, services, Actor.system()))


def _keep_database() -> None:
    _guarded("keep_database", wiring.keep_database)


def _guarded(name: str, duty: Callable[[], object]) -> None:
    try:
        duty()
    except RxbackupError as error:
        _logger.warning("%s: %s", name, error.message)
    except Exception:
        _logger.exception("%s failed", name)


def start_scheduler(services: Services) -> BackgroundScheduler:
    """Start ticking: at once, then every minute. Stop it with `shutdown(wait=False)`.

    The embedded database is looked after more often: while it is away nothing else works.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60}
    )
    for name, duties in (("schedules", _TIMELY), ("duties", _DUTIES)):
        scheduler.add_job(_do, "interval", args=(services, duties), minutes=1, next_run_time=datetime.now(UTC), id=name)
    scheduler.add_job(_send, "interval", args=(services,), seconds=_SEND_SECONDS, id="send")
    if services.embedded:
        scheduler.add_job(_keep_database, "interval", seconds=_LOOK_AFTER_DATABASE_SECONDS, id="database")
    scheduler.start()
    return scheduler
