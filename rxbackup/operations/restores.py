"""Restores: preview, ask, perform. Plan → safety backup → one transaction → report."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import DatabaseTrouble, PlanRefused, Refused, UsageError
from rxbackup.operations._catalogue import find_backup, find_job, job_view
from rxbackup.operations._holding import hold_backup
from rxbackup.operations._lockout import lockout_warning
from rxbackup.operations._outcome import Outcome, await_outcome
from rxbackup.operations._places import reading_vault
from rxbackup.operations._queueing import queue_job
from rxbackup.operations._running import Run, run_job
from rxbackup.operations._safety import drop_safety_backup, take_safety_backup
from rxbackup.operations._taking import mark_backup_failed
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import (
    BackupView,
    GroupPreview,
    JobView,
    NewRestore,
    ProblemView,
    RestorePreview,
    RestoreView,
    TableChange,
    TablePreview,
)
from rxbackup.progress import ProgressSink
from rxbackup.restore.plan import RestorePlan, RestoreRequest
from rxbackup.restore.report import RestoreReport
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault

__all__ = [
    "GroupPreview",
    "NewRestore",
    "ProblemView",
    "RestorePreview",
    "RestoreView",
    "TableChange",
    "TablePreview",
    "perform_restore",
    "preview_restore",
    "request_restore",
]

_RESOLVE_SECONDS = 60.0


@requires(Permission.RESTORE)
def preview_restore(services: Services, actor: Actor, new: NewRestore, *, exact: bool = False) -> RestorePreview:
    """What a restore would do: nothing is changed. May take seconds: call it in a thread.

    Args:
        services: the installation.
        actor: who asks.
        new: the backup and the choice of groups; `confirm_name` is not looked at.
        exact: also find out how many rows would be added, changed and removed, by rehearsing the restore and rolling
            it back. Takes about as long as the restore.
    """
    view = _restorable(services, actor, new.backup_id)
    with reading_vault(services, view, new.store) as vault:
        manifest = vault.get_manifest(view.id)
        plan = prepare_restore(manifest, _request(new), source_url=services.source_url)
        rehearsed: Mapping[str, TableChange] = {}
        if exact and plan.allowed:
            report = run_restore(plan, manifest, vault=vault, source_url=services.source_url, rehearse=True)
            rehearsed = _changes(report)
        lockout = lockout_warning(services, actor, plan, vault, manifest)
    return _preview(view, plan, rehearsed, lockout)


@requires(Permission.RESTORE)
def request_restore(services: Services, actor: Actor, new: NewRestore) -> JobView:
    """Queue a restore. `new.confirm_name` must be the backup's name.

    Raises:
        UsageError: the name typed is another one.
        PlanRefused: the plan has problems; nothing was queued.
    """
    view = _restorable(services, actor, new.backup_id)
    _check_confirmed(view, new)
    with reading_vault(services, view, new.store) as vault:
        plan = prepare_restore(
            vault.get_manifest(view.id), _request(new), source_url=services.source_url, counted=False
        )
    plan.refuse_if_blocked()
    job_id = queue_job(services, actor, "restore", _parameters(view, new))
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
        PlanRefused: it would break something; nothing was changed.
        Busy: another restore is running.
    """
    view = _restorable(services, actor, new.backup_id)
    _check_confirmed(view, new)

    def work(run: Run) -> RestoreView:
        with hold_backup(services, view.id), reading_vault(services, view, new.store) as vault:
            manifest = vault.get_manifest(view.id)
            plan = prepare_restore(manifest, _request(new), source_url=services.source_url, counted=False)
            plan.refuse_if_blocked()
            safety = take_safety_backup(run, view, new.store or view.store) if new.safety else None
            try:
                done = _restore(run, plan, manifest, vault, low=40.0 if safety else 0.0)
            except PlanRefused:
                # Which foreign keys would break is known only now. Nothing was changed, so there is nothing to undo.
                if safety is not None:
                    drop_safety_backup(services, safety)
                raise
        return _report(run, view, done, safety)

    return run_job(
        services,
        actor,
        "restore",
        _parameters(view, new),
        work,
        job_id=job_id,
        on_progress=on_progress,
        on_failure=mark_backup_failed,
    )


@dataclasses.dataclass(slots=True)
class _Done:
    """What came of the transaction; `report` is None if only its commit is known."""

    report: RestoreReport | None
    note: str = ""


def _restore(run: Run, plan: RestorePlan, manifest: Manifest, vault: Vault, *, low: float) -> _Done:
    services = run.services
    noted: list[str] = []

    def before_commit(xid: str) -> None:
        run.note_commit(xid)
        noted.append(xid)

    try:
        report = run_restore(
            plan,
            manifest,
            vault=vault,
            source_url=services.source_url,
            on_progress=run.sink(low, 99),
            before_commit=before_commit,
            lock_timeout_seconds=services.settings.lock_timeout_seconds,
        )
    except DatabaseTrouble as error:
        if not noted:
            raise
        outcome = await_outcome(services.source_url, noted[0], seconds=_RESOLVE_SECONDS)
        if outcome is Outcome.COMMITTED:
            return _Done(None, "The connection was lost just after the restore was committed. The rows are restored.")
        if outcome is Outcome.ABORTED:
            raise
        raise DatabaseTrouble(
            f"The connection was lost while the restore was being committed ({error.message}), and PostgreSQL does not "
            "say what became of it.",
            hint="When the database answers again, compare the tables before restoring once more.",
        ) from error
    return _Done(report)


def _report(run: Run, view: BackupView, done: _Done, safety: str | None) -> RestoreView:
    changes = _changes(done.report) if done.report else {}
    touched = sum(c.added + c.changed + c.removed for c in changes.values())
    restored = RestoreView(
        job=run.id,
        tables=changes,
        safety_backup=safety,
        seconds=done.report.seconds if done.report else 0.0,
        note=done.note,
    )
    message = done.note or f"{view.name} is restored: {touched} rows in {len(changes)} tables were set right."
    with run.services.system.session("system") as session:
        run.succeed(
            session,
            {**dataclasses.asdict(restored), "message": message},
            action="restore.complete",
            object_id=view.id,
            is_final=True,
        )
    return restored


def _preview(
    view: BackupView, plan: RestorePlan, rehearsed: Mapping[str, TableChange], lockout: str | None
) -> RestorePreview:
    tables = tuple(
        TablePreview(
            name=target.name,
            group=target.group,
            backup_rows=target.backup_rows,
            live_rows=target.live_rows.rows if target.live_rows else 0,
            live_rows_estimated=bool(target.live_rows and target.live_rows.estimated),
            change=rehearsed.get(target.name),
        )
        for target in plan.targets
    )
    return RestorePreview(
        backup=view,
        tables=tables,
        groups=tuple(_group(name, tables) for name in dict.fromkeys(t.group for t in tables)),
        problems=tuple(ProblemView(p.message, p.hint, p.kind, tuple(p.tables)) for p in plan.problems),
        warnings=(*((lockout,) if lockout else ()), *plan.warnings),
        allowed=plan.allowed,
        fingerprint=plan.fingerprint,
    )


def _group(name: str, tables: tuple[TablePreview, ...]) -> GroupPreview:
    own = [t for t in tables if t.group == name]
    return GroupPreview(name, sum(t.backup_rows for t in own), sum(t.live_rows for t in own), len(own))


def _changes(report: RestoreReport) -> dict[str, TableChange]:
    return {name: TableChange(r.added, r.changed, r.removed) for name, r in report.tables.items()}


def _restorable(services: Services, actor: Actor, backup_id: str) -> BackupView:
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup_id)
    if view.state != "complete":
        raise Refused(f"{view.name} is {view.state}: it cannot be restored.", hint="Choose a complete backup.")
    return view


def _check_confirmed(view: BackupView, new: NewRestore) -> None:
    if (new.confirm_name or "").strip() != view.name:
        raise UsageError(
            "The name typed is not the name of the backup; nothing was changed.",
            hint=f"Type the name exactly as it stands there: {view.name}",
        )
    if view.foreign and not new.trust_foreign:
        raise Refused(
            f"{view.name} was imported, and is not signed by this installation's key; nothing was changed.",
            hint="Restore it only if you trust where the file came from: say so (--trust-foreign).",
        )


def _request(new: NewRestore) -> RestoreRequest:
    return RestoreRequest(groups=new.groups, skip=new.skip, mode=new.mode)


def _parameters(view: BackupView, new: NewRestore) -> dict[str, Any]:
    return {**dataclasses.asdict(new), "backup_id": view.id, "name": view.name}
