"""On which earlier backup a new one leans, and that it is complete without it."""

from __future__ import annotations

import threading

from rxbackup.access.actor import Actor
from rxbackup.operations import backups, prunes, restores, stores, verifications
from rxbackup.operations.views import BackupView, NewBackup, NewRestore
from tests.support.installation import Installation


def _take(at: Installation, admin: Actor, name: str, *, full: bool = False, store: str = "local") -> BackupView:
    return backups.perform_backup(at.services, admin, NewBackup(name, full=full, store=store))


def _base(at: Installation, admin: Actor, backup: BackupView) -> str | None:
    return backups.show_backup(at.services, admin, backup.id).base_id


def _restores(at: Installation, admin: Actor, backup: BackupView) -> bool:
    before = at.image()
    at.sql("DELETE FROM public.orders")
    restores.perform_restore(at.services, admin, NewRestore(backup.id, safety=False, confirm_name=backup.name))
    return at.image() == before


def test_full_reads_everything_and_leans_on_nobody(installation: Installation, admin: Actor) -> None:
    _take(installation, admin, "First")
    full = _take(installation, admin, "Full", full=True)
    assert full.segments_read == full.segments_total
    assert _base(installation, admin, full) is None
    later = _take(installation, admin, "Later")
    assert later.segments_read == 0
    assert _base(installation, admin, later) == full.id


def test_each_store_has_its_own_line(installation: Installation, admin: Actor) -> None:
    first = _take(installation, admin, "First")
    other = _take(installation, admin, "Other", store="database")
    assert other.segments_read == other.segments_total
    assert _base(installation, admin, _take(installation, admin, "Later")) == first.id


def test_the_base_is_deleted(installation: Installation, admin: Actor) -> None:
    first = _take(installation, admin, "First")
    installation.sql("UPDATE public.orders SET total = total + 1 WHERE id = 7")
    second = _take(installation, admin, "Second")
    assert 0 < second.segments_read < second.segments_total
    backups.delete_backup(installation.services, admin, first.id)
    prunes.perform_prune(installation.services, admin, "local")
    assert verifications.perform_verify(installation.services, admin, second.id).ok
    assert backups.show_backup(installation.services, admin, second.id).base_name is None
    third = _take(installation, admin, "Third")
    assert third.segments_read == 0
    assert _restores(installation, admin, third)


def test_two_at_once(installation: Installation, admin: Actor) -> None:
    first = _take(installation, admin, "First")
    installation.sql("UPDATE public.orders SET total = total + 1 WHERE id = 7")
    taken: list[BackupView] = []
    threads = [
        threading.Thread(target=lambda n=n: taken.append(_take(installation, admin, f"At once {n}"))) for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 2
    assert {_base(installation, admin, each) for each in taken} <= {first.id, *(each.id for each in taken)}
    for each in taken:
        assert verifications.perform_verify(installation.services, admin, each.id).ok


def test_the_first_after_a_rebuild(installation: Installation, admin: Actor) -> None:
    first = _take(installation, admin, "First")
    installation.system_sql("DELETE FROM rxbackup.backup_chunks")
    installation.system_sql("DELETE FROM rxbackup.chunks")
    installation.system_sql("DELETE FROM rxbackup.backups")
    assert stores.rebuild_store(installation.services, admin, "local").added == 1
    later = _take(installation, admin, "Later")
    assert (_base(installation, admin, later), later.segments_read) == (first.id, 0)
    assert _restores(installation, admin, later)


def test_damage_that_was_found_is_mended_by_the_next(installation: Installation, admin: Actor) -> None:
    first = _take(installation, admin, "First", store="database")
    installation.damage()
    assert not verifications.perform_verify(installation.services, admin, first.id).ok
    second = _take(installation, admin, "Second", store="database")
    assert second.segments_read == second.segments_total
    for backup in (first, second):
        assert verifications.perform_verify(installation.services, admin, backup.id).ok
    assert _take(installation, admin, "Third", store="database").segments_read == 0
