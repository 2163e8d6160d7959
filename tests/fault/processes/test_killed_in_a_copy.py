"""SIGKILL to a worker in the middle of a copy: nothing calls itself a copy, and copying again completes it."""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.operations import backups, copies, jobs, verifications
from rxbackup.operations.views import NewBackup
from tests.support.gates import gate_before_insert
from tests.support.installation import Installation
from tests.support.workers import assert_sound, hand_to_worker, restart, working

_CHUNKS = "(SELECT count(*) FROM rxbackup.objects WHERE name LIKE 'chunks/%')"


def test_killed_in_the_middle_and_before_the_manifest(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("Elsewhere", store="local"))
    stored = []
    for condition in (f"NEW.name LIKE 'chunks/%' AND {_CHUNKS} >= 2", "NEW.name LIKE 'manifests/%'"):
        with gate_before_insert(services.system_url, "rxbackup.objects", condition) as gate:
            job = copies.request_copy(services, admin, backup.id, "database")
            hand_to_worker(installation, job)
            with working(installation) as worker:
                gate.wait()
                worker.kill()
                gate.open()
        restart(installation)
        assert jobs.show_job(services, admin, job.id).state == "interrupted"
        (copy,) = copies.list_copies(services, admin, backup.id)
        assert copy.state == "failed"
        assert copy.error
        assert installation.system_sql("SELECT count(*) FROM rxbackup.backup_chunks WHERE store = 'database'") == [(0,)]
        stored.append(installation.system_sql(f"SELECT {_CHUNKS}")[0][0])
    assert 2 <= int(str(stored[0])) <= int(str(stored[1]))
    made = copies.perform_copy(services, admin, backup.id, "database")
    assert made.state == "complete"
    # What was there already was used again, not doubled.
    assert installation.system_sql(f"SELECT {_CHUNKS}")[0][0] == stored[1]
    assert verifications.perform_verify(services, admin, backup.id, store="database").ok
    assert_sound(installation, admin, backup)
