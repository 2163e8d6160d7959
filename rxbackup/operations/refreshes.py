"""Refresh the materialized views that a restore has left showing what their tables held before it."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import Refused
from rxbackup.operations._backups.catalogue import find_job, job_view
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import JobView, RefreshView
from rxbackup.operations.wording import counted
from rxbackup.postgres.materialized_views import MaterializedView
from rxbackup.progress import Progress, ProgressSink
from rxbackup.restore.refreshing import refresh_views, stale_readers

__all__ = ["RefreshView", "perform_refresh", "request_refresh"]


@requires(Permission.RESTORE)
def request_refresh(services: Services, actor: Actor, job: str) -> JobView:
    """Queue it, for the tables of the restore with this run.

    Raises:
        JobNotFound: there is no such run.
        Refused: it is no restore that is through.
    """
    parameters = _parameters(services, actor, job)
    queued = queue_job(services, actor, "refresh", parameters)
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(queued)))


@requires(Permission.RESTORE)
def perform_refresh(
    services: Services,
    actor: Actor,
    job: str,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> RefreshView:
    """Refresh every materialized view that reads from the tables of the restore with this run, here and now.

    One after the other, each in a transaction of its own, and while others read it where PostgreSQL can do that.

    Raises:
        JobNotFound: there is no such run.
        Refused: it is no restore that is through.
    """
    parameters = _parameters(services, actor, job)

    def work(run: Run) -> RefreshView:
        began = time.monotonic()
        views = stale_readers(services.source_url, parameters["tables"])
        left = _refresh(run, views)
        done = RefreshView(
            run.id,
            tuple(view.qualified for view in views if view.qualified not in left),
            left,
            round(time.monotonic() - began, 3),
        )
        with services.system.session("system") as session:
            result = {**dataclasses.asdict(done), "message": _message(done)}
            run.succeed(session, result, action="refresh.complete", object_id=job, is_final=True)
        return done

    return run_job(services, actor, "refresh", parameters, work, job_id=job_id, on_progress=on_progress)


def _refresh(run: Run, views: tuple[MaterializedView, ...]) -> dict[str, str]:
    sink = run.sink()
    names = [view.qualified for view in views]

    def on_view(view: MaterializedView) -> None:
        sink(Progress(f"Refreshing {view.qualified}", tables_done=names.index(view.qualified), tables_total=len(names)))

    settings = run.services.settings
    return refresh_views(
        run.services.source_url, views, on_view=on_view, lock_timeout_seconds=settings.lock_timeout_seconds
    )


def _parameters(services: Services, actor: Actor, job: str) -> dict[str, Any]:
    with services.system.session(actor.identity) as session:
        restore = find_job(session, job)
        if restore.kind != "restore" or restore.state != "succeeded":
            raise Refused("That run is no finished restore: there is nothing to refresh after it.")
        asked, told = restore.parameters or {}, restore.result or {}
        # A restore of an earlier release says only afterwards which tables it came to.
        tables = asked.get("targets") or list(told.get("tables") or ())
        return {"restore": job, "name": asked.get("name"), "tables": tables}


def _message(done: RefreshView) -> str:
    if not done.refreshed and not done.left:
        return "No materialized view reads from these tables."
    said = f"{counted(len(done.refreshed), 'materialized view')} refreshed."
    return f"{said} {counted(len(done.left), 'view')} could not be." if done.left else said
