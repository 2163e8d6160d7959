"""Restores: preview, ask, perform. Plan → safety backup → one transaction → report."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import PlanRefused, RxbackupError
from rxbackup.operations._backups.catalogue import find_job, job_view
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._backups.places import reading_vault
from rxbackup.operations._backups.taking import mark_backup_failed
from rxbackup.operations._restores.agreeing import Agree, agree_with, refuse_moved_ground, seen_preview
from rxbackup.operations._restores.asked import check_confirmed, chosen_tables, parameters_of, restorable
from rxbackup.operations._restores.carrying_out import carry_out
from rxbackup.operations._restores.foretelling import preview_of
from rxbackup.operations._restores.own_account import end_sessions_of_changed, people_signed_in
from rxbackup.operations._restores.planning import Planned, plan_of
from rxbackup.operations._restores.reporting import document_of_restore, restored, touched
from rxbackup.operations._restores.safety import SafetyBackup, drop_safety_backup, take_safety_backup
from rxbackup.operations._runs.claiming import refuse_second_restore
from rxbackup.operations._runs.queueing import just_asked, queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, JobView, NewRestore, RestorePreview, RestoreView
from rxbackup.progress import ProgressSink

__all__ = [
    "NewRestore",
    "RestorePreview",
    "RestoreView",
    "perform_restore",
    "preview_restore",
    "request_restore",
]

_logger = logging.getLogger(__name__)


@requires(Permission.RESTORE)
def preview_restore(services: Services, actor: Actor, new: NewRestore) -> RestorePreview:
    """What a restore would do, at a glance: what speaks against it, and how many rows there are on both sides.

    Takes seconds at most: call it in a thread. `previews` says which rows would change. `new.confirm_name` is not
    looked at.
    """
    view = restorable(services, actor, new.backup_id)
    with reading_vault(services, view, new.store) as vault:
        return preview_of(view, plan_of(services, actor, view, new, vault, counted=True, at_a_glance=True))


@requires(Permission.RESTORE)
def request_restore(services: Services, actor: Actor, new: NewRestore) -> JobView:
    """Queue a restore. `new.confirm_name` must be the backup's name.

    Raises:
        UsageError: the name typed is another one.
        PlanRefused: the plan has problems; nothing was queued.
        Busy: another restore is running.
    """
    view = restorable(services, actor, new.backup_id)
    check_confirmed(view, new)
    with reading_vault(services, view, new.store) as vault:
        plan = plan_of(services, actor, view, new, vault, counted=False, at_a_glance=True).plan
    plan.refuse_if_blocked()
    refuse_moved_ground(plan, seen_preview(services, actor, view.id, new))
    parameters = parameters_of(view, new, chosen_tables(services, actor, view, new))
    with services.system.session("system") as session:
        if just_asked(session, actor, "restore", parameters) is None:
            refuse_second_restore(session, parameters)
    job_id = queue_job(services, actor, "restore", parameters)
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.RESTORE)
def perform_restore(
    services: Services,
    actor: Actor,
    new: NewRestore,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> RestoreView:
    """Restore here and now.

    Nothing of the target changes before the safety backup is complete and verified. The transaction that restores is
    noted in the job before it commits, so that the job tells the truth even if the connection dies at that moment.

    Raises:
        PlanRefused: it would break something, or is no longer what the preview showed; nothing was changed.
        Busy: another restore is running.
    """
    view = restorable(services, actor, new.backup_id)
    check_confirmed(view, new)
    parameters = parameters_of(view, new, chosen_tables(services, actor, view, new))

    def work(run: Run) -> RestoreView:
        with hold_backup(services, view.id), reading_vault(services, view, new.store) as vault:
            planned = plan_of(services, actor, view, new, vault, counted=False)
            planned.plan.refuse_if_blocked()
            seen = seen_preview(services, actor, view.id, new)
            refuse_moved_ground(planned.plan, seen)
            safety = take_safety_backup(run, view, new.store or view.store) if new.safety else None
            before = people_signed_in(services, parameters["targets"])
            try:
                done = _restore(run, planned, agree_with(seen), safety)
            except PlanRefused:
                # What speaks against it may be known only now. Nothing was changed, so there is nothing to undo.
                if safety is not None:
                    drop_safety_backup(services, safety.id)
                raise
        return _report(run, view, dataclasses.replace(done, sessions_ended=_end_sessions(run, before)))

    return run_job(
        services,
        actor,
        "restore",
        parameters,
        work,
        job_id=job_id,
        on_progress=on_progress,
        on_failure=mark_backup_failed,
    )


def _restore(run: Run, planned: Planned, agree: Agree | None, safety: SafetyBackup | None) -> RestoreView:
    expected = RestoreView(
        job=run.id,
        tables={},
        safety_backup=safety.id if safety else None,
        seconds=0.0,
        undo_until=safety.until if safety else None,
        stale_views=tuple(each.qualified for each in planned.plan.stale_views),
    )
    carried = carry_out(
        planned,
        url=run.services.source_url,
        on_progress=run.sink(40.0 if safety else 0.0, 99),
        before_commit=lambda xid: run.note_commit(xid, document_of_restore(expected)),
        agree=agree,
        lock_timeout_seconds=run.services.settings.lock_timeout_seconds,
    )
    return restored(expected, carried)


def _end_sessions(run: Run, before: Mapping[str, str]) -> int:
    try:
        return end_sessions_of_changed(run.services, run.actor, before)
    except RxbackupError:
        # The rows are restored all the same; and whoever is no admin any more is asked at the next click.
        _logger.warning("The sessions of people whose rows were restored could not be ended", exc_info=True)
        return 0


def _report(run: Run, view: BackupView, done: RestoreView) -> RestoreView:
    result = {**document_of_restore(done), "message": done.note or f"{view.name} is restored: {touched(done)}."}
    with run.services.system.session("system") as session:
        run.succeed(session, result, action="restore.complete", object_id=view.id, is_final=True)
    return done
