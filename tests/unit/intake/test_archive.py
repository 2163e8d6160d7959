from __future__ import annotations

import random
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from rxbackup.errors import FileCorrupt, Refused, RxbackupError, UsageError
from rxbackup.stores.local import LocalStore
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import verify_contents
from tests.support.imports import archive_of, rows_of, small_backup, take_archive
from tests.support.vaults import new_vault

PHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def made() -> tuple[Vault, Keyring, bytes, dict[str, bytes]]:
    keyring = Keyring.generate()
    vault = new_vault(keyring=keyring)
    backup = small_backup(vault)
    return vault, keyring, archive_of(vault, backup), rows_of(vault, backup)


def _names(store: MemoryStore) -> set[str]:
    return {found.name for found in store.list()}


def test_same_vault_takes_the_objects_as_they_are(made) -> None:
    vault, _, archive, rows = made
    there = MemoryStore()
    there.put("vault.json", vault.store.get("vault.json"))
    into = vault.over(there)
    taken = take_archive(archive, into)
    assert rows_of(into, taken.manifest) == rows
    assert taken.manifest == vault.get_manifest(taken.manifest.backup_id)
    assert _names(there) == _names(vault.store)
    assert all(there.get(name) == vault.store.get(name) for name in _names(there))
    assert {r.id for r in taken.receipts} == taken.needed


def test_the_same_again_stores_nothing(made) -> None:
    vault, _, archive, _ = made
    before = {name: vault.store.get(name) for name in _names(vault.store)}
    taken = take_archive(archive, vault)
    assert not any(receipt.is_new for receipt in taken.receipts)
    assert {name: vault.store.get(name) for name in _names(vault.store)} == before


def test_another_vault_seals_the_rows_anew(made) -> None:
    vault, keyring, archive, rows = made
    into = new_vault()
    taken = take_archive(archive, into, own=keyring)
    assert rows_of(into, taken.manifest) == rows
    assert verify_contents(into, taken.manifest).ok
    assert into.get_manifest(taken.manifest.backup_id) == taken.manifest
    assert taken.manifest.vault_id == into.id != vault.id
    assert not taken.manifest.chunk_ids() & vault.get_manifest(taken.manifest.backup_id).chunk_ids()
    # Nothing later may lean on what a stranger says.
    assert taken.manifest.snapshot.watermark is None
    assert {(t.oid, t.relfilenode) for t in taken.manifest.tables} == {(0, 0)}
    again = take_archive(archive, into, own=keyring)
    assert not any(receipt.is_new for receipt in again.receipts)


def test_a_passphrase_opens_it_elsewhere(made) -> None:
    vault, _, _, rows = made
    archive = archive_of(vault, vault.get_manifest(vault.manifest_ids()[0]), PHRASE)
    into = new_vault()
    taken = take_archive(archive, into, passphrase=PHRASE)
    assert rows_of(into, taken.manifest) == rows
    with pytest.raises(Refused, match="not the one"):
        take_archive(archive, new_vault(), passphrase=PHRASE + "!")
    with pytest.raises(Refused, match="another key"):
        take_archive(archive, new_vault())


@pytest.mark.parametrize("phrase", ["", "short", "elf zeichen", "x" * 1025, "twelve chars\udc80"])
def test_weak_passphrases_are_refused(made, phrase: str) -> None:
    with pytest.raises(UsageError):
        made[0].marker_for_archive(phrase)


def test_without_a_passphrase_one_does_not_help(made) -> None:
    with pytest.raises(Refused, match="no passphrase"):
        take_archive(made[2], new_vault(), passphrase=PHRASE)


def test_unpacked_it_is_a_local_store(made, tmp_path: Path) -> None:
    _, keyring, archive, rows = made
    (tmp_path / "a.rxbackup").write_bytes(archive)
    (tmp_path / "store").mkdir()
    subprocess.run(["tar", "xf", "../a.rxbackup"], cwd=tmp_path / "store", check=True)
    vault = Vault.open(LocalStore(tmp_path / "store"), keyring)
    (backup,) = vault.manifest_ids()
    assert rows_of(vault, vault.get_manifest(backup)) == rows


def test_anchors_come_before_differences_and_the_manifest_last(made) -> None:
    vault, _, archive, _ = made
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        names, members = tar.getnames(), tar.getmembers()
    assert names[0] == "vault.json"
    assert names[-1] == "archive-end.json"
    assert names[-2].startswith("manifests/")
    for chunk, anchor in (vault.get_manifest(vault.manifest_ids()[0]).leans or {}).items():
        assert names.index(f"chunks/{anchor[:2]}/{anchor}-0") < names.index(f"chunks/{chunk[:2]}/{chunk}-0")
    # No member says who wrote it, or on which machine.
    for member in members:
        assert (member.uid, member.gid, member.uname, member.gname, member.mode) == (0, 0, "", "", 0o600)


def test_cut_at_any_byte_it_is_refused_and_nothing_is_stored(made) -> None:
    _, keyring, archive, _ = made
    into = new_vault(MemoryStore())
    before = _names(into.store)
    # Every byte around every border of a block, and samples between; a cut elsewhere ends in the same read.
    cuts = {n for block in range(0, len(archive), 512) for n in (block - 1, block, block + 1) if 0 <= n < len(archive)}
    chosen = random.Random(1).sample(sorted(cuts), min(len(cuts), 120)) + list(range(0, 1030, 3)) + [len(archive) - 1]
    for cut in [*chosen, *range(len(archive) - 1100, len(archive), 4)]:
        with pytest.raises(RxbackupError):
            take_archive(archive[:cut], into, own=keyring)
    assert _names(into.store) == before


def test_every_flipped_bit_is_found_before_anything_is_stored(made) -> None:
    _, keyring, archive, _ = made
    into = new_vault(MemoryStore())
    before = _names(into.store)
    rng = random.Random(2)
    headers = [0, *_member_starts(archive)]
    places = {(start + rng.randrange(512), rng.randrange(8)) for start in headers for _ in range(8)}
    places |= {(rng.randrange(len(archive)), rng.randrange(8)) for _ in range(120)}
    for place, bit in places:
        changed = bytearray(archive)
        changed[place] ^= 1 << bit
        with pytest.raises(RxbackupError):
            take_archive(bytes(changed), into, own=keyring)
    assert _names(into.store) == before


def test_bytes_behind_the_end_are_refused(made) -> None:
    for more in (b"\0", bytes(512), b"x"):
        with pytest.raises(FileCorrupt, match="end"):
            take_archive(made[2] + more, new_vault(), own=made[1])


def _member_starts(archive: bytes) -> list[int]:
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        return [member.offset for member in tar]


def _tar(members: list[tarfile.TarInfo | tuple[str, bytes]], kind: int = tarfile.USTAR_FORMAT) -> bytes:
    file = BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as tar:
        for member in members:
            if isinstance(member, tuple):
                info = tarfile.TarInfo(member[0])
                info.size, info.mode = len(member[1]), 0o600
                tar.addfile(info, BytesIO(member[1]))
            else:
                tar.addfile(member)
    return file.getvalue()


def _odd(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode = kind, 0o600
    for key, value in more.items():
        setattr(member, key, value)
    return member


@pytest.mark.parametrize(
    "member",
    [
        _odd("../../etc/passwd"),
        _odd("/etc/passwd"),
        _odd("chunks/../vault.json"),
        _odd("link", tarfile.SYMTYPE, linkname="/etc/passwd"),
        _odd("chunks/ab/" + "ab" * 32 + "-0", tarfile.LNKTYPE, linkname="vault.json"),
        _odd("chunks/ab/" + "ab" * 32 + "-0", tarfile.SYMTYPE, linkname="vault.json"),
        _odd("device", tarfile.CHRTYPE),
        _odd("pipe", tarfile.FIFOTYPE),
        _odd("folder", tarfile.DIRTYPE),
        _odd("sparse", tarfile.GNUTYPE_SPARSE),
        _odd("chunks/ab/" + "cd" * 32 + "-0"),
        _odd("owner.json"),
        ("chunks/ab/" + "ab" * 32 + "-0", b"x" * 143),
        ("chunks/ab/" + "ab" * 32 + "-0", b"x" * (8 * 1024 * 1024 + 145)),
        ("chunks/ab/" + "ab" * 32 + "-00", b"x" * 500),
        ("chunks/ab/" + "ab" * 32 + "-9999999999", b"x" * 500),
        ("manifests/" + "x" * 36, b"x" * 500),
        ("manifests/11111111-2222-4333-8444-555555555555", b"x" * 10),
        ("archive-end.json", b"{}"),
        ("vault.json", b"{}"),
        ("x" * 99, b""),
    ],
)
def test_members_that_have_no_place_are_refused(made, member) -> None:
    marker = made[0].store.get("vault.json")
    with pytest.raises(FileCorrupt):
        take_archive(_tar([("vault.json", marker), member]), new_vault(), own=made[1])


def test_other_dialects_of_tar_are_refused(made) -> None:
    marker = made[0].store.get("vault.json")
    long = ("n" * 10_000_000, b"")
    for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with pytest.raises(FileCorrupt):
            take_archive(_tar([("vault.json", marker), long], kind), new_vault(), own=made[1])


@pytest.mark.parametrize("size", [10**10, 2**33 - 1])
def test_a_size_that_lies_is_refused_without_being_read(made, size: int) -> None:
    marker = made[0].store.get("vault.json")
    start = _tar([("vault.json", marker)])[: -(-len(marker) // 512) * 512 + 512]
    for name in ("vault.json", "chunks/ab/" + "ab" * 32 + "-0", "archive-end.json"):
        header = tarfile.TarInfo(name)
        header.size, header.mode = min(size, 8**11 - 1), 0o600
        with pytest.raises(FileCorrupt):
            take_archive(start + header.tobuf(tarfile.USTAR_FORMAT) + bytes(5000), new_vault(), own=made[1])


@pytest.mark.parametrize("content", [b"", b"x", bytes(512), bytes(10240), random.Random(3).randbytes(100_000)])
def test_what_is_no_archive_is_refused(made, content: bytes) -> None:
    with pytest.raises(FileCorrupt):
        take_archive(content, new_vault(), own=made[1])


def test_an_archive_of_our_vault_id_with_other_keys_does_not_open(made) -> None:
    """Somebody who copies our vault's id cannot make it hold what our keys have not sealed."""
    _, _, archive, _ = made
    stranger, keyring = new_vault(), Keyring.generate()
    del keyring
    own = stranger.store.get("vault.json")
    theirs = archive.replace(made[0].id.encode(), stranger.id.encode())
    assert len(theirs) == len(archive)
    with pytest.raises(RxbackupError):
        take_archive(theirs, stranger)
    assert stranger.store.get("vault.json") == own
