"""Stores come and go: tried before they are saved, joined to one vault, never begun anew where one was."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from rxbackup.access.actor import Actor
from rxbackup.errors import (
    Refused,
    RxbackupError,
    StoreDenied,
    StoreMissing,
    UsageError,
    VaultMarkerMissing,
    WrongKey,
)
from rxbackup.operations import backups, copies, stores
from rxbackup.operations.views import NewBackup, NewStore, StoreView
from rxbackup.vault.keyring import Keyring
from tests.support.installation import CONSOLE, Installation
from tests.support.s3_servers import ACCESS_KEY, SECRET_KEY, S3Server, s3_server
from tests.support.s3_wire import Fault, refusal, s3_wire

__all__ = ["s3_server"]


def _folder(path: Path, name: str = "offsite") -> NewStore:
    return NewStore(name, "local", path=str(path))


def _bucket(server: S3Server, bucket: str, name: str = "bucket", **changes: object) -> NewStore:
    new = NewStore(
        name,
        "s3",
        bucket=bucket,
        prefix="backups",
        endpoint=server.url,
        allow_http=True,
        access_key=SecretStr(ACCESS_KEY),
        secret_key=SecretStr(SECRET_KEY),
    )
    return dataclasses.replace(new, **changes)  # type: ignore[arg-type]


def _names(installation: Installation) -> set[str]:
    return {store.name for store in stores.list_stores(installation.services, CONSOLE)}


def _of(installation: Installation, name: str) -> StoreView:
    return next(s for s in stores.list_stores(installation.services, CONSOLE) if s.name == name)


def _vault_of(installation: Installation, name: str) -> object:
    return installation.system_sql("SELECT vault_id FROM rxbackup.stores WHERE name = %s", name)[0][0]


def test_every_store_holds_the_same_vault_and_knows_its_owner(
    installation: Installation, s3_server: S3Server, tmp_path: Path
) -> None:
    services = installation.services
    backups.perform_backup(services, CONSOLE, NewBackup("First"))
    folder = stores.add_store(services, CONSOLE, _folder(tmp_path / "offsite"))
    bucket = stores.add_store(services, CONSOLE, _bucket(s3_server, s3_server.new_bucket()))
    backups.perform_backup(services, CONSOLE, NewBackup("Second", store="local"))
    assert len({_vault_of(installation, name) for name in ("database", "local", "offsite", "bucket")}) == 1
    own = installation.system_sql("SELECT value->>'id' FROM rxbackup.settings WHERE key = 'installation'")[0][0]
    owner = json.loads((tmp_path / "offsite" / "owner.json").read_bytes())
    assert (owner["format"], owner["installation"], owner["store"]) == ("rxbackup-owner/1", own, "offsite")
    assert (folder.state, folder.removable, folder.is_default, folder.unknown_backups) == ("ok", True, False, 0)
    assert folder.free_bytes
    assert folder.capacity_bytes
    assert bucket.where.startswith("bucket bucket-")
    assert (bucket.state, bucket.free_bytes, bucket.backups, bucket.stored_bytes) == ("ok", None, 0, 0)
    default = _of(installation, "database")
    assert (default.is_default, default.removable, default.backups, default.state) == (True, False, 1, "untested")
    assert default.stored_bytes > 0


def test_what_fails_the_probe_is_not_saved(installation: Installation, s3_server: S3Server, tmp_path: Path) -> None:
    services = installation.services
    before = _names(installation)
    with pytest.raises(StoreMissing, match="not saved"):
        stores.add_store(services, CONSOLE, _bucket(s3_server, "no-such-bucket"))
    with pytest.raises(RxbackupError, match="not saved"):
        stores.add_store(services, CONSOLE, _bucket(s3_server, "any", endpoint="http://127.0.0.1:9"))
    with pytest.raises(StoreMissing, match="no folder"):
        stores.add_store(services, CONSOLE, _folder(tmp_path / "not" / "there"))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no folder"):
        stores.add_store(services, CONSOLE, _folder(tmp_path / "file"))
    assert _names(installation) == before
    assert installation.system_sql("SELECT count(*) FROM rxbackup.audit WHERE action = 'store.added'") == [(0,)]


def test_wrong_credentials_are_not_saved(installation: Installation, s3_server: S3Server) -> None:
    for code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"):
        with s3_wire(s3_server) as wire:
            wire.plant(Fault("answer", times=None, answer=refusal(403, code)))
            with pytest.raises(StoreDenied, match="not saved"):
                stores.add_store(installation.services, CONSOLE, _bucket(wire.server, s3_server.new_bucket()))
    assert _names(installation) == {"database", "local"}


def test_what_cannot_be_meant_is_refused(installation: Installation) -> None:
    for new in (
        NewStore("Offsite", "local", path="/tmp/x"),
        NewStore("../x", "local", path="/tmp/x"),
        NewStore("x", "ftp", path="/tmp/x"),
        NewStore("x", "database"),
        NewStore("x", "local", path="relative"),
        NewStore("x", "local", path="/etc/rxbackup"),
        NewStore("x", "local", path="/"),
        NewStore("x", "s3", bucket="b", access_key=SecretStr("only")),
    ):
        for operation in (stores.add_store, stores.probe_new_store):
            with pytest.raises(UsageError):
                operation(installation.services, CONSOLE, new)


def test_one_place_is_one_store(installation: Installation, s3_server: S3Server, tmp_path: Path) -> None:
    services = installation.services
    stores.add_store(services, CONSOLE, _folder(tmp_path / "offsite"))
    (tmp_path / "alias").symlink_to(tmp_path / "offsite")
    for path in (tmp_path / "offsite", tmp_path / "alias", tmp_path / "offsite" / "chunks", tmp_path):
        with pytest.raises(Refused, match=r"store (offsite|local) already"):
            stores.add_store(services, CONSOLE, _folder(path, "again"))
    with pytest.raises(Refused, match="named offsite"):
        stores.add_store(services, CONSOLE, _folder(tmp_path / "other"))
    bucket = s3_server.new_bucket()
    stores.add_store(services, CONSOLE, _bucket(s3_server, bucket))
    # The same server under another address: only the place itself can tell.
    other = s3_server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(Refused, match="bucket already"):
        stores.add_store(services, CONSOLE, _bucket(s3_server, bucket, "again", endpoint=other))
    assert not (tmp_path / "other").exists()


def test_a_strangers_store_is_refused_and_left_alone(installation: Installation, tmp_path: Path) -> None:
    services = installation.services
    stores.add_store(services, CONSOLE, _folder(tmp_path / "offsite"))
    # Another installation: it has the key, but not the catalogue.
    installation.system_sql("DELETE FROM rxbackup.stores WHERE name = 'offsite'")
    installation.system_sql("DELETE FROM rxbackup.settings WHERE key = 'installation'")
    with pytest.raises(Refused, match="belongs to another installation") as told:
        stores.add_store(installation.again(), CONSOLE, _folder(tmp_path / "offsite"))
    assert "store rebuild" in told.value.hint
    # Somebody with another key.
    (tmp_path / "offsite" / "owner.json").unlink()
    from rxbackup.vault.marker import new_marker

    (tmp_path / "offsite" / "vault.json").write_bytes(new_marker(Keyring.generate()))
    with pytest.raises(WrongKey):
        stores.add_store(installation.again(), CONSOLE, _folder(tmp_path / "offsite"))
    # A folder of something else.
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    with pytest.raises(VaultMarkerMissing):
        stores.add_store(installation.again(), CONSOLE, _folder(tmp_path / "photos"))
    assert [p.name for p in (tmp_path / "photos").iterdir()] == ["cat.jpg"]
    assert _names(installation) == {"database", "local"}


def test_an_unplugged_folder_is_never_begun_anew(installation: Installation, tmp_path: Path) -> None:
    services, place = installation.services, tmp_path / "offsite"
    stores.add_store(services, CONSOLE, _folder(place))
    backup = backups.perform_backup(services, CONSOLE, NewBackup("Away", store="offsite"))
    place.rename(tmp_path / "unplugged")
    place.mkdir()  # an empty mount
    for at in (services, installation.again()):
        with pytest.raises(VaultMarkerMissing):
            backups.perform_backup(at, CONSOLE, NewBackup("Again", store="offsite"))
        with pytest.raises(VaultMarkerMissing):
            backups.delete_backup(at, CONSOLE, backup.id)
        with pytest.raises((VaultMarkerMissing, Refused)):
            stores.rebuild_store(at, CONSOLE, "offsite")
    probe = stores.probe_store(services, CONSOLE, "offsite")
    assert not probe.ok
    assert "vault.json" in probe.problem
    assert _of(installation, "offsite").state == "failing"
    assert list(place.iterdir()) == []
    place.rmdir()
    (tmp_path / "unplugged").rename(place)
    assert stores.probe_store(services, CONSOLE, "offsite").ok
    assert _of(installation, "offsite").state == "ok"
    assert backups.show_backup(services, CONSOLE, backup.id).view.state == "complete"
    backups.delete_backup(services, CONSOLE, backup.id)


def test_a_probe_of_a_new_place_leaves_nothing(installation: Installation, s3_server: S3Server, tmp_path: Path) -> None:
    services = installation.services
    view = stores.probe_new_store(services, CONSOLE, _folder(tmp_path / "offsite"))
    assert view.ok
    assert {"reach", "write", "read", "delete"} <= {check.name for check in view.checks}
    assert not (tmp_path / "offsite").exists()
    bad = stores.probe_new_store(services, CONSOLE, _bucket(s3_server, "no-such-bucket"))
    assert not bad.ok
    assert "does not exist" in bad.problem
    assert _names(installation) == {"database", "local"}


def test_secrets_are_sealed_and_shown_to_nobody(
    installation: Installation, s3_server: S3Server, caplog: pytest.LogCaptureFixture
) -> None:
    services = installation.services
    bucket = s3_server.new_bucket()
    shown = [repr(stores.add_store(services, CONSOLE, _bucket(s3_server, bucket)))]
    backup = backups.perform_backup(services, CONSOLE, NewBackup("First", copies=("bucket",)))
    shown += [repr(copies.perform_copy(services, CONSOLE, backup.id, "bucket"))]
    shown += [repr(stores.probe_store(installation.again(), CONSOLE, "bucket"))]
    with pytest.raises(RxbackupError) as error:
        stores.add_store(services, CONSOLE, _bucket(s3_server, "no-such-bucket", "wrong"))
    shown += [str(error.value), error.value.hint, repr(error.value), repr(_bucket(s3_server, bucket))]
    shown += [repr(services.open_vault("bucket").recipe()), caplog.text]
    # Everything that the database holds, as text and as bytes.
    with psycopg.connect(services.system_url) as conn:
        conn.execute("SET rxbackup.actor = 'system'")
        for schema in ("rxbackup", "rxbackup_queue"):
            tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)).fetchall()
            for (table,) in tables:
                rows = conn.execute(f'SELECT t::text FROM {schema}."{table}" t').fetchall()
                shown += [str(row) for row in rows]
    everything = "\n".join(shown)
    for secret in (SECRET_KEY, ACCESS_KEY):
        assert secret not in everything
        assert secret.encode().hex() not in everything
    kept = installation.system_sql("SELECT secrets FROM rxbackup.stores WHERE name = 'bucket'")[0][0]
    assert isinstance(kept, bytes)


def test_sealed_secrets_serve_no_other_store(installation: Installation, s3_server: S3Server) -> None:
    services = installation.services
    stores.add_store(services, CONSOLE, _bucket(s3_server, s3_server.new_bucket()))
    stores.add_store(services, CONSOLE, _bucket(s3_server, s3_server.new_bucket(), "other"))
    installation.system_sql(
        "UPDATE rxbackup.stores SET secrets = (SELECT secrets FROM rxbackup.stores WHERE name = 'bucket') "
        "WHERE name = 'other'"
    )
    assert not stores.probe_store(installation.again(), CONSOLE, "other").ok
    with pytest.raises(RxbackupError, match="another key"):
        installation.again().open_vault("other")


def test_removing_forgets_but_deletes_nothing(installation: Installation, tmp_path: Path) -> None:
    services, place = installation.services, tmp_path / "offsite"
    stores.add_store(services, CONSOLE, _folder(place))
    only = backups.perform_backup(services, CONSOLE, NewBackup("Only there", store="offsite"))
    both = backups.perform_backup(services, CONSOLE, NewBackup("In both", store="offsite"))
    copies.perform_copy(services, CONSOLE, both.id, "database")
    with pytest.raises(Refused, match="Only there") as told:
        stores.remove_store(services, CONSOLE, "offsite")
    assert "In both" not in told.value.message
    for name in ("database", "local"):
        with pytest.raises(Refused, match="every installation"):
            stores.remove_store(services, CONSOLE, name)
    copies.perform_copy(services, CONSOLE, only.id, "local")
    objects = sorted(str(p) for p in place.rglob("*"))
    stores.remove_store(services, CONSOLE, "offsite")
    assert sorted(str(p) for p in place.rglob("*")) == objects
    assert _names(installation) == {"database", "local"}
    rests = {b.name: [p.store for p in b.places] for b in backups.list_backups(services, CONSOLE).items}
    assert rests == {"Only there": ["local"], "In both": ["database"]}
    for backup in (only, both):
        assert backups.show_backup(services, CONSOLE, backup.id).view.state == "complete"
    assert installation.system_sql("SELECT count(*) FROM rxbackup.chunks WHERE store = 'offsite'") == [(0,)]
    # It is ours, and may come back; what lies there is told.
    again = stores.add_store(services, CONSOLE, _folder(place, "back"))
    assert again.unknown_backups == 2
    rebuilt = stores.rebuild_store(services, CONSOLE, "back")
    assert (rebuilt.added, rebuilt.known, rebuilt.unreadable) == (2, 0, ())
    rests = {b.name: [p.store for p in b.places] for b in backups.list_backups(services, CONSOLE).items}
    assert rests == {"Only there": ["local", "back"], "In both": ["database", "back"]}


def test_another_store_under_the_same_name_is_another_store(installation: Installation, tmp_path: Path) -> None:
    services, elsewhere = installation.services, installation.again()
    stores.add_store(services, CONSOLE, _folder(tmp_path / "one"))
    assert str(tmp_path / "one") in elsewhere.open_vault("offsite").store.describe()
    stores.remove_store(services, CONSOLE, "offsite")
    stores.add_store(services, CONSOLE, _folder(tmp_path / "two"))
    # The other process has the first one open.
    assert str(tmp_path / "two") in elsewhere.open_vault("offsite").store.describe()


def test_a_store_of_another_vault_takes_backups_but_no_copies(
    installation: Installation, tmp_path: Path, admin: Actor
) -> None:
    services = installation.services
    stores.add_store(services, CONSOLE, _folder(tmp_path / "offsite"))
    installation.system_sql("DELETE FROM rxbackup.stores WHERE name = 'offsite'")
    shutil.rmtree(tmp_path / "offsite")
    # A vault of the same key, made apart.
    from rxbackup.stores.local import LocalStore
    from rxbackup.vault.keyring import load_keyring
    from rxbackup.vault.vault import Vault

    backup = backups.perform_backup(services, CONSOLE, NewBackup("First"))
    Vault.create(LocalStore.create(tmp_path / "offsite"), load_keyring(services.settings))
    stores.add_store(services, CONSOLE, _folder(tmp_path / "offsite"))
    assert backups.perform_backup(services, CONSOLE, NewBackup("There", store="offsite")).state == "complete"
    with pytest.raises(Refused, match="another vault"):
        copies.perform_copy(services, admin, backup.id, "offsite")
