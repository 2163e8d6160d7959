"""Everything is gone but the key and one store: as docs/disaster-recovery.md says, so it is done here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr

from rxbackup.demo import load_demo
from rxbackup.errors import Refused
from rxbackup.operations import accounts, backups, copies, prunes, restores, sign_in, stores, verifications
from rxbackup.operations.views import BackupView, NewBackup, NewRestore, NewStore
from rxbackup.tables.migrating import migrate
from tests.support.databases import take_image
from tests.support.installation import ADMIN, CONSOLE, PASSWORD, Installation, build
from tests.support.postgres import NewDatabase
from tests.support.s3_servers import ACCESS_KEY, SECRET_KEY, S3Server, s3_server
from tests.support.terminal import terminal

__all__ = ["s3_server"]

GOLDEN = Path(__file__).parents[2] / "golden" / "v1"


@pytest.fixture
def company(bundled_database: str, tmp_path: Path) -> Installation:
    (tmp_path / "company").mkdir()
    return build(bundled_database, bundled_database, tmp_path / "company")


def _bucket(server: S3Server, bucket: str) -> NewStore:
    return NewStore(
        "bucket", "s3", bucket=bucket, prefix="rx", endpoint=server.url, allow_http=True,
        access_key=SecretStr(ACCESS_KEY), secret_key=SecretStr(SECRET_KEY),
    )  # fmt: skip


def _folder(tmp_path: Path) -> NewStore:
    return NewStore("offsite", "local", path=str(tmp_path / "offsite"))


def _two_days(company: Installation, *places: NewStore) -> tuple[BackupView, BackupView]:
    """Two backups, copied to further places; the second leans on the first."""
    services = company.services
    accounts.create_admin(services, CONSOLE, ADMIN, PASSWORD)
    for place in places:
        stores.add_store(services, CONSOLE, place)
    first = backups.perform_backup(services, CONSOLE, NewBackup("Monday", description="All was well"))
    company.sql("UPDATE public.assets SET name = name || ' (checked)' WHERE id % 7 = 0")
    second = backups.perform_backup(services, CONSOLE, NewBackup("Tuesday"))
    for backup in (first, second):
        for place in places:
            copies.perform_copy(services, CONSOLE, backup.id, place.name)
    return first, second


def _fresh(tmp_path: Path, company: Installation, url: str) -> Installation:
    """A machine with PostgreSQL and the key, and nothing else."""
    folder = tmp_path / "fresh"
    folder.mkdir()
    shutil.copy2(company.services.settings.key_path, folder / "rxbackup.key")
    migrate(url, protected_url=None)
    return build(url, url, folder)


def test_from_a_folder_and_the_key_alone(company: Installation, tmp_path: Path, new_database: NewDatabase) -> None:
    place = _folder(tmp_path)
    first, second = _two_days(company, place)
    lost = take_image(company.services.source_url)
    fresh = _fresh(tmp_path, company, new_database())
    company.services.system.dispose()
    shutil.rmtree(tmp_path / "company")
    services = fresh.services

    with pytest.raises(Refused, match="another installation"):
        stores.add_store(services, CONSOLE, place)
    rebuilt = stores.rebuild_store(services, CONSOLE, "offsite", new=place)
    assert (rebuilt.added, rebuilt.known, rebuilt.unreadable, rebuilt.damaged) == (2, 0, (), ())
    before = fresh.system_sql("SELECT count(*), max(created_at) FROM rxbackup.chunks")
    again = stores.rebuild_store(services, CONSOLE, "offsite")
    assert (again.added, again.known, again.unreadable) == (0, 2, ())
    assert fresh.system_sql("SELECT count(*), max(created_at) FROM rxbackup.chunks") == before

    found = {b.name: b for b in backups.list_backups(services, CONSOLE).items}
    assert found.keys() == {"Monday", "Tuesday"}
    monday = found["Monday"]
    assert (monday.id, monday.when, monday.rows, monday.description) == (
        first.id, first.when, first.rows, "All was well",
    )  # fmt: skip
    assert (monday.origin, monday.foreign, monday.state, monday.verified_level) == (
        "rebuild", False, "complete", "stored",
    )  # fmt: skip
    # Without the application's tables nothing can be put back, and it says so.
    assert not restores.preview_restore(services, CONSOLE, NewRestore(second.id)).allowed
    load_demo(services.source_url, scale=0.02, system_url=services.system_url)
    restores.perform_restore(services, CONSOLE, NewRestore(second.id, confirm_name="Tuesday"))
    assert take_image(services.source_url).differing(lost) == []
    # The accounts are gone with the old database, and whoever has the host makes a new one.
    accounts.create_admin(services, CONSOLE, ADMIN, PASSWORD)
    assert sign_in.sign_in(services, ADMIN, PASSWORD).actor.role == "admin"

    # Backups that came back are backups like any other.
    assert verifications.perform_verify(services, CONSOLE, monday.id).ok
    new = backups.perform_backup(services, CONSOLE, NewBackup("Wednesday", store="offsite"))
    assert new.stored_bytes < second.raw_bytes
    later = backups.perform_backup(services, CONSOLE, NewBackup("Thursday", store="offsite"))
    assert later.segments_read < later.segments_total
    backups.delete_backup(services, CONSOLE, monday.id)
    (pruned,) = prunes.perform_prune(services, CONSOLE, "offsite")
    assert pruned.damage == ()
    for backup in (second, new, later):
        assert verifications.perform_verify(services, CONSOLE, backup.id).ok


def test_from_a_bucket_by_the_commands_of_the_page(
    company: Installation, tmp_path: Path, new_database: NewDatabase, s3_server: S3Server
) -> None:
    bucket = s3_server.new_bucket()
    _two_days(company, _bucket(s3_server, bucket))
    lost = take_image(company.services.source_url)
    url = new_database()
    (tmp_path / "fresh").mkdir()
    shutil.copy2(company.services.settings.key_path, tmp_path / "fresh" / "rxbackup.key")
    company.services.system.dispose()
    shutil.rmtree(tmp_path / "company")

    shell = terminal(url, tmp_path / "fresh").with_settings(
        RXBACKUP_S3_ACCESS_KEY=ACCESS_KEY, RXBACKUP_S3_SECRET_KEY=SECRET_KEY
    )
    made = shell.run("demo", "load", "--scale", "0.02", "-q")
    assert made.code == 0, made.err
    place = ("--bucket", bucket, "--prefix", "rx", "--endpoint", s3_server.url, "--allow-http")
    rebuilt = shell.run("store", "rebuild", "bucket", "--kind", "s3", *place, "--json", "-q")
    assert rebuilt.code == 0, rebuilt.err
    assert (rebuilt.json["added"], rebuilt.json["unreadable"]) == (2, [])
    assert SECRET_KEY not in rebuilt.out + rebuilt.err
    # From now on the store knows its credentials.
    shell = terminal(url, tmp_path / "fresh")
    restored = shell.run("restore", "Tuesday", "--yes", "--json", "-q")
    assert restored.code == 0, restored.out
    assert take_image(url).differing(lost) == []
    created = shell.run("admin", "create", ADMIN, "--password-stdin", typed=PASSWORD + "\n")
    assert created.code == 0, created.err


def test_what_cannot_be_read_is_named_and_the_rest_comes_back(
    company: Installation, tmp_path: Path, new_database: NewDatabase
) -> None:
    place = _folder(tmp_path)
    first, second = _two_days(company, place)
    third = backups.perform_backup(company.services, CONSOLE, NewBackup("Wednesday", store="offsite"))
    torn = tmp_path / "offsite" / "manifests" / first.id
    torn.write_bytes(torn.read_bytes()[:-1])
    # What only the third needs: its newest chunk.
    needed = "SELECT encode(chunk_id, 'hex') FROM rxbackup.backup_chunks WHERE store = 'offsite' AND backup_id = %s"
    theirs = set(company.system_sql(needed, second.id))
    only = sorted(set(company.system_sql(needed, third.id)) - theirs)
    gone = [path for path in (tmp_path / "offsite" / "chunks").rglob("*-0") if (path.name[:64],) in only][:1]
    for path in gone:
        path.unlink()
    fresh = _fresh(tmp_path, company, new_database())
    rebuilt = stores.rebuild_store(fresh.services, CONSOLE, "offsite", new=place)
    assert rebuilt.added == 2
    assert len(rebuilt.unreadable) == 1
    assert first.id in rebuilt.unreadable[0]
    assert rebuilt.damaged == (("Wednesday",) if gone else ())
    assert verifications.perform_verify(fresh.services, CONSOLE, second.id).ok
    # What the catalogue does not know keeps a prune away.
    with pytest.raises(Refused, match="does not know"):
        prunes.perform_prune(fresh.services, CONSOLE, "offsite")


def test_backups_of_the_first_version_come_back(installation: Installation, tmp_path: Path) -> None:
    """Their manifests do not say what their differences lean on: only the chunks know."""
    services = installation.services
    shutil.copytree(GOLDEN / "vault", tmp_path / "offsite")
    key = services.settings.key_path
    key.write_bytes((GOLDEN / "rxbackup.key").read_bytes())
    key.chmod(0o600)
    rebuilt = stores.rebuild_store(services, CONSOLE, "offsite", new=_folder(tmp_path))
    assert (rebuilt.added, rebuilt.unreadable, rebuilt.damaged) == (2, (), ())
    linked = "SELECT count(*) FROM rxbackup.chunks WHERE store = %s AND anchor IS NOT NULL"
    assert installation.system_sql(linked, "offsite")[0][0]
    for backup in backups.list_backups(services, CONSOLE).items:
        assert verifications.perform_verify(services, CONSOLE, backup.id).ok
        copies.perform_copy(services, CONSOLE, backup.id, "database")
        assert verifications.perform_verify(services, CONSOLE, backup.id, store="database").ok
    assert installation.system_sql(linked, "offsite") == installation.system_sql(linked, "database")
    (pruned,) = prunes.perform_prune(services, CONSOLE, "offsite")
    assert (pruned.freed_chunks, pruned.damage) == (0, ())
