"""Sealed chunks between stores of one vault; and who owns a store."""

from __future__ import annotations

import dataclasses
import random
from uuid import uuid4

import pytest

from rxbackup.errors import ChunkCorrupt, Corrupt, ManifestCorrupt, Refused
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.credentials import open_recipe, seal_credentials
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.ownership import OWNER, claim, read_owner, refuse_other_owner, take_over
from rxbackup.vault.vault import SealedChunk, Vault
from tests.support.vaults import column, manifest, new_vault, table


@pytest.fixture
def pair() -> tuple[Vault, Vault]:
    """The same vault in two stores."""
    keyring = Keyring.generate()
    first = new_vault(keyring=keyring)
    return first, Vault.replicate(MemoryStore(), first, keyring)


def _versions(count: int) -> list[bytes]:
    """Texts that resemble each other."""
    numbers = random.Random(7)
    base = bytearray(numbers.randbytes(60_000).hex().encode())
    texts = []
    for number in range(count):
        base[number * 100 : number * 100 + 4] = b"%04d" % number
        texts.append(bytes(base))
    return texts


def _carry(source: Vault, target: Vault, chunk: str) -> str:
    return target.put_sealed(source.sealed_chunk(chunk)).codec


def test_a_chunk_travels_as_it_is(pair: tuple[Vault, Vault]) -> None:
    source, target = pair
    assert source.id == target.id
    whole, changed = _versions(2)
    anchor = source.put_chunk(whole).id
    leaning = source.put_chunk(changed, anchor=anchor)
    assert leaning.codec == "difference"
    sealed = source.sealed_chunk(leaning.id)
    assert (sealed.anchor, sealed.plain_bytes, sealed.codec) == (anchor, len(changed), "difference")
    assert _carry(source, target, anchor) == "zstd"
    receipt = target.put_sealed(sealed)
    assert (receipt.is_new, receipt.anchor, receipt.stored_bytes) == (True, anchor, leaning.stored_bytes)
    assert target.store.get(receipt.object_name) == source.store.get(leaning.object_name)
    assert target.get_chunk(leaning.id) == changed
    assert not target.put_sealed(sealed).is_new


def test_where_both_lean_on_different_anchors_it_becomes_whole(pair: tuple[Vault, Vault]) -> None:
    here, there = pair
    one, other, shared = _versions(3)
    mine, theirs = here.put_chunk(one).id, there.put_chunk(other).id
    chunk = here.put_chunk(shared, anchor=mine).id
    assert there.put_chunk(shared, anchor=theirs).anchor == theirs
    _carry(here, there, mine)
    receipt = there.put_sealed(here.sealed_chunk(chunk))
    assert (receipt.is_new, receipt.anchor) == (True, None)
    for anchor in (mine, theirs):
        there.delete_chunk(anchor, 0)
    assert there.get_chunk(chunk) == shared
    # What is whole serves everybody.
    assert not there.put_sealed(here.sealed_chunk(chunk)).is_new


def test_an_anchor_that_is_a_difference_there_becomes_whole(pair: tuple[Vault, Vault]) -> None:
    here, there = pair
    root, anchor_text, text = _versions(3)
    theirs = there.put_chunk(root).id
    assert there.put_chunk(anchor_text, anchor=theirs).codec == "difference"
    anchor = here.put_chunk(anchor_text).id
    chunk = here.put_chunk(text, anchor=anchor).id
    for each in (anchor, chunk):
        _carry(here, there, each)
    assert there.get_chunk(chunk) == text
    assert there.get_chunk(anchor) == anchor_text


def test_what_is_damaged_there_is_written_again(pair: tuple[Vault, Vault]) -> None:
    source, target = pair
    chunk = source.put_chunk(b"rows\n" * 1000).id
    name = target.put_sealed(source.sealed_chunk(chunk)).object_name
    target.store.put(name, target.store.get(name)[:-1])
    assert target.put_sealed(source.sealed_chunk(chunk)).is_new
    assert target.get_chunk(chunk) == b"rows\n" * 1000


def test_a_retired_chunk_comes_back_as_the_next_generation_and_whole(pair: tuple[Vault, Vault]) -> None:
    source, target = pair
    whole, changed = _versions(2)
    anchor = source.put_chunk(whole).id
    chunk = source.put_chunk(changed, anchor=anchor).id
    for each in (anchor, chunk):
        _carry(source, target, each)
    careful = target.avoiding({anchor: 0, chunk: 0})
    receipts = [careful.put_sealed(source.sealed_chunk(each)) for each in (anchor, chunk)]
    assert [(r.generation, r.anchor, r.is_new) for r in receipts] == [(1, None, True), (1, None, True)]
    for each in (anchor, chunk):
        target.delete_chunk(each, 0)
    assert target.get_chunk(chunk) == changed


def test_what_is_not_authentic_is_not_taken(pair: tuple[Vault, Vault]) -> None:
    source, target = pair
    chunk = source.put_chunk(b"rows\n" * 1000).id
    sealed = source.sealed_chunk(chunk)
    flipped = bytearray(sealed.content)
    flipped[-1] ^= 1
    stranger = new_vault()
    foreign = stranger.sealed_chunk(stranger.put_chunk(b"rows\n" * 1000).id)
    for bad in (
        dataclasses.replace(sealed, content=bytes(flipped)),
        dataclasses.replace(sealed, id=source.put_chunk(b"other").id),
        dataclasses.replace(foreign, id=chunk),
        SealedChunk(chunk, 0, b"", None, 0, "raw"),
    ):
        with pytest.raises(ChunkCorrupt):
            target.put_sealed(bad)
    source.store.put(f"chunks/{chunk[:2]}/{chunk}-0", bytes(flipped))
    with pytest.raises(ChunkCorrupt):
        source.sealed_chunk(chunk)
    assert list(target.chunk_objects()) == []


def test_manifests_travel_too(pair: tuple[Vault, Vault]) -> None:
    source, target = pair
    made = manifest(source, [table(source, "things", [column("id")], [b"1\n2\n"])])
    source.put_manifest(made)
    sealed = source.sealed_manifest(made.backup_id)
    target.put_sealed_manifest(made.backup_id, sealed)
    assert target.get_manifest(made.backup_id) == made
    # What an interrupted copy left there, torn, is replaced.
    target.store.put(f"manifests/{made.backup_id}", sealed[:-1])
    target.put_sealed_manifest(made.backup_id, sealed)
    assert target.get_manifest(made.backup_id) == made
    with pytest.raises(ManifestCorrupt):
        target.put_sealed_manifest(str(uuid4()), sealed)
    with pytest.raises(ManifestCorrupt):
        new_vault().put_sealed_manifest(made.backup_id, sealed)


def test_a_vault_is_not_replicated_over_anything(pair: tuple[Vault, Vault]) -> None:
    source, _ = pair
    used = MemoryStore()
    used.put("something", b"")
    with pytest.raises(Refused, match="not empty"):
        Vault.replicate(used, source, Keyring.generate())


def test_a_store_has_one_owner() -> None:
    store, ours, theirs = MemoryStore(), uuid4(), uuid4()
    assert refuse_other_owner(store, ours) is None
    claim(store, ours, "offsite")
    since = read_owner(store)
    claim(store, ours, "offsite")
    assert read_owner(store) == since
    assert since
    assert (since.installation, since.store) == (str(ours), "offsite")
    for attempt in (refuse_other_owner, lambda s, i: claim(s, i, "theirs")):
        with pytest.raises(Refused, match="another installation"):
            attempt(store, theirs)
    take_over(store, theirs, "rescued")
    with pytest.raises(Refused):
        refuse_other_owner(store, ours)
    for damaged in (b"", b"{}", b"[]", b"\xff", b'{"format": "rxbackup-owner/1", "installation": "x", "since": ""}'):
        store.put(OWNER, damaged)
        with pytest.raises(Corrupt):
            refuse_other_owner(store, ours)
    take_over(store, ours, "mine")
    assert refuse_other_owner(store, ours)


def test_credentials_open_only_where_they_were_sealed() -> None:
    keyring, own = Keyring.generate(), uuid4()
    sealed = seal_credentials({"access_key": "AK", "secret_key": "hunter2", "session_token": ""}, keyring,
                              installation=own, store="offsite")  # fmt: skip
    assert sealed
    assert b"hunter2" not in sealed
    facts = {"store": "offsite", "keyring": keyring, "installation": own, "system_url": ""}
    recipe = open_recipe("s3", {"bucket": "b"}, sealed, **facts)  # type: ignore[arg-type]
    assert recipe.settings == {"bucket": "b", "access_key": "AK", "secret_key": "hunter2"}
    assert "hunter2" not in repr(recipe)
    for change in ({"store": "other"}, {"keyring": Keyring.generate()}, {"installation": uuid4()}):
        with pytest.raises(Exception, match="another key"):
            open_recipe("s3", {}, sealed, **{**facts, **change})  # type: ignore[arg-type]
    assert seal_credentials({}, keyring, installation=own, store="offsite") is None
