"""SIGKILL at sure moments of an import: it is there completely or not at all, and its file is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rxbackup.access.actor import Actor
from rxbackup.operations import backups, downloads, imports, jobs, prunes
from rxbackup.operations.views import BackupView, NewBackup
from tests.support.gates import gate_before_insert, gate_before_update, until
from tests.support.installation import CONSOLE, Installation
from tests.support.workers import assert_sound, hand_to_worker, restart, state_of_backup, working

MOMENTS = {
    "parsed": ("insert", "rxbackup.backups", "NEW.trigger = 'import'"),
    "some chunks are in": (
        "insert",
        "rxbackup.objects",
        (
            "NEW.name LIKE 'chunks/%' AND EXISTS (SELECT FROM rxbackup.backups WHERE trigger = 'import') "
            "AND EXISTS (SELECT FROM rxbackup.objects WHERE name LIKE 'chunks/%')"
        ),
    ),
    "all chunks are in": ("insert", "rxbackup.objects", "NEW.name LIKE 'manifests/%'"),
    "the manifest is in": ("update", "rxbackup.backups", "NEW.trigger = 'import' AND NEW.state = 'complete'"),
}


@pytest.mark.parametrize(
    ("moment", "format_name"), [(m, f) for m, f in zip(MOMENTS, ["json", "json", "archive", "archive"], strict=True)]
)
def test_killed_in_an_import(
    installation: Installation, admin: Actor, kept: BackupView, tmp_path: Path, moment: str, format_name: str
) -> None:
    services = installation.services
    event, table, condition = MOMENTS[moment]
    file = tmp_path / "file"
    with file.open("wb") as stream:
        downloads.export_to(services, CONSOLE, kept.id, stream, format_name=format_name)
    second = backups.perform_backup(services, admin, NewBackup("Second"))
    backups.delete_backup(services, admin, kept.id)
    for _ in range(2):
        prunes.perform_prune(services, admin)
    with imports.receive_file(services, admin) as spool:
        spool.write(file.read_bytes())
        job = imports.request_import(services, admin, spool.path, "file")
        spool.keep()
    hand_to_worker(installation, job)
    gate_at = gate_before_insert if event == "insert" else gate_before_update
    with gate_at(services.system_url, table, condition) as gate, working(installation) as worker:
        gate.wait()
        worker.kill()
        gate.open()
    restart(installation)
    assert jobs.show_job(services, admin, job.id).state == "interrupted"
    imports.sweep_imports(services, CONSOLE)
    assert not spool.path.exists()
    for view in backups.list_backups(services, admin).items:
        assert view.state == ("complete" if view.id == second.id else "interrupted")

    again = imports.perform_import(services, CONSOLE, file)
    assert state_of_backup(installation, admin, again.id) == "complete"
    assert again.rows == kept.rows
    for view in backups.list_backups(services, admin).items:
        if view.id != second.id:
            backups.delete_backup(services, admin, view.id)
    for _ in range(2):
        prunes.perform_prune(services, admin)
    manifest = services.open_vault("database").get_manifest(second.id)
    left = {found.name for found in services.open_vault("database").store.list()}
    assert {name.rpartition("/")[2][:64] for name in left if name.startswith("chunks/")} == manifest.needed_ids()
    assert {name for name in left if name.startswith("manifests/")} == {f"manifests/{second.id}"}
    assert_sound(installation, admin, second)


def test_killed_in_an_upload(installation: Installation, admin: Actor) -> None:
    folder = installation.services.settings.data_dir / "imports"
    code = (
        "import sys, time; from pathlib import Path; from rxbackup.intake.spool import Spool\n"
        "with Spool(Path(sys.argv[1]), most_bytes=1 << 30) as spool:\n"
        "    spool.write(b'x' * 100000); print('half', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"half\n"
    assert imports.sweep_imports(installation.services, CONSOLE) == 0
    process.kill()
    process.wait()
    assert len(list(folder.iterdir())) == 1
    until(lambda: imports.sweep_imports(installation.services, CONSOLE) == 1, "the file is swept", seconds=5)
    assert list(folder.iterdir()) == []
