"""Real worker processes, and what must hold after one of them met its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from rxbackup.access.actor import Actor
from rxbackup.operations import backups, jobs, restores, verifications
from rxbackup.operations.views import BackupView, JobView, NewBackup, NewRestore
from rxbackup.wiring.queue import JobQueue
from rxbackup.worker.scheduler import tick
from rxbackup.worker.supervision import child_environment
from tests.support.databases import take_image
from tests.support.gates import until
from tests.support.installation import Installation


@dataclass(frozen=True)
class Worker:
    """A worker process of its own."""

    process: subprocess.Popen[bytes]

    def copiers(self) -> list[psutil.Process]:
        """Its copy processes, now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def kill(self) -> None:
        """SIGKILL to this process only: nobody helps its children."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def working(installation: Installation) -> Iterator[Worker]:
    """A worker of this installation; whatever is left of it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rxbackup.worker"],
        env=child_environment(installation.services.settings),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Worker(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def are_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs any more."""
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def hand_to_worker(installation: Installation, job: JobView) -> None:
    """Put a job that was asked for into the real queue."""
    queue = JobQueue(installation.services.system_url)
    queue.put(job.id, job.kind)
    queue.close()


def queue_backup(installation: Installation, admin: Actor, name: str) -> JobView:
    """Ask for a backup as the page does."""
    job = backups.request_backup(installation.services, admin, NewBackup(name))
    hand_to_worker(installation, job)
    return job


def queue_restore(installation: Installation, admin: Actor, backup: BackupView) -> JobView:
    """Ask for a restore without a safety backup."""
    wanted = NewRestore(backup.id, safety=False, confirm_name=backup.name)
    job = restores.request_restore(installation.services, admin, wanted)
    hand_to_worker(installation, job)
    return job


def restart(installation: Installation) -> None:
    """What another process does within a minute: one tick of the scheduler."""
    tick(installation.again())


def end_of(installation: Installation, admin: Actor, job: JobView, *, seconds: float = 60) -> JobView:
    """The job once it has ended."""

    def look() -> JobView:
        return jobs.show_job(installation.services, admin, job.id)

    until(lambda: not look().is_active, f"the end of {job}", seconds=seconds)
    return look()


def state_of_backup(installation: Installation, admin: Actor, backup_id: str | None) -> str:
    """What the backup's row says."""
    return backups.show_backup(installation.services, admin, str(backup_id)).view.state


def assert_sound(installation: Installation, admin: Actor, *kept: BackupView) -> None:
    """Nothing runs, what was complete still is, and the next backup and restore succeed."""
    services = installation.services
    assert jobs.active_jobs(services, admin) == ()
    listed = {b.id: b.state for b in backups.list_backups(services, admin).items}
    for backup in kept:
        assert listed[backup.id] == "complete"
        assert verifications.perform_verify(services, admin, backup.id).ok
    again = backups.perform_backup(services, admin, NewBackup("After it all"))
    assert verifications.perform_verify(services, admin, again.id).ok
    before = take_image(services.source_url)
    installation.sql("DELETE FROM public.orders")
    wanted = NewRestore(again.id, safety=False, confirm_name=again.name)
    restores.perform_restore(services, admin, wanted)
    assert take_image(services.source_url) == before
