"""Backups in further stores: carried sealed, readable from each place, gone from all of them when deleted."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from rxbackup.access.actor import Actor
from rxbackup.errors import Busy, ChunkCorrupt, NotFound, Refused, RxbackupError, StoreUnavailable, VaultMarkerMissing
from rxbackup.operations import backups, copies, jobs, restores, stores, verifications
from rxbackup.operations.views import BackupView, NewBackup, NewRestore, NewStore
from rxbackup.vault.transfer import TravellingPool
from rxbackup.worker.dispatch import perform_job
from tests.support.installation import CONSOLE, Installation
from tests.support.s3_servers import ACCESS_KEY, SECRET_KEY, S3Server, s3_server

__all__ = ["s3_server"]


@pytest.fixture
def offsite(installation: Installation, tmp_path: Path) -> Path:
    place = tmp_path / "offsite"
    stores.add_store(installation.services, CONSOLE, NewStore("offsite", "local", path=str(place)))
    return place


def _taken(installation: Installation, name: str, **changes: object) -> BackupView:
    new = dataclasses.replace(NewBackup(name), **changes)  # type: ignore[arg-type]
    return backups.perform_backup(installation.services, CONSOLE, new)


def _places(installation: Installation, backup: BackupView) -> dict[str, str]:
    view = backups.show_backup(installation.services, CONSOLE, backup.id).view
    return {place.store: place.state for place in view.places}


def _chunks(place: Path) -> list[Path]:
    return sorted(path for path in (place / "chunks").rglob("*") if path.is_file())


def _restored(installation: Installation, backup: BackupView, store: str) -> None:
    image = installation.image()
    installation.sql("DELETE FROM public.orders")
    wanted = NewRestore(backup.id, safety=False, confirm_name=backup.name, store=store)
    restores.perform_restore(installation.services, CONSOLE, wanted)
    assert installation.image() == image


def test_a_copy_is_the_same_bytes_and_a_backup_in_itself(
    installation: Installation, offsite: Path, s3_server: S3Server
) -> None:
    services = installation.services
    bucket = NewStore(
        "bucket", "s3", bucket=s3_server.new_bucket(), endpoint=s3_server.url, allow_http=True,
        access_key=SecretStr(ACCESS_KEY), secret_key=SecretStr(SECRET_KEY),
    )  # fmt: skip
    stores.add_store(services, CONSOLE, bucket)
    backup = _taken(installation, "First")
    first = copies.perform_copy(services, CONSOLE, backup.id, "offsite")
    second = copies.perform_copy(services, CONSOLE, backup.id, "bucket")
    assert (first.state, first.verified_level, first.stored_bytes) == ("complete", "stored", second.stored_bytes)
    rows = installation.system_sql("SELECT name, content FROM rxbackup.objects")
    sealed = {str(name): content for name, content in rows}
    for path in _chunks(offsite):
        assert sealed[str(path.relative_to(offsite))] == path.read_bytes()
    assert _places(installation, backup) == {"database": "complete", "bucket": "complete", "offsite": "complete"}
    (listed,) = backups.list_backups(services, CONSOLE).items
    assert [(p.store, p.kind, p.same_server) for p in listed.places] == [
        ("database", "database", True),
        ("bucket", "s3", False),
        ("offsite", "local", False),
    ]
    # Lost where it was taken: every copy gives it back.
    installation.system_sql("UPDATE rxbackup.chunks SET object_name = NULL")
    installation.system_sql("DELETE FROM rxbackup.objects")
    with pytest.raises(VaultMarkerMissing) as told:
        restores.preview_restore(services, CONSOLE, NewRestore(backup.id))
    assert "--from bucket" in told.value.hint
    assert "offsite" in told.value.hint
    for store in ("offsite", "bucket"):
        assert verifications.perform_verify(services, CONSOLE, backup.id, store=store).ok
        _restored(installation, backup, store)
    assert {c.store: c.verified_level for c in copies.list_copies(services, CONSOLE, backup.id)} == {
        "offsite": "decrypted",
        "bucket": "decrypted",
    }
    with pytest.raises(NotFound, match="does not rest in local"):
        restores.preview_restore(services, CONSOLE, NewRestore(backup.id, store="local"))


def test_only_what_is_missing_is_carried(installation: Installation, offsite: Path) -> None:
    services = installation.services
    first = _taken(installation, "First")
    whole = copies.perform_copy(services, CONSOLE, first.id, "offsite")
    before = {path: path.stat().st_mtime_ns for path in _chunks(offsite)}
    installation.sql("INSERT INTO public.notes (body) VALUES ('one more')")
    second = _taken(installation, "Second")
    more = copies.perform_copy(services, CONSOLE, second.id, "offsite")
    assert before.items() <= {path: path.stat().st_mtime_ns for path in _chunks(offsite)}.items()
    assert more.stored_bytes < whole.stored_bytes
    with pytest.raises(Refused, match="already"):
        copies.perform_copy(services, CONSOLE, second.id, "offsite")
    with pytest.raises(Refused, match="where it was taken"):
        copies.perform_copy(services, CONSOLE, second.id, "database")
    with pytest.raises(NotFound):
        copies.perform_copy(services, CONSOLE, second.id, "nowhere")
    backups.delete_backup(services, CONSOLE, first.id)
    assert verifications.perform_verify(services, CONSOLE, second.id, store="offsite").ok
    _restored(installation, second, "offsite")
    copies.delete_copy(services, CONSOLE, second.id, "offsite")
    assert _chunks(offsite) == []
    assert _places(installation, second) == {"database": "complete"}
    with pytest.raises(Refused, match="no copy"):
        copies.delete_copy(services, CONSOLE, second.id, "database")


def test_stores_that_keep_a_chunk_differently_do_not_confuse_each_other(
    installation: Installation, offsite: Path
) -> None:
    """The same rows are a difference from one chunk here and from another there."""
    services = installation.services
    # Rows whose changes are small beside them: kept as differences.
    installation.sql(
        "CREATE TABLE public.bulk AS SELECT n AS id, md5(n::text) AS body FROM generate_series(1, 20000) n"
    )
    _taken(installation, "Here 1")
    installation.sql("INSERT INTO public.bulk VALUES (0, 'there')")
    there = _taken(installation, "There 1", store="offsite")
    installation.sql("UPDATE public.bulk SET body = 'both' WHERE id % 4000 = 0")
    here = _taken(installation, "Here 2")
    other = _taken(installation, "There 2", store="offsite")
    leaning = "SELECT count(*) FROM rxbackup.chunks WHERE store = %s AND anchor IS NOT NULL"
    assert installation.system_sql(leaning, "database")[0][0]
    assert installation.system_sql(leaning, "offsite")[0][0]
    copies.perform_copy(services, CONSOLE, here.id, "offsite")
    copies.perform_copy(services, CONSOLE, other.id, "database")
    for backup in (here, other):
        for store in ("database", "offsite"):
            assert verifications.perform_verify(services, CONSOLE, backup.id, store=store).ok
    # What each leaned on may go: the other still stands.
    backups.delete_backup(services, CONSOLE, there.id)
    backups.delete_backup(services, CONSOLE, other.id)
    for store in ("database", "offsite"):
        assert verifications.perform_verify(services, CONSOLE, here.id, store=store).ok


def test_damage_is_not_carried_on(installation: Installation, offsite: Path) -> None:
    services = installation.services
    backup = _taken(installation, "First")
    installation.damage()
    with pytest.raises(ChunkCorrupt):
        copies.perform_copy(services, CONSOLE, backup.id, "offsite")
    (copy,) = copies.list_copies(services, CONSOLE, backup.id)
    assert copy.state == "failed"
    assert "authentication" in copy.error
    assert list((offsite / "manifests").glob("*")) == []
    assert _places(installation, backup) == {"database": "complete", "offsite": "failed"}


def test_what_was_lost_in_the_target_is_carried_again(installation: Installation, offsite: Path) -> None:
    services = installation.services
    first = _taken(installation, "First")
    copies.perform_copy(services, CONSOLE, first.id, "offsite")
    second = _taken(installation, "Second")
    lost = _chunks(offsite)[0]
    lost.unlink()
    copies.perform_copy(services, CONSOLE, second.id, "offsite")
    assert lost.exists()
    assert verifications.perform_verify(services, CONSOLE, first.id, store="offsite").ok


def test_copies_wished_for_with_a_backup_are_queued_or_waited_for(
    installation: Installation, offsite: Path, admin: Actor
) -> None:
    services = installation.services
    asked = backups.request_backup(services, admin, NewBackup("First", copies=("offsite",)))
    perform_job(services, asked.id, "backup")
    (job_id, kind) = installation.queue.jobs[-1]
    assert kind == "copy"
    (backup,) = backups.list_backups(services, admin).items
    assert _places(installation, backup) == {"database": "complete", "offsite": "running"}
    assert copies.queue_waiting_copies(services, Actor.system()) == 0
    # The worker died between the backup and the wish: the scheduler sees it.
    installation.system_sql("DELETE FROM rxbackup.jobs WHERE kind = 'copy'")
    installation.system_sql("UPDATE rxbackup.copies SET created_at = created_at - interval '5 minutes'")
    assert copies.queue_waiting_copies(services, Actor.system()) == 1
    assert copies.queue_waiting_copies(services, Actor.system()) == 0
    job_id, kind = installation.queue.jobs[-1]
    perform_job(services, job_id, kind)
    assert _places(installation, backup) == {"database": "complete", "offsite": "complete"}
    with pytest.raises(RxbackupError, match="twice"):
        backups.request_backup(services, admin, NewBackup("x", copies=("database",)))
    with pytest.raises(NotFound):
        backups.request_backup(services, admin, NewBackup("x", copies=("nowhere",)))
    assert offsite.exists()


def test_deleting_takes_every_copy_and_waits_for_a_store_that_is_away(
    installation: Installation, offsite: Path, tmp_path: Path
) -> None:
    services = installation.services
    first, second = _taken(installation, "First"), _taken(installation, "Second")
    for backup in (first, second):
        copies.perform_copy(services, CONSOLE, backup.id, "offsite")
    offsite.rename(tmp_path / "unplugged")
    offsite.mkdir()
    deleted = backups.delete_backup(services, CONSOLE, first.id)
    assert deleted.state == "deleting"
    assert deleted.error
    assert "offsite" in deleted.error.message
    assert backups.finish_deletions(services, Actor.system()) == 0
    with pytest.raises((VaultMarkerMissing, StoreUnavailable)):
        copies.delete_copy(services, CONSOLE, second.id, "offsite")
    assert list(offsite.iterdir()) == []
    offsite.rmdir()
    (tmp_path / "unplugged").rename(offsite)
    assert backups.finish_deletions(services, Actor.system()) == 1
    assert [b.id for b in backups.list_backups(services, CONSOLE).items] == [second.id]
    assert [p.name for p in (offsite / "manifests").iterdir()] == [second.id]
    assert verifications.perform_verify(services, CONSOLE, second.id, store="offsite").ok
    backups.delete_backup(services, CONSOLE, second.id)
    assert _chunks(offsite) == []
    assert installation.system_sql("SELECT count(*) FROM rxbackup.chunks") == [(0,)]


def test_while_it_is_copied_nobody_deletes_it_nor_copies_it_again(
    installation: Installation, offsite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = installation.services
    backup = _taken(installation, "First")
    reached, go_on = threading.Event(), threading.Event()
    carry = TravellingPool.put_sealed

    def slowly(pool: TravellingPool, sealed: object) -> object:
        reached.set()
        assert go_on.wait(20)
        return carry(pool, sealed)  # type: ignore[arg-type]

    monkeypatch.setattr(TravellingPool, "put_sealed", slowly)
    other = installation.again()
    copying = threading.Thread(target=lambda: copies.perform_copy(other, CONSOLE, backup.id, "offsite"))
    copying.start()
    try:
        assert reached.wait(20)
        with pytest.raises(Busy):
            backups.delete_backup(services, CONSOLE, backup.id)
        with pytest.raises(Busy):
            copies.perform_copy(services, CONSOLE, backup.id, "offsite")
        with pytest.raises(Busy):
            stores.remove_store(services, CONSOLE, "offsite")
        with pytest.raises(Busy):
            copies.delete_copy(services, CONSOLE, backup.id, "offsite")
    finally:
        go_on.set()
        copying.join()
    assert _places(installation, backup) == {"database": "complete", "offsite": "complete"}
    assert jobs.active_jobs(services, CONSOLE) == ()
    assert len(_chunks(offsite)) > 0
