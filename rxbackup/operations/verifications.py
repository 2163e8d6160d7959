"""Verifications: does a backup still hold what it promised?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import BackupNotFound, Corrupt, Refused, UsageError
from rxbackup.operations._backups.catalogue import find_backup, find_job, job_view
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._backups.places import reading_vault
from rxbackup.operations._backups.proof import note_copy_proof, note_proof
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, JobView, VerifyView
from rxbackup.operations.wording import counted
from rxbackup.progress import Progress, ProgressSink
from rxbackup.tables.system import Backup, Job, Schedule
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import verify_contents
from rxbackup.verify.drill import RESTORING, drop_leftovers, verify_drill
from rxbackup.verify.report import VerifyReport
from rxbackup.verify.structure import verify_structure

__all__ = ["LEVELS", "VerifyView", "drop_drill_leftovers", "perform_verify", "request_verify", "verify_regularly"]

LEVELS = ("structure", "contents", "drill")
_MOST_FINDINGS_KEPT = 100
_DRILL_DAYS = 30
"""Where the protected database is the embedded one, and nothing else was said."""


@requires(Permission.VERIFY)
def request_verify(
    services: Services, actor: Actor, backup: str, *, level: str = "contents", store: str | None = None
) -> JobView:
    """Queue a verification.

    Args:
        level: structure, contents or drill.
        store: verify the copy that rests there; None means where the backup was taken.

    Raises:
        UsageError: the level is unknown.
        Refused: the backup is not complete.
    """
    view = _verifiable(services, actor, backup, level)
    job_id = queue_job(services, actor, "verify", _parameters(view, level, store))
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.VERIFY)
def perform_verify(
    services: Services,
    actor: Actor,
    backup: str,
    *,
    level: str = "contents",
    store: str | None = None,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> VerifyView:
    """Verify here and now. Damage is reported in the view and noted on the backup, not raised.

    Raises:
        UsageError, Refused: as `request_verify`; a drill also where it has no place or no room.
        NotFound: no copy rests in that store.
    """
    view = _verifiable(services, actor, backup, level)
    place = store or view.store

    def work(run: Run) -> VerifyView:
        with hold_backup(services, view.id), reading_vault(services, view, store) as vault:
            found = _look(services, vault, view, level, place, run)
        run.check()
        with services.system.session(actor.identity) as session:
            if place == view.store:
                note_proof(session, view, found)
            else:
                note_copy_proof(session, view, place, found)
            run.succeed(session, _result(found), action=_action(found), object_id=view.id)
        return found

    parameters = _parameters(view, level, store)
    return run_job(services, actor, "verify", parameters, work, job_id=job_id, on_progress=on_progress)


@requires(Permission.ADMINISTER)
def drop_drill_leftovers(services: Services, actor: Actor) -> tuple[str, ...]:
    """Drop the schemas and databases of drills that died; their names."""
    del actor
    return drop_leftovers(services.source_url)


@requires(Permission.ADMINISTER)
def verify_regularly(services: Services, actor: Actor) -> JobView | None:
    """Queue a verification of the newest backup of a schedule where the last one of its level is too long ago.

    Contents every `verify_days`, a drill every `drill_days`. One at a time, and only while some schedule is active.
    """
    with services.system.session(actor.identity) as session:
        now = services.database_clock(session)
        level = next((each for each, days in _rhythm(services) if days and _is_due(session, each, now, days)), None)
        good = (col(Backup.state) == "complete", col(Backup.error).is_(None), col(Backup.trashed_at).is_(None))
        newest = session.exec(
            select(Backup.id)
            .join(Schedule, col(Schedule.id) == col(Backup.schedule_id))
            .where(*good, col(Schedule.active))
            .order_by(col(Backup.timestamp).desc())
            .limit(1)
        ).first()
    if level is None or newest is None:
        return None
    return request_verify(services, actor, str(newest), level=level)


def _rhythm(services: Services) -> tuple[tuple[str, int], ...]:
    """How many days apart the levels are proven by themselves, the greatest first; 0 is never."""
    settings = services.settings
    # A drill writes into the protected server: where that is somebody's own, somebody has to ask for it.
    drill_days = settings.drill_days if settings.drill_days is not None else _DRILL_DAYS * services.embedded
    return (("drill", drill_days), ("contents", settings.verify_days))


def _is_due(session: Session, level: str, now: datetime, days: int) -> bool:
    levels = ["drill"] if level == "drill" else ["contents", "drill"]
    active = col(Job.state).in_(["queued", "running"])
    tried = col(Job.parameters)["level"].astext.in_(levels) & (col(Job.created_at) > now - timedelta(days=days))
    return session.exec(select(Job.id).where(col(Job.kind) == "verify", active | tried).limit(1)).first() is None


def _look(services: Services, vault: Vault, view: BackupView, level: str, place: str, run: Run) -> VerifyView:
    try:
        manifest = vault.get_manifest(view.id)
        report = _verify(services, vault, manifest, level, run)
    except (BackupNotFound, Corrupt) as error:
        return VerifyView(
            view.id, level, ok=False, checked_chunks=0, damaged=(error.message,), seconds=0.0, job=run.id, store=place
        )
    return VerifyView(
        backup_id=view.id,
        level=level,
        ok=report.ok,
        checked_chunks=report.checked_chunks,
        damaged=tuple(str(damage) for damage in report.damaged),
        seconds=round(report.seconds, 3),
        job=run.id,
        tables_checked=report.tables,
        rows_checked=report.rows,
        unproven=tuple(str(obstacle) for obstacle in report.unproven),
        place=report.place,
        store=place,
    )


def _verify(services: Services, vault: Vault, manifest: Manifest, level: str, run: Run) -> VerifyReport:
    match level:
        case "structure":
            return verify_structure(vault, manifest, on_progress=run.sink(0, 99))
        case "contents":
            return verify_contents(vault, manifest, on_progress=run.sink(0, 99))
    restoring, rest = run.sink(0, 75), run.sink(75, 99)

    def on_progress(progress: Progress) -> None:
        (restoring if progress.stage == RESTORING or not progress.tables_total else rest)(progress)

    folder = services.settings.data_dir / "postgres" if services.embedded else None
    return verify_drill(vault, manifest, source_url=services.source_url, server_folder=folder, on_progress=on_progress)


def _verifiable(services: Services, actor: Actor, backup: str, level: str) -> BackupView:
    if level not in LEVELS:
        raise UsageError(f"There is no level {level!r}.", hint=f"The levels are: {', '.join(LEVELS)}.")
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
    if view.state != "complete":
        raise Refused(f"{view.name} is {view.state}: there is nothing to verify.", hint="Verify a complete backup.")
    return view


def _result(found: VerifyView) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "level": found.level,
        "checked_chunks": found.checked_chunks,
        "tables_checked": found.tables_checked,
        "rows_checked": found.rows_checked,
        "message": _message(found),
        "damaged": list(found.damaged[:_MOST_FINDINGS_KEPT]),
        "unproven": list(found.unproven[:_MOST_FINDINGS_KEPT]),
        "place": found.place,
        "store": found.store,
        "seconds": found.seconds,
    }


def _message(found: VerifyView) -> str:
    if not found.ok:
        return f"Damaged: {found.damaged[0]}"
    if found.unproven:
        return (
            f"Nothing is damaged, but {counted(len(found.unproven), 'thing')} could not be proven: {found.unproven[0]}"
        )
    if found.level == "drill":
        rows = counted(found.rows_checked, "row")
        return f"Restored and found the same: {rows} of {counted(found.tables_checked, 'table')}."
    return "Nothing is damaged."


def _action(found: VerifyView) -> str:
    if not found.ok:
        return "backup.damaged"
    return "backup.verified" if found.proven else "backup.unproven"


def _parameters(view: BackupView, level: str, store: str | None) -> dict[str, Any]:
    return {"backup_id": view.id, "name": view.name, "level": level} | ({"store": store} if store else {})
