"""Rows of a backup beside the protected tables: a schema of its own, read-only, until it expires."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import UsageError
from rxbackup.operations._backups.catalogue import find_job, job_view
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._backups.places import reading_vault
from rxbackup.operations._restores.asked import refuse_untrusted, restorable
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, JobView, MadeSideSchema, NewSideSchema, SideSchemaView
from rxbackup.operations.wording import counted
from rxbackup.progress import ProgressSink
from rxbackup.restore import side_schema as engine
from rxbackup.tables.system import Backup

__all__ = [
    "MadeSideSchema",
    "NewSideSchema",
    "SideSchemaView",
    "drop_expired_side_schemas",
    "drop_side_schema",
    "list_side_schemas",
    "perform_side_schema",
    "request_side_schema",
]

_MOST_HOURS = 24 * 30


@requires(Permission.RESTORE)
def request_side_schema(services: Services, actor: Actor, new: NewSideSchema) -> JobView:
    """Queue the making of a schema with rows of a backup.

    Raises:
        UsageError: it would stay for no time, or for too long.
        Refused: the backup is not complete, or comes from elsewhere and nobody trusts it.
    """
    view = _checked(services, actor, new)
    job_id = queue_job(services, actor, "side-schema", _parameters(view, new))
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.RESTORE)
def perform_side_schema(
    services: Services,
    actor: Actor,
    new: NewSideSchema,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> MadeSideSchema:
    """Make it here and now. The protected tables are neither read nor locked.

    Raises:
        UsageError: the name is no good or taken; a group or table is unknown; or it would stay too long.
        Refused: the role may make no schema.
    """
    view = _checked(services, actor, new)

    def work(run: Run) -> MadeSideSchema:
        with hold_backup(services, view.id), reading_vault(services, view, new.store) as vault:
            report = engine.make_side_schema(
                vault.get_manifest(view.id),
                new.schema,
                groups=new.groups,
                skip=new.skip,
                tables=new.tables,
                vault=vault,
                source_url=services.source_url,
                expires_at=services.clock() + timedelta(hours=new.hours),
                on_progress=run.sink(0, 99),
            )
        made = MadeSideSchema(run.id, report.schema, report.tables, report.places, report.expires_at, report.seconds)
        message = f"{view.name}: {sum(made.tables.values())} rows in {counted(len(made.tables), 'table')} are in "
        result = {
            **dataclasses.asdict(made),
            "expires_at": made.expires_at.isoformat(),
            "message": f"{message}the schema {made.schema}.",
        }
        with services.system.session("system") as session:
            run.succeed(session, result, action="side-schema.complete", object_id=view.id, is_final=True)
        return made

    return run_job(services, actor, "side-schema", _parameters(view, new), work, job_id=job_id, on_progress=on_progress)


@requires(Permission.VIEW)
def list_side_schemas(services: Services, actor: Actor) -> tuple[SideSchemaView, ...]:
    """Those there are, by name."""
    found = engine.list_side_schemas(services.source_url)
    ids = [UUID(each.backup_id) for each in found]
    with services.system.session(actor.identity) as session:
        names = {
            str(backup): name
            for backup, name in session.exec(select(Backup.id, Backup.name).where(col(Backup.id).in_(ids)))
        }
    return tuple(
        SideSchemaView(
            each.name, each.backup_id, names.get(each.backup_id), each.expires_at, each.tables, each.bytes, each.owned
        )
        for each in found
    )


@requires(Permission.RESTORE)
def drop_side_schema(services: Services, actor: Actor, name: str) -> None:
    """Drop one before it expires.

    Raises:
        NotFound: there is none of this name that rxbackup made.
        Refused: something else is in it or uses it.
    """
    engine.drop_side_schema(services.source_url, name)
    with services.system.session(actor.identity) as session:
        audit.append(
            session,
            actor=actor.email,
            action="side-schema.dropped",
            object_type="side-schema",
            object_id=name,
            details={"door": actor.door},
        )


@requires(Permission.ADMINISTER)
def drop_expired_side_schemas(services: Services, actor: Actor) -> int:
    """Drop those whose time is over; how many."""
    dropped = engine.drop_expired_side_schemas(services.source_url, services.clock())
    for name in dropped:
        with services.system.session(actor.identity) as session:
            audit.append(
                session,
                actor=actor.email,
                action="side-schema.expired",
                object_type="side-schema",
                object_id=name,
                details={"door": actor.door},
            )
    return len(dropped)


def _checked(services: Services, actor: Actor, new: NewSideSchema) -> BackupView:
    if not 1 <= new.hours <= _MOST_HOURS:
        raise UsageError(f"A schema cannot stay for {new.hours} hours.", hint=f"Give 1 to {_MOST_HOURS} hours.")
    view = restorable(services, actor, new.backup_id)
    refuse_untrusted(view, trusted=new.trust_foreign)
    return view


def _parameters(view: BackupView, new: NewSideSchema) -> dict[str, Any]:
    return {**dataclasses.asdict(new), "backup_id": view.id, "name": view.name}
