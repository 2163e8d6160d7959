"""A vault in a bucket: full and incremental backups by several processes, verified and restored from there alone."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from rxbackup.backup.run import BackupOutcome, BackupRequest, run_backup
from rxbackup.errors import StoreMissing
from rxbackup.postgres.connecting import connect
from rxbackup.stores.base import StoreRecipe
from rxbackup.stores.opening import open_store
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import verify_contents
from tests.support.databases import restore, take_image
from tests.support.s3_servers import S3Server
from tests.support.s3_wire import Fault, S3Wire, refusal, s3_wire


@pytest.fixture
def wire(s3_server: S3Server) -> Iterator[S3Wire]:
    with s3_wire(s3_server) as wire:
        yield wire


@pytest.fixture
def recipe(wire: S3Wire, s3_server: S3Server) -> StoreRecipe:
    return wire.server.recipe(s3_server.new_bucket(), "backups/rx")


@pytest.fixture
def assets(system_database: str) -> str:
    _run(
        system_database,
        "CREATE TABLE public.big (id int PRIMARY KEY, body text)",
        "INSERT INTO public.big SELECT n, repeat(md5(n::text), 12) FROM generate_series(1, 40000) n",
        "CREATE TABLE public.small (id int PRIMARY KEY, body text)",
        "INSERT INTO public.small SELECT n, 'x' FROM generate_series(1, 100) n",
        "VACUUM ANALYZE public.big",
    )
    return system_database


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


def _back_up(url: str, vault: Vault, base: BackupOutcome | None = None) -> BackupOutcome:
    request = BackupRequest(str(uuid4()), "Nightly", "", "admin@example.com")
    return run_backup(request, source_url=url, vault=vault, bases=[base.manifest] if base else [])


def test_backups_in_a_bucket_are_verified_and_restored_by_somebody_who_has_only_the_key(
    assets: str, recipe: StoreRecipe, wire: S3Wire
) -> None:
    keyring = Keyring.generate()
    vault = Vault.open_or_create(open_store(recipe), keyring)
    first = _back_up(assets, vault)
    before = wire.count("PUT")
    _run(assets, "UPDATE public.big SET body = 'changed' WHERE id = 77")
    second = _back_up(assets, vault, first)
    assert second.manifest.totals.segments_read < first.manifest.totals.segments_read
    assert wire.count("PUT") - before < before / 2
    image = take_image(assets)
    _run(assets, "TRUNCATE public.big, public.small")

    alone = Vault.open(open_store(recipe), keyring)
    assert sorted(alone.manifest_ids()) == sorted([first.manifest.backup_id, second.manifest.backup_id])
    for each in (first, second):
        assert verify_contents(alone, alone.get_manifest(each.manifest.backup_id)).ok
    restore(assets, alone, second)
    assert take_image(assets).differing(image) == []


def test_backup_over_a_bad_line_is_complete(assets: str, recipe: StoreRecipe, wire: S3Wire) -> None:
    vault = Vault.open_or_create(open_store(recipe), Keyring.generate())
    wire.plant(
        Fault("cut request", ("PUT",), at=5000, times=2),
        Fault("lose", ("PUT",), passing=1),
        Fault("answer", ("PUT", "HEAD", "GET"), passing=5, times=3, answer=refusal(503, "SlowDown")),
        Fault("cut response", ("GET",), at=10),
    )
    outcome = _back_up(assets, vault)
    assert verify_contents(vault, vault.get_manifest(outcome.manifest.backup_id)).ok
    objects = [found.name for found in vault.store.list()]
    assert len(objects) == len({name.rpartition("-")[0] or name for name in objects}), "something was stored twice"


def test_bucket_that_is_gone_completes_no_backup(assets: str, recipe: StoreRecipe, wire: S3Wire) -> None:
    vault = Vault.open_or_create(open_store(recipe), Keyring.generate())
    first = _back_up(assets, vault)
    wire.plant(Fault("answer", times=None, answer=refusal(404, "NoSuchBucket")))
    with pytest.raises(StoreMissing, match="does not exist"):
        _back_up(assets, vault, first)
    wire.faults.clear()
    assert vault.manifest_ids() == [first.manifest.backup_id]
