"""The places where backups rest: list, add, test, rebuild, remove."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Row, text, update
from sqlmodel import col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotFound
from rxbackup.operations._backups.catalogue import find_job, job_view
from rxbackup.operations._backups.places import is_lost_with_database
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations._stores.adding import OnCheck, add, kept_probe, made_place, probe_known, probe_view
from rxbackup.operations._stores.forgetting import PROVIDED, forget_store
from rxbackup.operations._stores.new_store import check_new_store, refuse_taken, where
from rxbackup.operations._stores.rebuilding import rebuild
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import JobView, NewBackup, NewStore, ProbeCheck, ProbeView, RebuildView, StoreView
from rxbackup.progress import ProgressSink
from rxbackup.stores.opening import open_store
from rxbackup.stores.probing import probe_store as probe
from rxbackup.tables.system import Store

__all__ = [
    "NewStore",
    "ProbeCheck",
    "ProbeView",
    "RebuildView",
    "StoreView",
    "add_store",
    "list_stores",
    "probe_new_store",
    "probe_store",
    "rebuild_store",
    "remove_store",
    "request_rebuild",
]

_USED = """
SELECT s.name,
    (SELECT count(*) FROM rxbackup.backups b WHERE b.store = s.name AND b.state = 'complete') +
    (SELECT count(*) FROM rxbackup.copies c WHERE c.store = s.name AND c.state = 'complete') AS backups,
    coalesce((SELECT sum(k.stored_bytes) FROM rxbackup.chunks k
        WHERE k.store = s.name AND k.state = 'live'), 0)::bigint AS chunks,
    coalesce((SELECT sum(k.stored_bytes) FROM rxbackup.chunks k
        WHERE k.store = s.name AND k.state = 'tombstone'), 0)::bigint AS waiting,
    coalesce((SELECT sum((b.metadata->>'manifest_bytes')::bigint) FROM rxbackup.backups b
        WHERE b.state = 'complete' AND (b.store = s.name OR EXISTS (SELECT FROM rxbackup.copies c
            WHERE c.backup_id = b.id AND c.store = s.name AND c.state = 'complete'))), 0)::bigint AS manifests
FROM rxbackup.stores s
"""
_DATABASE_NOTE = "It is on the same server as the protected data: it does not survive the loss of that server."
_MACHINE_NOTE = "It is on the same machine as the embedded database: it does not survive the loss of that machine."


@requires(Permission.VIEW)
def list_stores(services: Services, actor: Actor) -> tuple[StoreView, ...]:
    """Every store, with what rests there and whether it is lost together with the protected database."""
    with services.system.session(actor.identity) as session:
        stores = session.exec(select(Store).order_by(col(Store.name))).all()
        used = {row.name: row for row in session.connection().execute(text(_USED))}
        return tuple(_view(services, store, used[store.name]) for store in stores)


@requires(Permission.ADMINISTER)
def add_store(services: Services, actor: Actor, new: NewStore, *, on_check: OnCheck = lambda _: None) -> StoreView:
    """Add a store. It is tried first, and nothing is saved if that fails.

    A place that holds a vault of this installation already is welcome; `unknown_backups` of the view says how many
    backups lie there that the catalogue does not know: `rebuild_store` brings them back. `on_check` is told of each
    check of the place as soon as it was made, from another thread.

    Raises:
        UsageError: the name, the path or an address cannot be meant.
        Refused: the name or the place is taken, or it belongs to another installation.
        StoreTrouble: the place did not do what a store must.
        KeyTrouble: another key opens the vault that is there.
    """
    unknown = add(services, actor, check_new_store(new), taking_over=False, on_check=on_check)
    return dataclasses.replace(_one(services, actor, new.name), unknown_backups=unknown)


@requires(Permission.ADMINISTER)
def probe_store(services: Services, actor: Actor, name: str, *, on_check: OnCheck = lambda _: None) -> ProbeView:
    """Try everything that a store must do, and remember whether it could. Writes and removes small objects of its own.

    Raises:
        NotFound: there is no store of that name.
    """
    row = _row(services, actor, name)
    view = probe_known(services, row, on_check=on_check)
    with services.system.session(actor.identity) as session:
        session.exec(
            update(Store).where(col(Store.name) == name).values(probe=kept_probe(view), probed_at=services.clock())
        )
    return view


@requires(Permission.ADMINISTER)
def probe_new_store(services: Services, actor: Actor, new: NewStore) -> ProbeView:
    """Try a place that is no store yet; nothing is saved.

    Raises:
        UsageError, Refused: as `add_store`.
    """
    checked = check_new_store(new)
    with services.system.session(actor.identity) as session:
        refuse_taken(session, checked)
    with made_place(checked, keep=False):
        return probe_view(probe(open_store(checked.recipe(), patient=False), clock=services.clock))


@requires(Permission.ADMINISTER)
def remove_store(services: Services, actor: Actor, name: str) -> StoreView:
    """Forget a store: its credentials, and what rests there. No object in it is deleted.

    Raises:
        NotFound: there is no store of that name.
        Refused: backups rest only there, or a schedule uses it, or every installation has it.
        Busy: something is being written there.
    """
    view = _one(services, actor, name)
    with services.system.session(actor.identity) as session:
        forget_store(session, name)
        audit.append(
            session,
            actor=actor.email,
            action="store.removed",
            object_type="store",
            object_id=name,
            details={"kind": view.kind, "where": view.where, "door": actor.door},
        )
    return view


@requires(Permission.ADMINISTER)
def request_rebuild(services: Services, actor: Actor, name: str) -> JobView:
    """Queue a rebuild of the catalogue from a store that is known.

    Raises:
        NotFound: there is no store of that name.
    """
    row = _row(services, actor, name)
    job_id = queue_job(services, actor, "rebuild", {"store": row.name})
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.ADMINISTER)
def rebuild_store(
    services: Services,
    actor: Actor,
    name: str,
    *,
    new: NewStore | None = None,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> RebuildView:
    """Bring back the catalogue of what a store holds, from its objects and the key alone; the store is ours from then.

    Backups that cannot be read are named, and do not stop the rest. Doing it again changes nothing.

    Args:
        services: the installation.
        actor: who asks.
        name: the store.
        new: the store, if it is not known here. It must hold a vault.
        on_progress: watches.
        job_id: the queued run to perform.

    Raises:
        NotFound: there is no store of that name, and none was described.
        VaultMarkerMissing: there is no vault.
        KeyTrouble: another key opens it.
    """
    if new is not None:
        add(services, actor, check_new_store(new), taking_over=True)
    row = _row(services, actor, name)

    def work(run: Run) -> RebuildView:
        view = rebuild(run, row)
        with services.system.session(actor.identity) as session:
            message = f"{view.added} backups of {name} are back, {view.known} were known."
            if view.unreadable:
                message += f" {len(view.unreadable)} could not be read."
            result = {**dataclasses.asdict(view), "message": message}
            run.succeed(session, result, action="store.rebuilt", object_id=name)
        return view

    return run_job(services, actor, "rebuild", {"store": name}, work, job_id=job_id, on_progress=on_progress)


def _one(services: Services, actor: Actor, name: str) -> StoreView:
    row = _row(services, actor, name)
    with services.system.session(actor.identity) as session:
        used = session.connection().execute(text(f"{_USED} WHERE s.name = :name"), {"name": name}).one()
    return _view(services, row, used)


def _row(services: Services, actor: Actor, name: str) -> Store:
    with services.system.session(actor.identity) as session:
        row = session.get(Store, name)
    if row is None:
        raise NotFound(f"There is no store named {name[:80]!r}.", hint="`rxbackup store list` shows them all.")
    return row


def _view(services: Services, store: Store, used: Row[Any]) -> StoreView:
    shared = is_lost_with_database(services, store.kind, store.settings)
    free, capacity = _space(services, store)
    probed: Mapping[str, Any] = store.probe or {}
    return StoreView(
        name=store.name,
        kind=store.kind,
        where=where(store.kind, store.settings),
        same_server=shared,
        note="" if not shared else _DATABASE_NOTE if store.kind == "database" else _MACHINE_NOTE,
        backups=used.backups,
        stored_bytes=used.chunks + used.manifests,
        waiting_bytes=used.waiting,
        free_bytes=free,
        capacity_bytes=capacity,
        state="untested" if store.probe is None else "ok" if probed.get("ok") else "failing",
        probed_at=store.probed_at,
        problem=str(probed.get("problem", "")),
        is_default=store.name == NewBackup.__dataclass_fields__["store"].default,
        removable=store.name not in PROVIDED,
    )


def _space(services: Services, store: Store) -> tuple[int | None, int | None]:
    """Free and all bytes of the disk beneath, where it is a disk of this machine."""
    if store.kind == "local":
        folder = Path(str(store.settings.get("path", "")))
    elif store.kind == "database" and services.embedded:
        folder = services.settings.data_dir
    else:
        return None, None
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None, None
    return usage.free, usage.total
