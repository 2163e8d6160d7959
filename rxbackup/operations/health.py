"""Can this instance do its work?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import text

from rxbackup.access.actor import SYSTEM_EMAIL, Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import RxbackupError
from rxbackup.operations._remembering import recall, remember
from rxbackup.operations._runs.process import this_process
from rxbackup.operations.guard import open_to_all, requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import Check, Readiness
from rxbackup.postgres.connecting import connect
from rxbackup.tables.migrating import is_current

__all__ = ["Check", "Readiness", "readiness", "record_heartbeat"]

HEARTBEAT = "scheduler_heartbeat"
_SILENT_AFTER = timedelta(minutes=3)
_current: set[str] = set()


@open_to_all
def readiness(services: Services) -> Readiness:
    """Databases reached, tables current, scheduler alive. Says nothing that a stranger could use."""
    checks = {
        "database": _guarded(lambda: _check_system(services)),
        "protected database": _guarded(lambda: _check_source(services)),
        "tables": _guarded(lambda: _check_tables(services)),
        "scheduler": _guarded(lambda: _check_scheduler(services)),
    }
    return Readiness(all(check.ok for check in checks.values()), checks)


@requires(Permission.ADMINISTER)
def record_heartbeat(services: Services, actor: Actor) -> None:
    """Write down that the scheduler's tick ran."""
    now = services.clock()
    value = {"at": now.isoformat(), "process": this_process()}
    with services.system.session(actor.identity) as session:
        remember(session, HEARTBEAT, value, at=now, by=actor.email)


def _guarded(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except RxbackupError as error:
        return Check(ok=False, text=type(error).__doc__ or "failed")


def _check_system(services: Services) -> Check:
    with services.system.session(SYSTEM_EMAIL) as session:
        session.connection().execute(text("SELECT 1"))
    return Check(ok=True, text="reached")


def _check_source(services: Services) -> Check:
    with connect(services.source_url, application_name="rxbackup"):
        return Check(ok=True, text="reached")


def _check_tables(services: Services) -> Check:
    # Tables do not go back by themselves: what was current once needs no second look.
    if services.system_url not in _current:
        if not is_current(services.system_url):
            return Check(ok=False, text="of another release: run `rxbackup migrate`")
        _current.add(services.system_url)
    return Check(ok=True, text="current")


def _check_scheduler(services: Services) -> Check:
    with services.system.session(SYSTEM_EMAIL) as session:
        beat = recall(session, HEARTBEAT)
    if beat is None:
        return Check(ok=False, text="has not run yet")
    at = datetime.fromisoformat(beat["at"])
    age = services.clock() - at
    return Check(ok=age < _SILENT_AFTER, text=f"last ran at {at:%Y-%m-%d %H:%M:%S} UTC")
