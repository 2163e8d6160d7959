from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxbackup.errors import ChunkCorrupt, ChunkMissing, Corrupt, ManifestCorrupt
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.compression import compress, decompress
from rxbackup.vault.packing import pack, pack_difference, unpack
from rxbackup.vault.sealing import ObjectType, VaultKeys, unseal
from rxbackup.vault.vault import Vault
from tests.support.vaults import column, manifest, new_vault, table


def _keys() -> VaultKeys:
    return VaultKeys(os.urandom(16), {b"currentk": os.urandom(32)}, b"currentk", os.urandom(32))


KEYS = _keys()


@given(st.binary(max_size=5000), st.binary(min_size=32, max_size=32), st.sampled_from(ObjectType))
def test_unseal_of_seal_is_identity(plain: bytes, identity: bytes, kind: ObjectType) -> None:
    _, sealed = pack(plain, kind, identity, KEYS)
    label, content = unseal(sealed, kind, identity, KEYS)
    assert unpack(label, content, limit=5000) == plain


@given(st.binary(max_size=5000), st.binary(min_size=1, max_size=5000))
def test_difference_and_anchor_give_the_plain_bytes(plain: bytes, anchor: bytes) -> None:
    identity, anchor_id = os.urandom(32), os.urandom(32)
    sealed = pack_difference(plain, ObjectType.CHUNK, identity, KEYS, anchor=(anchor_id, anchor))
    label, content = unseal(sealed, ObjectType.CHUNK, identity, KEYS)
    assert label.anchor == anchor_id
    assert unpack(label, content, limit=5000, prefix=anchor) == plain


@given(st.binary(max_size=20_000), st.one_of(st.none(), st.binary(max_size=3000)))
def test_decompress_of_compress_is_identity(plain: bytes, prefix: bytes | None) -> None:
    assert decompress(compress(plain, prefix=prefix), len(plain), prefix=prefix) == plain


@given(st.binary(min_size=1, max_size=3000), st.data())
def test_wrong_length_truncation_and_trailing_bytes_are_refused(plain: bytes, data: st.DataObject) -> None:
    frame = compress(plain)
    cut = data.draw(st.integers(0, len(frame) - 1))
    length = data.draw(st.integers(0, 6000).filter(lambda n: n != len(plain)))
    for damaged, claimed in ((frame[:cut], len(plain)), (frame, length), (frame + b"x", len(plain))):
        with pytest.raises(Corrupt):
            decompress(damaged, claimed)
    with pytest.raises(Corrupt):
        decompress(frame + frame, len(plain))


def _stored() -> tuple[Vault, MemoryStore, str, str]:
    store = MemoryStore()
    vault = new_vault(store)
    receipt = vault.put_chunk(b"1\tone\n2\ttwo\n" * 3)
    return vault, store, receipt.id, receipt.object_name


def test_flip_of_any_bit_of_a_sealed_chunk_is_refused() -> None:
    vault, store, chunk, name = _stored()
    sealed = store.get(name)
    for position in range(len(sealed)):
        for bit in range(8):
            damaged = bytearray(sealed)
            damaged[position] ^= 1 << bit
            store.put(name, damaged)
            with pytest.raises(ChunkCorrupt):
                vault.get_chunk(chunk)


def test_flip_of_any_byte_of_a_manifest_is_refused() -> None:
    store = MemoryStore()
    vault = new_vault(store)
    whole = manifest(vault, [table(vault, "t", [column("a")], [b"x\n"])])
    name = vault.put_manifest(whole).object_name
    sealed = store.get(name)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1 << (position % 8)
        store.put(name, damaged)
        with pytest.raises(ManifestCorrupt):
            vault.get_manifest(whole.backup_id)


def test_truncation_at_any_byte_and_extension_are_refused() -> None:
    vault, store, chunk, name = _stored()
    sealed = store.get(name)
    damaged = [sealed[:length] for length in range(len(sealed))]
    damaged += [sealed + b"\0", sealed + sealed, bytes(len(sealed)), b"\0" + sealed]
    for each in damaged:
        store.put(name, each)
        with pytest.raises(ChunkCorrupt):
            vault.get_chunk(chunk)


def test_swapped_chunks_are_refused() -> None:
    store = MemoryStore()
    vault = new_vault(store)
    one, two = vault.put_chunk(b"one\n"), vault.put_chunk(b"two\n")
    first, second = store.get(one.object_name), store.get(two.object_name)
    store.put(one.object_name, second)
    store.put(two.object_name, first)
    for receipt in (one, two):
        with pytest.raises(ChunkCorrupt):
            vault.get_chunk(receipt.id)


def test_swapped_manifests_are_refused() -> None:
    store = MemoryStore()
    vault = new_vault(store)
    wholes = [manifest(vault, [table(vault, "t", [column("a")], [b"x\n"])]) for _ in range(2)]
    names = [vault.put_manifest(whole).object_name for whole in wholes]
    store.put(names[0], store.get(names[1]))
    with pytest.raises(ManifestCorrupt):
        vault.get_manifest(wholes[0].backup_id)


def test_chunk_of_another_vault_is_refused() -> None:
    vault, store, chunk, name = _stored()
    other = new_vault()
    theirs = other.put_chunk(vault.get_chunk(chunk))
    store.put(name, other.store.get(theirs.object_name))
    with pytest.raises(ChunkCorrupt):
        vault.get_chunk(chunk)


def test_manifest_in_the_place_of_a_chunk_is_refused() -> None:
    vault, store, chunk, name = _stored()
    whole = manifest(vault, [table(vault, "t", [column("a")], [b"x\n"])])
    store.put(name, store.get(vault.put_manifest(whole).object_name))
    with pytest.raises(ChunkCorrupt):
        vault.get_chunk(chunk)


def test_missing_chunk_is_told_from_a_damaged_one() -> None:
    vault, store, chunk, name = _stored()
    store.delete(name)
    with pytest.raises(ChunkMissing):
        vault.get_chunk(chunk)
