"""A restore into another database than the protected one. Never queued: its address holds a password.

There is no safety backup there, and nothing to undo.
"""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import Refused, UsageError
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._backups.places import reading_vault
from rxbackup.operations._restores.asked import check_confirmed, chosen_tables, parameters_of, request_of, restorable
from rxbackup.operations._restores.carrying_out import carry_out
from rxbackup.operations._restores.foretelling import preview_of
from rxbackup.operations._restores.planning import Planned
from rxbackup.operations._restores.reporting import document_of_restore, restored, touched
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, NewRestore, RestorePreview, RestoreView
from rxbackup.postgres.connecting import connect, translated
from rxbackup.progress import ProgressSink
from rxbackup.restore.run import prepare_restore
from rxbackup.vault.vault import Vault

__all__ = ["perform_restore_into", "preview_restore_into"]

_WHICH = "SELECT (SELECT system_identifier::text FROM pg_catalog.pg_control_system()), pg_catalog.current_database()"


@requires(Permission.RESTORE)
def preview_restore_into(services: Services, actor: Actor, new: NewRestore, url: str) -> RestorePreview:
    """What a restore into the database at `url` would do, at a glance. `new.confirm_name` is not looked at.

    Raises:
        UsageError: `url` is not the address of a PostgreSQL database.
        Refused: it is the protected database itself.
    """
    _refuse_own(services, url)
    view = restorable(services, actor, new.backup_id)
    with reading_vault(services, view, new.store) as vault:
        return preview_of(view, _planned(view, new, vault, url, counted=True))


@requires(Permission.RESTORE)
def perform_restore_into(
    services: Services, actor: Actor, new: NewRestore, url: str, *, on_progress: ProgressSink | None = None
) -> RestoreView:
    """Restore into the database at `url`, here and now, in one transaction. Its tables must be there.

    The address is written nowhere but for host and name of the database.

    Raises:
        UsageError, Refused: as `preview_restore_into`; or the name typed is not the backup's.
        PlanRefused: tables are missing there, or it would break something; nothing was changed.
    """
    place = _refuse_own(services, url)
    view = restorable(services, actor, new.backup_id)
    check_confirmed(view, new)
    asked = parameters_of(view, new, chosen_tables(services, actor, view, new))

    def work(run: Run) -> RestoreView:
        with hold_backup(services, view.id), reading_vault(services, view, new.store) as vault:
            planned = _planned(view, new, vault, url, counted=False)
            carried = carry_out(
                planned,
                url=url,
                on_progress=run.sink(0, 99),
                before_commit=lambda _: run.check(),
                agree=None,
                lock_timeout_seconds=services.settings.lock_timeout_seconds,
            )
        stale = tuple(each.qualified for each in planned.plan.stale_views)
        expected = RestoreView(job=run.id, tables={}, safety_backup=None, seconds=0.0, stale_views=stale)
        done = restored(expected, carried)
        message = done.note or f"{view.name} is restored into {place}: {touched(done)}."
        with services.system.session("system") as session:
            result = {**document_of_restore(done), "message": message}
            run.succeed(session, result, action="restore-into.complete", object_id=view.id, is_final=True)
        return done

    parameters = {**asked, "safety": False, "into": place}
    return run_job(services, actor, "restore-into", parameters, work, on_progress=on_progress)


def _planned(view: BackupView, new: NewRestore, vault: Vault, url: str, *, counted: bool) -> Planned:
    manifest = vault.get_manifest(view.id)
    request = dataclasses.replace(request_of(new), keep=())
    plan = prepare_restore(manifest, request, source_url=url, counted=counted)
    return Planned(plan, manifest, vault, kept_account="", warnings=())


def _refuse_own(services: Services, url: str) -> str:
    """Make sure that the address leads somewhere else; what of it may be written down."""
    try:
        parts = urlsplit(url)
        place = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
        is_one = parts.scheme in {"postgresql", "postgres"}
    except ValueError:
        is_one = False
    if not is_one:
        # The address itself is not repeated: it may hold a password.
        raise UsageError(
            "This is not the address of a PostgreSQL database.",
            hint="It looks like postgresql://user:password@host:5432/database.",
        )
    if _which(url) == _which(services.source_url):
        raise Refused(
            "That is the protected database itself.",
            hint="Restore without --into: then a safety backup comes first, and it can be undone.",
        )
    return place


def _which(url: str) -> object:
    with connect(url, application_name="rxbackup restore") as conn, translated("looking at the other database"):
        return conn.execute(_WHICH).fetchone()
