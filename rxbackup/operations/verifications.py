"""Verifications: does a backup still hold what it promised?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import BackupNotFound, Corrupt, Refused, UsageError
from rxbackup.operations._catalogue import find_backup, find_job, job_view
from rxbackup.operations._proof import note_proof
from rxbackup.operations._queueing import queue_job
from rxbackup.operations._running import Run, run_job
from rxbackup.operations._taking import vault_of_its_own
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, JobView, VerifyView
from rxbackup.progress import ProgressSink
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import verify_contents
from rxbackup.verify.report import VerifyReport
from rxbackup.verify.structure import verify_structure

__all__ = ["VerifyView", "perform_verify", "request_verify"]

_Verify = Callable[..., VerifyReport]
_LEVELS: dict[str, _Verify] = {"structure": verify_structure, "contents": verify_contents}
_PLANNED = frozenset({"drill"})
_MOST_DAMAGES_KEPT = 100


@requires(Permission.VERIFY)
def request_verify(services: Services, actor: Actor, backup: str, *, level: str = "contents") -> JobView:
    """Queue a verification; level is structure or contents.

    Raises:
        UsageError: the level is unknown.
        Refused: the backup is not complete.
    """
    view = _verifiable(services, actor, backup, level)
    job_id = queue_job(services, actor, "verify", _parameters(view, level))
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.VERIFY)
def perform_verify(
    services: Services,
    actor: Actor,
    backup: str,
    *,
    level: str = "contents",
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> VerifyView:
    """Verify here and now. Damage is reported in the view and noted on the backup, not raised."""
    view = _verifiable(services, actor, backup, level)

    def work(run: Run) -> VerifyView:
        with vault_of_its_own(services, view.store) as vault:
            found = _look(vault, view, level, run)
        run.check()
        with services.system.session(actor.identity) as session:
            note_proof(session, view, found)
            message = "Nothing is damaged." if found.ok else f"Damaged: {found.damaged[0]}"
            result = {"ok": found.ok, "level": level, "checked_chunks": found.checked_chunks, "message": message}
            damaged = list(found.damaged[:_MOST_DAMAGES_KEPT])
            run.succeed(
                session,
                {**result, "damaged": damaged},
                action="backup.verified" if found.ok else "backup.damaged",
                object_id=view.id,
            )
        return found

    parameters = _parameters(view, level)
    return run_job(services, actor, "verify", parameters, work, job_id=job_id, on_progress=on_progress)


def _look(vault: Vault, view: BackupView, level: str, run: Run) -> VerifyView:
    try:
        manifest = vault.get_manifest(view.id)
        report = _LEVELS[level](vault, manifest, on_progress=run.sink(0, 99))
    except (BackupNotFound, Corrupt) as error:
        return VerifyView(view.id, level, ok=False, checked_chunks=0, damaged=(error.message,), seconds=0.0, job=run.id)
    return VerifyView(
        backup_id=view.id,
        level=level,
        ok=report.ok,
        checked_chunks=report.checked_chunks,
        damaged=tuple(str(damage) for damage in report.damaged),
        seconds=round(report.seconds, 3),
        job=run.id,
    )


def _verifiable(services: Services, actor: Actor, backup: str, level: str) -> BackupView:
    if level not in _LEVELS:
        raise UsageError(
            f"The level {level!r} is not available in this version."
            if level in _PLANNED
            else f"There is no level {level!r}.",
            hint=f"The levels are: {', '.join(_LEVELS)}.",
        )
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
    if view.state != "complete":
        raise Refused(f"{view.name} is {view.state}: there is nothing to verify.", hint="Verify a complete backup.")
    return view


def _parameters(view: BackupView, level: str) -> dict[str, Any]:
    return {"backup_id": view.id, "name": view.name, "level": level}
