"""SIGKILL to a worker at sure moments of a backup: its copiers go too, no row lies, nothing earlier is harmed."""

from __future__ import annotations

import pytest

from rxbackup.access.actor import Actor
from rxbackup.operations import jobs
from rxbackup.operations.views import BackupView
from tests.support.gates import gate_before_insert, gate_before_update, until
from tests.support.installation import Installation
from tests.support.workers import are_gone, assert_sound, queue_backup, restart, state_of_backup, working

_CHUNKS = "(SELECT count(*) FROM rxbackup.objects WHERE name LIKE 'chunks/%')"


def _nobody_reads(installation: Installation) -> bool:
    return installation.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name LIKE 'rxbackup backup%'"
    ) == [(0,)]


def test_killed_between_two_chunks(installation: Installation, admin: Actor, kept: BackupView) -> None:
    [(stored,)] = installation.system_sql(f"SELECT {_CHUNKS}")
    condition = f"NEW.name LIKE 'chunks/%' AND {_CHUNKS} > {stored}"
    with gate_before_insert(installation.services.system_url, "rxbackup.objects", condition) as gate:
        job = queue_backup(installation, admin, "Killed")
        with working(installation) as worker:
            gate.wait()
            copiers = worker.copiers()
            assert len(copiers) == 2
            worker.kill()
            # They wait at the gate: nothing that they do themselves tells them that nobody listens any more.
            until(lambda: are_gone(copiers), "copiers of a dead worker end", seconds=10)
            restart(installation)
            assert jobs.show_job(installation.services, admin, job.id).state == "interrupted"
            assert state_of_backup(installation, admin, job.backup_id) == "interrupted"
            gate.open()
    until(lambda: _nobody_reads(installation), "its connections are gone")
    assert_sound(installation, admin, kept)


def test_killed_before_the_manifest_is_written(installation: Installation, admin: Actor, kept: BackupView) -> None:
    url = installation.services.system_url
    with gate_before_insert(url, "rxbackup.objects", "NEW.name LIKE 'manifests/%'") as gate:
        job = queue_backup(installation, admin, "Killed")
        with working(installation) as worker:
            gate.wait()
            worker.kill()
            gate.open()
    restart(installation)
    assert state_of_backup(installation, admin, job.backup_id) == "interrupted"
    assert_sound(installation, admin, kept)


def test_killed_between_the_manifest_and_the_word_complete(
    installation: Installation, admin: Actor, kept: BackupView
) -> None:
    url = installation.services.system_url
    with gate_before_update(url, "rxbackup.backups", "NEW.state = 'complete'") as gate:
        job = queue_backup(installation, admin, "Killed")
        with working(installation) as worker:
            gate.wait()
            worker.kill()
            gate.open()
    restart(installation)
    assert jobs.show_job(installation.services, admin, job.id).state == "interrupted"
    assert state_of_backup(installation, admin, job.backup_id) == "interrupted"
    assert_sound(installation, admin, kept)


@pytest.mark.parametrize("victim", [0, 1])
def test_killed_copier_ends_the_backup_with_a_reason(
    installation: Installation, admin: Actor, kept: BackupView, victim: int
) -> None:
    [(stored,)] = installation.system_sql(f"SELECT {_CHUNKS}")
    condition = f"NEW.name LIKE 'chunks/%' AND {_CHUNKS} > {stored}"
    with gate_before_insert(installation.services.system_url, "rxbackup.objects", condition) as gate:
        job = queue_backup(installation, admin, "Killed")
        with working(installation) as worker:
            gate.wait()
            copiers = worker.copiers()
            copiers[victim].kill()
            until(lambda: not jobs.show_job(installation.services, admin, job.id).is_active, "the job ends")
            ended = jobs.show_job(installation.services, admin, job.id)
            assert (ended.state, ended.error and ended.error.code) == ("interrupted", "worker-lost")
            assert "out-of-memory" in str(ended.error)
            until(lambda: are_gone(copiers), "the other copier ends")
            gate.open()
    assert state_of_backup(installation, admin, job.backup_id) == "interrupted"
    assert_sound(installation, admin, kept)
