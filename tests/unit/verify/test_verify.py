from __future__ import annotations

from dataclasses import replace

import pytest

from rxbackup.errors import ManifestCorrupt, StoreUnavailable
from rxbackup.progress import Progress
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import verify_contents
from rxbackup.verify.structure import verify_structure
from tests.support.faults import FailingStore
from tests.support.vaults import column, manifest, new_vault, table

LEVELS = [verify_structure, verify_contents]


def _backup(vault: Vault) -> Manifest:
    long_row = b"9\t" + b"x" * 150 + b"\n"
    one = table(vault, "one", [column("id"), column("n")], [b"1\ta\n2\tb\n", b"", b"1\ta\n2\tb\n", long_row], limit=60)
    two = table(vault, "two", [column("id")], [b"5\n6\n7\n"])
    return manifest(vault, [one, two])


@pytest.mark.parametrize("verify", LEVELS)
def test_sound_backup_is_ok(verify: type) -> None:
    vault = new_vault()
    seen: list[Progress] = []
    report = verify(vault, _backup(vault), on_progress=seen.append)
    assert report.ok
    assert report.damaged == ()
    assert report.checked_chunks == 5
    assert seen[-1].rows_done == seen[-1].rows_total == 8


@pytest.mark.parametrize("verify", LEVELS)
def test_missing_chunk_is_named_with_all_it_takes_along(verify: type) -> None:
    store = MemoryStore()
    vault = new_vault(store)
    whole = _backup(vault)
    shared = whole.tables[0].segments[0].chunks[0]
    store.delete(f"chunks/{shared[:2]}/{shared}-0")
    report = verify(vault, whole)
    assert not report.ok
    assert report.damaged_tables == ("public.one",)
    assert [(each.segment, each.rows, each.chunk) for each in report.damaged] == [(0, 2, shared), (2, 2, shared)]
    assert "public.one, segment 0 (2 rows)" in str(report.damaged[0])
    assert "not in the store" in report.damaged[0].reason


def test_contents_sees_the_flipped_byte_that_structure_cannot() -> None:
    store = MemoryStore()
    vault = new_vault(store)
    whole = _backup(vault)
    for number, name in enumerate(found.name for found in list(store.list("chunks/"))):
        sealed = store.get(name)
        store.put(name, sealed[:140] + bytes([sealed[140] ^ 1]) + sealed[141:])
        report = verify_contents(vault, whole)
        assert len({each.chunk for each in report.damaged}) == number + 1
    assert verify_structure(vault, whole).ok


def test_structure_sees_what_is_cut_short() -> None:
    store = MemoryStore()
    vault = new_vault(store)
    whole = _backup(vault)
    for found in list(store.list("chunks/")):
        store.put(found.name, b"")
    assert len(verify_structure(vault, whole).damaged) == 6


@pytest.mark.parametrize(
    ("rows", "raw_bytes", "said"), [(4, 6, "rows"), (3, 7, "bytes"), (3, 6, "cut off")], ids=["rows", "bytes", "end"]
)
def test_contents_counts_rows_and_bytes(rows: int, raw_bytes: int, said: str) -> None:
    vault = new_vault()
    content = b"5\n6\n7\n" if said != "cut off" else b"\n6\n\n77"
    entry = table(vault, "two", [column("id")], [content])
    segment = replace(entry.segments[0], rows=rows, raw_bytes=raw_bytes)
    entry = replace(entry, segments=[segment], rows=rows, raw_bytes=raw_bytes)
    report = verify_contents(vault, manifest(vault, [entry]))
    assert [said in each.reason for each in report.damaged] == [True]
    assert report.damaged[0].chunk == ""


@pytest.mark.parametrize("verify", LEVELS)
def test_manifest_that_contradicts_itself_is_refused(verify: type) -> None:
    vault = new_vault()
    whole = _backup(vault)
    with pytest.raises(ManifestCorrupt):
        verify(vault, replace(whole, totals=replace(whole.totals, rows=99)))


@pytest.mark.parametrize(("verify", "verb"), [(verify_structure, "stat"), (verify_contents, "get")])
def test_store_that_is_away_is_not_damage(verify: type, verb: str) -> None:
    inner, keyring = MemoryStore(), Keyring.generate()
    vault = Vault.create(inner, keyring)
    whole = _backup(vault)
    script = "oX" if verb == "get" else "X"  # opening the vault gets its marker
    with FailingStore(inner, script, verbs=(verb,)) as store:
        away = Vault.open(store, keyring)
        with pytest.raises(StoreUnavailable):
            verify(away, whole)
