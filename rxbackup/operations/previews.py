"""Previews in rows: what a restore would do, computed in PostgreSQL as a run of its own. Nothing is changed.

The result of such a run holds values of rows. It is handed only to those who may restore, and forgotten after a day.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from uuid import UUID

from sqlalchemy import type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import PlanRefused, Refused, RxbackupError
from rxbackup.operations._backups.catalogue import find_backup, find_job, job_view
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._backups.places import reading_vault
from rxbackup.operations._restores.asked import chosen_tables, parameters_of, restorable
from rxbackup.operations._restores.foretelling import document_of, preview_from, preview_of, with_fewer_samples
from rxbackup.operations._restores.planning import plan_of
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations.guard import requires
from rxbackup.operations.jobs import cancel_job
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, JobView, NewRestore, ProblemView, RestorePreview
from rxbackup.operations.wording import counted
from rxbackup.progress import ProgressSink
from rxbackup.restore.run import run_restore
from rxbackup.tables.system import Job

__all__ = ["RestorePreview", "forget_previews", "perform_preview", "request_preview", "show_preview"]

_KEPT = timedelta(days=1)
_SAMPLES = 20
_ROOM = 2_000_000
"""Characters that all sample rows of a preview may take: hundreds of wide tables would make a row of a hundred MB."""


@requires(Permission.RESTORE)
def request_preview(services: Services, actor: Actor, new: NewRestore) -> JobView:
    """Queue a preview in rows. It takes the place of one of the same backup that this actor still waits for.

    `new.confirm_name` is not looked at.
    """
    view = restorable(services, actor, new.backup_id)
    targets = chosen_tables(services, actor, view, new)
    job_id = str(queue_job(services, actor, "preview", parameters_of(view, new, targets)))
    for other in _waited_for(services, actor, view.id):
        if other != job_id:
            cancel_job(services, actor, other)
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, job_id))


@requires(Permission.RESTORE)
def perform_preview(
    services: Services,
    actor: Actor,
    new: NewRestore,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> RestorePreview:
    """Rehearse a restore here and now, and roll it back. Takes about as long as the restore, and keeps nobody waiting.

    Where the plan has problems, only those are found out; then the preview is not exact.
    """
    view = restorable(services, actor, new.backup_id)
    parameters = parameters_of(view, new, chosen_tables(services, actor, view, new))

    def work(run: Run) -> RestorePreview:
        found = with_fewer_samples(dataclasses.replace(_look(run, view, new), job=run.id), characters=_ROOM)
        result = {"message": _message(found), "preview": document_of(found)}
        with services.system.session("system") as session:
            run.succeed(session, result, action="preview.complete", object_id=view.id)
        return found

    return run_job(services, actor, "preview", parameters, work, job_id=job_id, on_progress=on_progress)


@requires(Permission.RESTORE)
def show_preview(services: Services, actor: Actor, job: str) -> RestorePreview | None:
    """What a preview's run found out; None while it waits or runs.

    Raises:
        JobNotFound: there is no such run.
        BackupNotFound: the backup was deleted meanwhile.
        Refused: it ended badly, is no preview, or was forgotten because it is more than a day old.
    """
    with services.system.session(actor.identity) as session:
        found = find_job(session, job)
        if found.kind != "preview":
            raise Refused("That run is no preview.", hint="Ask for a preview of the restore.")
        if found.state in {"queued", "running"}:
            return None
        if found.state != "succeeded":
            error = found.error or {}
            raise Refused(
                str(error.get("message") or "That preview did not come to its end."),
                hint=str(error.get("hint") or "Look again."),
            )
        document = (found.result or {}).get("preview")
        if document is None:
            raise Refused("That preview is more than a day old and was forgotten.", hint="Look again.")
        return preview_from(document, find_backup(session, str((found.parameters or {})["backup_id"])))


@requires(Permission.ADMINISTER)
def forget_previews(services: Services, actor: Actor) -> int:
    """Remove what previews of more than a day ago found out: they hold values of rows. How many those were."""
    result = type_coerce(col(Job.result), JSONB)
    statement = (
        update(Job)
        .where(
            col(Job.kind) == "preview",
            col(Job.finished_at) < services.clock() - _KEPT,
            result.has_key("preview"),
        )
        .values(result=result.op("-")("preview"))
    )
    with services.system.session(actor.identity) as session:
        return int(session.exec(statement).rowcount)


def _look(run: Run, view: BackupView, new: NewRestore) -> RestorePreview:
    services = run.services
    with hold_backup(services, view.id), reading_vault(services, view, new.store) as vault:
        planned = plan_of(services, run.actor, view, new, vault, counted=True)
        if not planned.plan.allowed:
            return preview_of(view, planned)
        try:
            rehearsed = run_restore(
                planned.plan,
                planned.manifest,
                vault=vault,
                source_url=services.source_url,
                on_progress=run.sink(),
                rehearse=True,
                samples=_SAMPLES,
                lock_timeout_seconds=services.settings.lock_timeout_seconds,
            )
        except PlanRefused as error:
            problems = (_problem(error),)
            return dataclasses.replace(preview_of(view, planned), allowed=False, problems=problems)
    return preview_of(view, planned, rehearsed)


def _problem(error: RxbackupError) -> ProblemView:
    return ProblemView(error.message, error.hint, error.code)


def _message(preview: RestorePreview) -> str:
    if not preview.allowed:
        return f"{preview.backup.name} cannot be restored like that."
    changes = [table.change for table in preview.tables if table.change]
    rows = sum(each.added + each.changed + each.removed for each in changes)
    return f"A restore of {preview.backup.name} would set {counted(rows, 'row')} right."


def _waited_for(services: Services, actor: Actor, backup_id: str) -> list[str]:
    with services.system.session(actor.identity) as session:
        statement = select(Job.id).where(
            col(Job.kind) == "preview",
            col(Job.actor) == actor.email,
            col(Job.state).in_(["queued", "running"]),
            col(Job.parameters)["backup_id"].astext == backup_id,
        )
        return [str(UUID(str(job_id))) for job_id in session.exec(statement)]
