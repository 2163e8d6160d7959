"""Prune: free what no backup needs. Nothing that runs is waited for, and nothing that it counts on is deleted."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotFound, RxbackupError
from rxbackup.operations._backups.catalogue import find_job, job_view
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations._stores.collecting import count_unneeded
from rxbackup.operations._stores.pruning import preview_store, prune_store, sweep_store, used_stores
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import JobView, PruneView
from rxbackup.operations.wording import counted, size
from rxbackup.progress import ProgressSink
from rxbackup.tables.system import Chunk, Job, Store

__all__ = ["PruneView", "perform_prune", "preview_prune", "prune_daily", "request_prune", "sweep_waiting"]

_EVERY = timedelta(days=1)


@requires(Permission.DELETE)
def preview_prune(services: Services, actor: Actor, store: str | None = None) -> tuple[PruneView, ...]:
    """What a prune of one store, or of all, would do now. Lists every object there; changes nothing.

    Raises:
        NotFound: there is no such store.
    """
    return tuple(preview_store(services, actor.identity, name) for name in _chosen(services, actor, store))


@requires(Permission.DELETE)
def request_prune(services: Services, actor: Actor, store: str | None = None) -> JobView:
    """Queue a prune of one store, or of all.

    Raises:
        NotFound: there is no such store.
    """
    _chosen(services, actor, store)
    job_id = queue_job(services, actor, "prune", _parameters(store))
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.DELETE)
def perform_prune(
    services: Services,
    actor: Actor,
    store: str | None = None,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> tuple[PruneView, ...]:
    """Prune one store, or all, here and now. Backups, copies, restores and downloads may run beside it.

    Raises:
        Refused, VaultMarkerMissing, StoreTrouble, …: a store could not be pruned. The others were all the same.
    """

    def work(run: Run) -> tuple[PruneView, ...]:
        views, errors = _prune_all(run, _chosen(services, actor, store))
        if errors:
            raise errors[0]
        with services.system.session(actor.identity) as session:
            result = {"message": _message(views), "stores": [dataclasses.asdict(view) for view in views]}
            # What was freed is freed: a cancellation now comes too late.
            run.succeed(session, result, action="prune.complete", object_id=store, is_final=True)
        return views

    return run_job(services, actor, "prune", _parameters(store), work, job_id=job_id, on_progress=on_progress)


@requires(Permission.ADMINISTER)
def sweep_waiting(services: Services, actor: Actor) -> int:
    """Free what waited for something that has ended since, or was left by a prune that was interrupted.

    Returns:
        How many chunks went.
    """
    freed = 0
    for name in used_stores(services, actor.identity):
        with services.system.session(actor.identity) as session:
            is_free = count_unneeded(session, services, name).free[0] > 0
        if is_free:
            freed += sweep_store(services, actor.identity, name).chunks
    return freed


@requires(Permission.ADMINISTER)
def prune_daily(services: Services, actor: Actor) -> JobView | None:
    """Queue a prune of all stores if there was none for a day, and there is something older than that."""
    day_ago = func.clock_timestamp() - _EVERY
    with services.system.session(actor.identity) as session:
        # `queue_job` makes one of what several instances ask for at the same moment.
        recent = session.exec(
            select(Job.id).where(
                col(Job.kind) == "prune",
                col(Job.created_at) > day_ago,
                col(Job.parameters)["store"].astext.is_(None),
            )
        ).first()
        old = session.exec(select(Chunk.store).where(col(Chunk.created_at) < day_ago).limit(1)).first()
    return request_prune(services, actor) if recent is None and old is not None else None


def _prune_all(run: Run, names: tuple[str, ...]) -> tuple[tuple[PruneView, ...], list[RxbackupError]]:
    views = []
    errors: list[RxbackupError] = []
    for number, name in enumerate(names):
        run.check()
        sink = run.sink(100 * number / len(names), 100 * (number + 1) / len(names))
        try:
            views.append(prune_store(run.services, run.actor.identity, name, on_progress=sink))
        except RxbackupError as error:
            # One that is away must not keep the others from being pruned; but a run that must stop, stops.
            run.check()
            errors.append(error)
    return tuple(views), errors


def _chosen(services: Services, actor: Actor, store: str | None) -> tuple[str, ...]:
    if store is None:
        return used_stores(services, actor.identity)
    with services.system.session(actor.identity) as session:
        if session.get(Store, store) is None:
            raise NotFound(f"There is no store named {store!r}.", hint="`rxbackup store list` shows all.")
    return tuple(name for name in used_stores(services, actor.identity) if name == store)


def _parameters(store: str | None) -> dict[str, Any]:
    return {"store": store}


def _message(views: tuple[PruneView, ...]) -> str:
    freed = sum(view.freed_bytes for view in views)
    waiting = sum(view.waiting_bytes for view in views)
    damage = [f"{view.store}: {each}" for view in views for each in view.damage]
    parts = [f"{size(freed)} freed in {counted(len(views), 'store')}." if freed else "There was nothing to free."]
    if waiting:
        parts.append(f"{size(waiting)} wait for what runs.")
    return " ".join(parts + damage)
