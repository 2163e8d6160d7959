from __future__ import annotations

import json
import os
import pickle
from uuid import uuid4

import pytest

from rxbackup.errors import (
    BackupNotFound,
    ChunkCorrupt,
    ChunkMissing,
    Corrupt,
    ManifestCorrupt,
    Refused,
    RxbackupError,
    StoreUnavailable,
    UsageError,
    VaultMarkerMissing,
    WrongKey,
)
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault import packing, sealing
from rxbackup.vault.chunk_pool import ChunkPool
from rxbackup.vault.chunking import CHUNK_BYTES
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.sealing import NonceSource, VaultKeys
from rxbackup.vault.vault import Vault, open_vault
from tests.support.faults import FailingStore
from tests.support.vaults import column, manifest, new_vault, table

ROWS = b"".join(b"%d\tasset %d\n" % (n, n) for n in range(20_000))


def test_marker_holds_no_key_in_clear() -> None:
    store, keyring = MemoryStore(), Keyring.generate()
    keys = Vault.create(store, keyring).recipe().keys
    marker = store.get("vault.json")
    assert json.loads(marker)["format"] == "rxbackup-vault/1"
    for secret in (keyring.secret, keys.id_key, *keys.data_keys.values()):
        assert secret not in marker
        assert secret.hex().encode() not in marker


def test_vault_opens_again_with_its_key() -> None:
    store, keyring = MemoryStore(), Keyring.generate()
    vault = Vault.open_or_create(store, keyring)
    chunk = vault.put_chunk(ROWS).id
    again = Vault.open_or_create(store, keyring)
    assert again.id == vault.id
    assert again.get_chunk(chunk) == ROWS


def test_wrong_key_is_told_at_once_and_writes_nothing() -> None:
    store = MemoryStore()
    Vault.create(store, Keyring.generate())
    before = [(found, store.get(found.name)) for found in store.list()]
    for opening in (Vault.open, Vault.open_or_create):
        with pytest.raises(WrongKey):
            opening(store, Keyring.generate())
    assert [(found, store.get(found.name)) for found in store.list()] == before


@pytest.mark.parametrize("name", ["chunks/ab/x-0", "manifests/x", "something.else"])
def test_vault_without_its_marker_is_never_initialised_again(name: str) -> None:
    store, keyring = MemoryStore(), Keyring.generate()
    store.put(name, b"left")
    for opening in (Vault.open, Vault.open_or_create):
        with pytest.raises(VaultMarkerMissing):
            opening(store, keyring)
    with pytest.raises(Refused):
        Vault.create(store, keyring)
    assert [found.name for found in store.list()] == [name]


def test_opening_nothing_makes_nothing() -> None:
    store = MemoryStore()
    with pytest.raises(VaultMarkerMissing):
        Vault.open(store, Keyring.generate())
    assert list(store.list()) == []


def test_any_damage_of_the_marker_is_an_error_a_person_can_read() -> None:
    store, keyring = MemoryStore(), Keyring.generate()
    Vault.create(store, keyring)
    marker = store.get("vault.json")
    harmless = ("created_at",)
    for position in range(len(marker)):
        damaged = bytearray(marker)
        damaged[position] ^= 1
        store.put("vault.json", damaged)
        try:
            Vault.open(store, keyring)
        except RxbackupError:
            continue
        assert any(name in marker[max(0, position - 45) : position + 45].decode() for name in harmless)


def test_marker_of_a_later_format_is_refused_with_advice() -> None:
    store, keyring = MemoryStore(), Keyring.generate()
    Vault.create(store, keyring)
    store.put("vault.json", store.get("vault.json").replace(b"rxbackup-vault/1", b"rxbackup-vault/2"))
    with pytest.raises(Corrupt, match="rxbackup-vault/2") as caught:
        Vault.open(store, keyring)
    assert "newer version" in caught.value.hint


def test_create_whose_answer_was_lost_succeeds_when_repeated_by_the_store() -> None:
    class Twice(MemoryStore):
        def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
            super().put(name, content, if_absent=if_absent)
            return super().put(name, content, if_absent=if_absent)

    assert Vault.create(Twice(), Keyring.generate()).id


def test_chunk_is_stored_once() -> None:
    store = MemoryStore()
    vault = new_vault(store)
    first, second = vault.put_chunk(ROWS), vault.put_chunk(bytearray(ROWS))
    assert (first.is_new, second.is_new) == (True, False)
    assert first.object_name == second.object_name == f"chunks/{first.id[:2]}/{first.id}-0"
    assert first.stored_bytes == second.stored_bytes == len(store.get(first.object_name))
    assert first.plain_bytes == len(ROWS)
    assert (first.codec, first.generation, first.anchor) == ("zstd", 0, None)
    assert len(list(vault.chunk_objects())) == 1


def test_chunk_found_in_the_store_is_not_stored_again() -> None:
    store, keyring = MemoryStore(), Keyring.generate()
    first = Vault.create(store, keyring).put_chunk(ROWS)
    again = Vault.open(store, keyring).put_chunk(ROWS)
    assert (again.is_new, again.codec, again.stored_bytes) == (False, "zstd", first.stored_bytes)


@pytest.mark.parametrize("damage", [b"", b"torn", None], ids=["emptied", "torn", "flipped"])
def test_damaged_chunk_is_not_leaned_on_but_written_again(damage: bytes | None) -> None:
    store, keyring = MemoryStore(), Keyring.generate()
    receipt = Vault.create(store, keyring).put_chunk(ROWS)
    sealed = store.get(receipt.object_name)
    store.put(receipt.object_name, sealed[:-1] + bytes([sealed[-1] ^ 1]) if damage is None else damage)
    again = Vault.open(store, keyring).put_chunk(ROWS)
    assert again.is_new
    assert Vault.open(store, keyring).get_chunk(receipt.id) == ROWS


def test_known_chunk_is_not_looked_for() -> None:
    store, keyring = MemoryStore(), Keyring.generate()
    receipt = Vault.create(store, keyring).put_chunk(ROWS)
    store.delete(receipt.object_name)
    again = Vault.open(store, keyring).knowing({receipt.id: receipt}).put_chunk(ROWS)
    assert (again.is_new, again.stored_bytes) == (False, receipt.stored_bytes)


def test_vault_remembers_no_chunk_that_was_deleted() -> None:
    vault = new_vault()
    receipt = vault.put_chunk(ROWS)
    vault.delete_chunk(receipt.id, 0)
    vault.delete_chunk(receipt.id, 0)
    assert vault.put_chunk(ROWS).is_new
    assert vault.get_chunk(receipt.id) == ROWS


def test_incompressible_chunk_is_kept_raw() -> None:
    vault = new_vault()
    noise = os.urandom(100_000)
    receipt = vault.put_chunk(noise)
    assert receipt.codec == "raw"
    assert receipt.stored_bytes == 100_000 + sealing.SMALLEST_OBJECT_BYTES
    assert vault.get_chunk(receipt.id) == noise


def test_empty_and_largest_chunk_are_kept() -> None:
    vault = new_vault()
    for plain in (b"", b"x" * CHUNK_BYTES):
        assert vault.get_chunk(vault.put_chunk(plain).id) == plain
    with pytest.raises(UsageError):
        vault.put_chunk(b"x" * (CHUNK_BYTES + 1))


def test_little_change_is_stored_as_a_little() -> None:
    vault = new_vault()
    whole = vault.put_chunk(ROWS)
    changed = ROWS.replace(b"asset 777\n", b"other 777\n")
    receipt = vault.put_chunk(changed, anchor=whole.id)
    assert (receipt.codec, receipt.anchor) == ("difference", whole.id)
    assert receipt.stored_bytes < whole.stored_bytes / 20
    assert vault.get_chunk(receipt.id) == changed


def test_difference_of_a_difference_leans_on_the_whole() -> None:
    vault = new_vault()
    whole = vault.put_chunk(ROWS)
    second = vault.put_chunk(ROWS.replace(b"asset 777\n", b"a\n"), anchor=whole.id)
    third = vault.put_chunk(ROWS.replace(b"asset 778\n", b"b\n"), anchor=second.id)
    assert third.anchor == whole.id
    assert vault.get_chunk(third.id) == ROWS.replace(b"asset 778\n", b"b\n")


def test_large_difference_is_kept_whole() -> None:
    vault = new_vault()
    whole = vault.put_chunk(ROWS)
    receipt = vault.put_chunk(os.urandom(50_000).hex().encode(), anchor=whole.id)
    assert (receipt.codec, receipt.anchor) == ("zstd", None)


def test_difference_without_its_anchor_names_what_is_missing() -> None:
    store, keyring = MemoryStore(), Keyring.generate()
    vault = Vault.create(store, keyring)
    whole = vault.put_chunk(ROWS)
    second = vault.put_chunk(ROWS.replace(b"asset 777\n", b"a\n"), anchor=whole.id)
    store.delete(whole.object_name)
    with pytest.raises(ChunkMissing, match=whole.id[:12]):
        vault.get_chunk(second.id)


def test_later_generation_is_found() -> None:
    store = MemoryStore()
    vault = new_vault(store)
    receipt = vault.put_chunk(ROWS)
    name = f"chunks/{receipt.id[:2]}/{receipt.id}"
    sealed = store.get(f"{name}-0")
    store.delete(f"{name}-0")
    store.put(f"{name}-9", b"older")
    store.put(f"{name}-10", sealed)
    assert vault.get_chunk(receipt.id) == ROWS
    assert vault.check_chunk(receipt.id) == len(sealed)
    assert sorted(generation for _, generation, _ in vault.chunk_objects()) == [9, 10]


def test_check_chunk_sees_missing_and_cut_short() -> None:
    store = MemoryStore()
    vault = new_vault(store)
    receipt = vault.put_chunk(ROWS)
    assert vault.check_chunk(receipt.id) == receipt.stored_bytes
    store.put(receipt.object_name, b"x" * 100)
    with pytest.raises(ChunkCorrupt):
        vault.check_chunk(receipt.id)
    store.delete(receipt.object_name)
    with pytest.raises(ChunkMissing):
        vault.check_chunk(receipt.id)


@pytest.mark.parametrize("chunk", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "g" * 64])
def test_only_a_chunk_id_names_a_chunk(chunk: str) -> None:
    with pytest.raises(UsageError):
        new_vault().get_chunk(chunk)


def test_ids_of_two_vaults_differ_for_the_same_rows() -> None:
    assert new_vault().put_chunk(ROWS).id != new_vault().put_chunk(ROWS).id


def test_recipe_opens_the_vault_elsewhere_and_prints_no_key() -> None:
    vault = new_vault()
    chunk = vault.put_chunk(ROWS).id
    recipe = vault.recipe()
    assert open_vault(pickle.loads(pickle.dumps(recipe))).get_chunk(chunk) == ROWS
    for secret in (recipe.keys.id_key, *recipe.keys.data_keys.values()):
        assert secret.hex() not in repr(recipe)
        assert repr(secret)[2:-1] not in repr(recipe)


def test_recipe_of_a_vault_that_is_gone_does_not_open() -> None:
    vault = new_vault()
    recipe = vault.recipe()
    vault.store.delete("vault.json")
    with pytest.raises(VaultMarkerMissing):
        open_vault(recipe)


def test_manifest_is_found_listed_and_deleted() -> None:
    vault = new_vault()
    whole = manifest(vault, [table(vault, "t", [column("a")], [b"x\n", b"", b"y\nz\n"])])
    receipt = vault.put_manifest(whole)
    assert receipt.object_name == f"manifests/{whole.backup_id}"
    assert len(receipt.digest) == 64
    assert vault.get_manifest(whole.backup_id) == whole
    assert vault.manifest_ids() == [whole.backup_id]
    vault.delete_manifest(whole.backup_id)
    assert vault.manifest_ids() == []
    with pytest.raises(BackupNotFound):
        vault.get_manifest(whole.backup_id)


def test_manifest_may_be_put_twice_but_not_replaced() -> None:
    vault = new_vault()
    entry = table(vault, "t", [column("a")], [b"x\n"])
    whole = manifest(vault, [entry])
    vault.put_manifest(whole)
    vault.put_manifest(whole)
    from dataclasses import replace

    with pytest.raises(Refused):
        vault.put_manifest(replace(whole, name="another"))
    assert vault.get_manifest(whole.backup_id) == whole


@pytest.mark.parametrize("backup_id", ["", "x", "../vault.json", "0"])
def test_only_a_uuid_names_a_backup(backup_id: str) -> None:
    with pytest.raises(BackupNotFound):
        new_vault().get_manifest(backup_id)


def test_manifest_of_another_vault_is_refused() -> None:
    vault, other = new_vault(), new_vault()
    with pytest.raises(ManifestCorrupt):
        vault.put_manifest(manifest(other, []))


def test_nothing_is_called_complete_in_an_emptied_store() -> None:
    store = MemoryStore()
    vault = new_vault(store)
    whole = manifest(vault, [table(vault, "t", [column("a")], [b"x\n"])])
    for found in list(store.list()):
        store.delete(found.name)
    with pytest.raises(VaultMarkerMissing):
        vault.put_manifest(whole)
    with pytest.raises(VaultMarkerMissing):
        vault.delete_manifest(str(uuid4()))
    assert list(store.list()) == []


def test_store_that_answers_wrongly_completes_nothing() -> None:
    class Forgetful(MemoryStore):
        def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
            return super().put(name, content[:-1] if name.startswith("manifests/") else content, if_absent=if_absent)

    vault = new_vault(Forgetful())
    with pytest.raises(ManifestCorrupt):
        vault.put_manifest(manifest(vault, []))


@pytest.mark.parametrize("script", ["X", "oX", "ooX"])
def test_failing_put_is_told_and_leaves_earlier_chunks(script: str) -> None:
    inner, keyring = MemoryStore(), Keyring.generate()
    vault = Vault.create(inner, keyring)
    with FailingStore(inner, script) as store:
        failing = Vault.open(store, keyring)
        done = [failing.put_chunk(b"%d\n" % number).id for number in range(len(script) - 1)]
        with pytest.raises(StoreUnavailable):
            failing.put_chunk(b"last\n")
    assert [vault.get_chunk(chunk) for chunk in done] == [b"%d\n" % number for number in range(len(done))]


def test_put_whose_answer_was_lost_may_be_repeated() -> None:
    inner, keyring = MemoryStore(), Keyring.generate()
    Vault.create(inner, keyring)
    with FailingStore(inner, "X", after=True) as store:
        vault = Vault.open(store, keyring)
        with pytest.raises(StoreUnavailable):
            vault.put_chunk(ROWS)
        assert vault.get_chunk(vault.put_chunk(ROWS).id) == ROWS


def test_bits_that_flip_between_hash_and_seal_stop_the_write(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    vault = new_vault(store)
    plain = bytearray(ROWS)
    compress = packing.compress

    def flipping(content: bytes, **more: object) -> bytes:
        plain[7] ^= 4
        return compress(content, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(packing, "compress", flipping)
    with pytest.raises(Corrupt, match="memory"):
        vault.put_chunk(plain)
    assert list(store.list("chunks/")) == []


def test_bits_that_flip_while_sealing_stop_the_write(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    vault = new_vault(store)
    seal = packing.seal
    monkeypatch.setattr(packing, "seal", lambda content, *more: seal(bytes(content[:-1]) + b"\0", *more))
    with pytest.raises(Corrupt):
        vault.put_chunk(ROWS)
    assert list(store.list("chunks/")) == []


def test_stuck_random_generator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing.os, "urandom", bytes)
    nonces = NonceSource()
    nonces.draw()
    with pytest.raises(RxbackupError, match="repeats"):
        nonces.draw()


def test_nonce_memory_stays_small() -> None:
    nonces = NonceSource(remembered=10)
    for _ in range(100):
        nonces.draw()
    assert len(nonces._seen) <= 10


def test_frame_that_claims_more_than_a_chunk_is_refused_before_unpacking() -> None:
    keys = VaultKeys(os.urandom(16), {b"currentk": os.urandom(32)}, b"currentk", os.urandom(32))
    bomb = bytes(CHUNK_BYTES * 4)
    key = keys.content_id(bomb)
    _, sealed = packing.pack(bomb, sealing.ObjectType.CHUNK, key, keys)
    store = MemoryStore()
    store.put(f"chunks/{key.hex()[:2]}/{key.hex()}-0", sealed)
    with pytest.raises(ChunkCorrupt, match="no more than"):
        ChunkPool(store, keys).get(key.hex())
