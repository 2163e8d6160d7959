"""SIGKILL at every named point of a backup: what was complete stays so, the next one succeeds, no orphan stays.

The points are seams of the program: a child process stops being at a call, before or after it.
"""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rxbackup.access.actor import Actor
from rxbackup.operations import backups, jobs, prunes, restores, verifications
from rxbackup.operations.views import BackupView, NewBackup, NewRestore
from rxbackup.worker.scheduler import tick
from tests.support.databases import take_image
from tests.support.installation import Installation, admin, installation
from tests.support.seams import at, die

__all__ = ["admin", "installation"]


def _in_the_middle_of_rows() -> None:
    copier: Any = importlib.import_module("rxbackup.backup.copier")

    read = copier.read_rows

    def deadly(*arguments: Any, **named: Any) -> Iterator[Any]:
        yield from ((piece, die()) for piece in read(*arguments, **named))  # type: ignore[func-returns-value]

    copier.read_rows = deadly


def _in_the_middle_of_a_file() -> None:
    write = os.write

    def half(number: int, content: Any) -> int:
        write(number, content[: len(content) // 2])
        die()
        return 0

    os.write = half


def _before_a_manifest_is_flushed() -> None:
    at("stores.local.LocalStore.put", when=lambda _, name, *__, **___: name.startswith("manifests/") and _arm_flush())()


def _arm_flush() -> bool:
    at("stores.local.os.fsync")()
    return False


def _is_manifest(_: object, name: str, *__: object, **___: object) -> bool:
    return name.startswith("manifests/")


POINTS: dict[str, Callable[[], None]] = {
    "B0 claimed": at("operations._backups.taking.enter"),
    "B1 the row says running": at("operations._backups.taking.enter", after=True),
    "B2 locked": at("postgres.consistent_read._lock", after=True),
    "B3 snapshot taken": at("backup.run.leave_watermark"),
    "B3 watermark left": at("backup.run.leave_watermark", after=True),
    "B4 in the middle of rows": _in_the_middle_of_rows,
    "B5 chunk sealed": at("vault.chunk_pool.ChunkPool._sealed", after=True),
    "B6 half of a file written": _in_the_middle_of_a_file,
    "B7 before it is flushed": _arm_flush,  # type: ignore[dict-item]
    "B8 before it is named": at("stores.local._give_name"),
    "B9 named, no row": at("stores.local._give_name", after=True),
    "B10 row, no link": at("operations._backups.taking.settle_chunks", after=True),
    "B11 all chunks stored": at("backup.run._look_for"),
    "B12 manifest not flushed": _before_a_manifest_is_flushed,
    "B13 manifest written": at("stores.local.LocalStore.put", after=True, when=_is_manifest),
    "B14 read back": at("backup.run._seal", after=True),
    "B14 before complete is committed": at("operations._runs.running.Run.succeed", after=True),
    "B15 complete": at("operations.backups.run_job", after=True),
}


def _killed(shop: Installation, owner: Actor, arm: Callable[[], None]) -> int:
    """The signal that ended a process which took a backup."""
    child = os.fork()
    if child == 0:
        try:
            services = shop.again()
            arm()
            backups.perform_backup(services, owner, NewBackup("Killed", store="local"))
        finally:
            os._exit(77)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _take(shop: Installation, owner: Actor, name: str) -> BackupView:
    return backups.perform_backup(shop.services, owner, NewBackup(name, store="local"))


def _restored(shop: Installation, owner: Actor, backup: BackupView) -> object:
    wanted = NewRestore(backup.id, safety=False, confirm_name=backup.name)
    restores.perform_restore(shop.services, owner, wanted)
    return take_image(shop.services.source_url).rows


@pytest.mark.parametrize("point", POINTS)
def test_killed(installation: Installation, admin: Actor, point: str) -> None:
    services = installation.services
    images = {"Kept": take_image(services.source_url).rows}
    kept = _take(installation, admin, "Kept")
    installation.sql("UPDATE public.orders SET total = total + 1 WHERE id % 50 = 0")
    installation.sql("INSERT INTO public.notes (body) VALUES ('new')")
    images["Killed"] = images["Next"] = take_image(services.source_url).rows

    assert _killed(installation, admin, POINTS[point]) == -signal.SIGKILL

    tick(installation.again())
    assert jobs.active_jobs(services, admin) == ()
    listed = {b.name: b for b in backups.list_backups(services, admin).items}
    states = {name: backup.state for name, backup in listed.items()}
    gone = {} if point.startswith("B0") else {"Killed": "complete" if point.startswith("B15") else "interrupted"}
    assert states == {"Kept": "complete", **gone}
    after = _take(installation, admin, "Next")
    complete = [kept, after, *(b for b in listed.values() if (b.name, b.state) == ("Killed", "complete"))]
    for _ in range(2):
        prunes.perform_prune(services, admin, "local")
    for backup in complete:
        assert verifications.perform_verify(services, admin, backup.id).ok
        assert _restored(installation, admin, backup) == images[backup.name]
    with services.open_vault("local") as vault:
        assert set(vault.manifest_ids()) == {backup.id for backup in complete}
        needed = set().union(*(vault.get_manifest(backup.id).needed_ids() for backup in complete))
        assert {chunk for chunk, _, _ in vault.chunk_objects()} == needed
