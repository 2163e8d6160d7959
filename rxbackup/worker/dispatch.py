"""From a queued job to the operation that performs it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from rxbackup.access.actor import Actor
from rxbackup.errors import RxbackupError
from rxbackup.operations import (
    backups,
    comparisons,
    copies,
    imports,
    jobs,
    previews,
    prunes,
    refreshes,
    restores,
    side_schemas,
    stores,
    verifications,
)
from rxbackup.operations.services import Services
from rxbackup.operations.views import NewBackup, NewRestore, NewSideSchema

_logger = logging.getLogger(__name__)

_Perform = Callable[[Services, Actor, Mapping[str, Any], str], object]


def perform_job(services: Services, job_id: str, kind: str) -> None:
    """Perform a queued job on behalf of who asked for it.

    Errors are in the job's row afterwards; nothing is raised for them. A job that somebody else took, or that was
    cancelled meanwhile, is left alone.
    """
    perform = PERFORM.get(kind)
    if perform is None:
        _logger.error("Job %s is of the unknown kind %r: a newer release queued it", job_id, kind)
        return
    try:
        actor, parameters = jobs.take_over(services, Actor.system(), job_id)
        perform(services, actor, parameters, job_id)
    except RxbackupError as error:
        _logger.warning("Job %s (%s) ended: %s", job_id, kind, error.message)
        _give_up(services, job_id, error)
    except Exception as error:
        _logger.exception("Job %s (%s) ended unexpectedly", job_id, kind)
        _give_up(services, job_id, error)


def _give_up(services: Services, job_id: str, error: Exception) -> None:
    try:
        jobs.give_up(services, Actor.system(), job_id, error)
    except RxbackupError:
        # With the database away nothing can be written; the queue hands a waiting job over again later.
        _logger.warning("Nothing could be written about job %s", job_id, exc_info=True)


def _backup(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    return backups.perform_backup(services, actor, _new_backup(parameters), job_id=job_id)


def _restore(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    return restores.perform_restore(services, actor, _new_restore(parameters), job_id=job_id)


def _preview(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    return previews.perform_preview(services, actor, _new_restore(parameters), job_id=job_id)


def _refresh(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    return refreshes.perform_refresh(services, actor, str(parameters["restore"]), job_id=job_id)


def _side_schema(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    new = NewSideSchema(
        backup_id=parameters["backup_id"],
        schema=parameters["schema"],
        groups=_names(parameters.get("groups")),
        skip=_names(parameters.get("skip")) or (),
        tables=_names(parameters.get("tables")),
        hours=int(parameters["hours"]),
        trust_foreign=bool(parameters.get("trust_foreign", False)),
        store=parameters.get("store"),
    )
    return side_schemas.perform_side_schema(services, actor, new, job_id=job_id)


def _verify(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    backup, level = str(parameters["backup_id"]), str(parameters["level"])
    store = parameters.get("store")
    return verifications.perform_verify(services, actor, backup, level=level, store=store, job_id=job_id)


def _copy(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    backup, store = str(parameters["backup_id"]), str(parameters["store"])
    return copies.perform_copy(services, actor, backup, store, job_id=job_id)


def _compare(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    before, after = str(parameters["backup_id"]), str(parameters["after"])
    return comparisons.perform_compare(services, actor, before, after, job_id=job_id)


def _prune(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    return prunes.perform_prune(services, actor, parameters.get("store"), job_id=job_id)


def _rebuild(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    return stores.rebuild_store(services, actor, str(parameters["store"]), job_id=job_id)


def _import(services: Services, actor: Actor, parameters: Mapping[str, Any], job_id: str) -> object:
    spool, file, store = (str(parameters[name]) for name in ("spool", "file", "store"))
    return imports.perform_spooled_import(
        services, actor, spool, file, name=parameters.get("as"), store=store, job_id=job_id
    )


PERFORM: Mapping[str, _Perform] = {
    "backup": _backup,
    "compare": _compare,
    "copy": _copy,
    "import": _import,
    "preview": _preview,
    "prune": _prune,
    "rebuild": _rebuild,
    "refresh": _refresh,
    "restore": _restore,
    "side-schema": _side_schema,
    "verify": _verify,
}


def _new_backup(parameters: Mapping[str, Any]) -> NewBackup:
    return NewBackup(
        name=parameters["name"],
        description=parameters.get("description", ""),
        groups=_names(parameters.get("groups")),
        store=parameters.get("store", "database"),
        full=bool(parameters.get("full", False)),
        trigger=parameters.get("trigger", "manual"),
        copies=_names(parameters.get("copies")) or (),
        schedule_id=parameters.get("schedule_id"),
    )


def _new_restore(parameters: Mapping[str, Any]) -> NewRestore:
    return NewRestore(
        backup_id=parameters["backup_id"],
        groups=_names(parameters.get("groups")),
        skip=_names(parameters.get("skip")) or (),
        tables=_names(parameters.get("tables")),
        mode=parameters.get("mode", "exact"),
        safety=bool(parameters.get("safety", True)),
        confirm_name=parameters.get("confirm_name"),
        store=parameters.get("store"),
        trust_foreign=bool(parameters.get("trust_foreign", False)),
        undoes=parameters.get("undoes"),
        set_aside=bool(parameters.get("set_aside", False)),
        replace_own_account=bool(parameters.get("replace_own_account", False)),
        maintenance=bool(parameters.get("maintenance", False)),
        preview=parameters.get("preview"),
    )


def _names(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(str(name) for name in value)
