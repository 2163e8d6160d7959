"""SIGTERM to a worker: it is gone within ten seconds, whatever it waits for, and its job says what became of it."""

from __future__ import annotations

import time

from rxbackup.access.actor import Actor
from rxbackup.operations import jobs
from rxbackup.operations.views import BackupView
from tests.support.databases import take_image
from tests.support.gates import gate_at_row, gate_before_insert, until
from tests.support.installation import Installation
from tests.support.workers import (
    Worker,
    are_gone,
    assert_sound,
    queue_backup,
    queue_restore,
    restart,
    state_of_backup,
    working,
)


def _seconds_to_end(worker: Worker) -> float:
    began = time.monotonic()
    worker.process.terminate()
    worker.process.wait(30)
    return time.monotonic() - began


def test_told_while_its_copiers_wait(installation: Installation, admin: Actor, kept: BackupView) -> None:
    url = installation.services.system_url
    with gate_before_insert(url, "rxbackup.objects", "NEW.name LIKE 'chunks/%'") as gate:
        job = queue_backup(installation, admin, "Stopped")
        with working(installation) as worker:
            gate.wait()
            copiers = worker.copiers()
            assert _seconds_to_end(worker) < 10
            until(lambda: are_gone(copiers), "the copiers end", seconds=5)
            # No tick was needed: the worker itself has said so.
            assert jobs.show_job(installation.services, admin, job.id).state == "interrupted"
            gate.open()
    assert state_of_backup(installation, admin, job.backup_id) == "interrupted"
    assert_sound(installation, admin, kept)


def test_told_while_it_hangs_in_the_database(installation: Installation, admin: Actor, kept: BackupView) -> None:
    url = installation.services.source_url
    with gate_at_row(url, "public.orders", "id = 300") as gate:
        before = take_image(url)
        job = queue_restore(installation, admin, kept)
        with working(installation) as worker:
            gate.wait()
            assert _seconds_to_end(worker) < 10
            gate.open()
    restart(installation)
    assert jobs.show_job(installation.services, admin, job.id).state == "interrupted"
    assert take_image(url) == before
    assert_sound(installation, admin, kept)
