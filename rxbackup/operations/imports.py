"""Imports: archives and JSON documents, taken in as backups like any other."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlmodel import col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotFound
from rxbackup.intake.archive import unlock
from rxbackup.intake.archive_file import read_marker
from rxbackup.intake.json_document import JsonFile
from rxbackup.intake.limits import Bounds
from rxbackup.intake.recognising import FileKind, open_file, recognise
from rxbackup.intake.spool import Spool, is_spooled, remove, spooled, unclaimed, write_keys
from rxbackup.operations._backups.catalogue import find_backup, find_job, job_view
from rxbackup.operations._backups.importing import Imported, Wish, take_in
from rxbackup.operations._backups.taking import check_new, mark_backup_failed
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, JobView, NewBackup
from rxbackup.operations.wording import counted
from rxbackup.progress import ProgressSink
from rxbackup.tables.system import Job, Store
from rxbackup.vault.keyring import load_keyring, read_key_file
from rxbackup.vault.marker import vault_id_of, with_slot

__all__ = ["perform_import", "perform_spooled_import", "receive_file", "request_import", "sweep_imports"]

_FOLDER = "imports"
_LONGEST_FILE_NAME = 100
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff/\\]")


@requires(Permission.RESTORE)
def receive_file(services: Services, actor: Actor, *, announced: int | None = None) -> Spool:
    """A place for a file that is being uploaded; use it as a context manager, then `request_import`.

    Args:
        services: the installation.
        actor: who uploads.
        announced: how many bytes it will be, if that is known.

    Raises:
        TooLarge: it is larger than is allowed.
        StoreFull: there is no space for it.
    """
    del actor
    return Spool(_folder(services), most_bytes=services.settings.import_max_bytes, announced=announced)


@requires(Permission.RESTORE)
def request_import(
    services: Services,
    actor: Actor,
    spool: Path,
    file_name: str,
    *,
    name: str | None = None,
    store: str = "database",
    passphrase: SecretStr | None = None,
) -> JobView:
    """Queue the import of a file that was uploaded. From now on the job vouches for the file: `spool.keep()`.

    What can be known at once is said at once: a file of another kind, a torn one, a wrong passphrase.

    Args:
        services: the installation.
        actor: who asks.
        spool: the uploaded file.
        file_name: how its owner calls it; for people only.
        name: of the backup; its own if not given.
        store: where it shall rest.
        passphrase: of an archive that was made elsewhere. It is used now, and kept nowhere.

    Raises:
        FileCorrupt: the file is torn, or nothing that rxbackup wrote.
        Refused: no key opens it, or it is SQL or another program's backup.
        NotFound: there is no such store.
    """
    _check_wish(services, actor, name, store)
    _look_once(services, spool, store, passphrase)
    shown = _shown(file_name)
    parameters = {"spool": spool.name, "file": shown, "as": name, "store": store, "name": name or shown}
    job_id = queue_job(services, actor, "import", parameters)
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.RESTORE)
def perform_import(
    services: Services,
    actor: Actor,
    file: Path,
    *,
    name: str | None = None,
    store: str = "database",
    passphrase: SecretStr | None = None,
    key_file: Path | None = None,
    on_progress: ProgressSink | None = None,
) -> BackupView:
    """Import a file of this machine, here and now. The same file again gives the backup that is there already.

    Args:
        services: the installation.
        actor: who asks.
        file: an archive or a JSON document.
        name: of the backup; its own if not given.
        store: where it shall rest.
        passphrase: of an archive that was made elsewhere.
        key_file: the key file of the installation that made it.
        on_progress: told how far it is.

    Raises:
        FileCorrupt: the file is torn, changed, or nothing that rxbackup wrote.
        Refused: no key opens it, or it holds what is not taken in.
        NotFound: there is no such file or store.
    """
    _check_wish(services, actor, name, store)
    secret = passphrase.get_secret_value() if passphrase is not None else None
    key = read_key_file(key_file) if key_file is not None else None
    shown = _shown(file.name)
    wish = Wish(file, shown, name, store, secret, key)
    return _perform(services, actor, wish, job_id=None, on_progress=on_progress)


@requires(Permission.RESTORE)
def perform_spooled_import(
    services: Services, actor: Actor, spool: str, file_name: str, *, name: str | None, store: str, job_id: str
) -> BackupView:
    """For a worker: import an uploaded file by its name in the spool. The file is gone afterwards, however it ends.

    Raises:
        NotFound: the file is not on this machine.
    """
    wish = Wish(spooled(_folder(services), spool), file_name, name, store)
    return _perform(services, actor, wish, job_id=job_id, on_progress=None)


@requires(Permission.ADMINISTER)
def sweep_imports(services: Services, actor: Actor) -> int:
    """Remove uploaded files that no job wants any more, as crashes and cancellations leave them; how many."""
    left = unclaimed(_folder(services))
    if not left:
        return 0
    with services.system.session(actor.identity) as session:
        jobs = session.exec(
            select(Job.parameters).where(col(Job.kind) == "import", col(Job.state).in_(["queued", "running"]))
        ).all()
    wanted = {str(parameters.get("spool")) for parameters in jobs}
    unwanted = [path for path in left if path.name.partition(".")[0] not in wanted]
    for path in unwanted:
        remove(path)
    return len(unwanted)


def _perform(
    services: Services, actor: Actor, wish: Wish, *, job_id: str | None, on_progress: ProgressSink | None
) -> BackupView:
    def work(run: Run) -> BackupView:
        began = time.monotonic()
        with _removed_afterwards(services, wish.path):
            done = take_in(run, wish)
        run.check()
        with services.system.session(actor.identity) as session:
            done.finish(session, run, seconds=round(time.monotonic() - began, 3))
            view = find_backup(session, done.backup_id)
            run.succeed(session, _result(view, done), action="backup.imported", object_id=done.backup_id)
        return view

    parameters = {"file": wish.file_name, "store": wish.store, "name": wish.name or wish.file_name}
    return run_job(
        services,
        actor,
        "import",
        parameters,
        work,
        job_id=job_id,
        on_progress=on_progress,
        on_failure=mark_backup_failed,
    )


def _result(view: BackupView, done: Imported) -> dict[str, Any]:
    rows = f"{counted(view.rows, 'row')} of {counted(view.tables, 'table')}"
    if done.taken is None:
        message = f"{view.name} is there already: {rows}. Nothing was stored."
    elif done.foreign:
        message = f"{view.name}: {rows} were imported. They are not signed by this installation's key."
    else:
        message = f"{view.name}: {rows} were imported."
    return {
        "backup": view.id,
        "rows": view.rows,
        "tables": view.tables,
        "stored_bytes": 0 if done.taken is None else view.stored_bytes,
        "already_there": done.taken is None,
        "foreign": done.foreign,
        "message": message,
    }


@contextmanager
def _removed_afterwards(services: Services, path: Path) -> Iterator[None]:
    """An uploaded file is ours to remove; any other belongs to who named it."""
    try:
        yield
    finally:
        if is_spooled(_folder(services), path):
            remove(path)


def _look_once(services: Services, path: Path, store: str, passphrase: SecretStr | None) -> None:
    with open_file(path) as file:
        if recognise(file) is FileKind.JSON:
            JsonFile(file, Bounds(services.settings.import_max_row_bytes))
            return
        marker = read_marker(file)
    if vault_id_of(marker) == services.open_vault(store).id:
        return
    own = load_keyring(services.settings)
    secret = passphrase.get_secret_value() if passphrase is not None else None
    keys, foreign = unlock(marker, own, passphrase=secret, other=None)
    if foreign:
        write_keys(path, with_slot(marker, keys, own))


def _check_wish(services: Services, actor: Actor, name: str | None, store: str) -> None:
    if name is not None:
        check_new(NewBackup(name=name))
    with services.system.session(actor.identity) as session:
        if session.get(Store, store) is None:
            raise NotFound(f"There is no store named {store!r}.", hint="`rxbackup store list` names them.")


def _folder(services: Services) -> Path:
    return services.settings.data_dir / _FOLDER


def _shown(name: str) -> str:
    """A file's name as it may be shown: no path, no control characters, not long."""
    last = re.split(r"[/\\]", name)[-1]
    shown = _UNSEEN.sub("", last.encode("utf-8", "replace").decode("utf-8"))[:_LONGEST_FILE_NAME].strip()
    return shown or "file"
