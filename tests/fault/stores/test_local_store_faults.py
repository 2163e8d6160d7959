"""A folder store on a disk that is full, read-only, gone, or tampered with."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rxbackup.errors import (
    Corrupt,
    ObjectNotFound,
    StoreFull,
    StoreMissing,
    StoreNotWritable,
    StoreTrouble,
    StoreUnavailable,
    VaultMarkerMissing,
)
from rxbackup.stores import local
from rxbackup.stores.local import LocalStore
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.vault import Vault
from tests.support.vaults import column, manifest, table


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore.create(tmp_path / "store")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def _until_full(put: Callable[[], object]) -> None:
    for _ in range(1000):
        try:
            put()
        except StoreFull:
            return
    pytest.fail("the disk never filled up")


def _files(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def test_full_disk_is_told_and_leaves_no_partial_file(small_disk: Path) -> None:
    store = LocalStore(small_disk)
    store.put("chunks/ab/kept", b"k" * 300_000)
    with pytest.raises(StoreFull):
        store.put("chunks/cd/too-large", os.urandom(900_000))
    assert _files(small_disk) == ["chunks/ab/kept"]
    assert store.get("chunks/ab/kept") == b"k" * 300_000
    assert store.stat("chunks/cd/too-large") is None
    assert store.put("chunks/cd/small", b"s" * 300_000)


def test_full_disk_completes_no_backup_and_harms_no_earlier_one(small_disk: Path) -> None:
    vault = Vault.create(LocalStore(small_disk), Keyring.generate())
    entry = table(vault, "t", [column("a")], [b"x\n"])
    first = manifest(vault, [entry])
    vault.put_manifest(first)
    _until_full(lambda: vault.put_chunk(os.urandom(50_000)))
    _until_full(lambda: vault.put_manifest(manifest(vault, [entry])))
    for backup_id in vault.manifest_ids():
        assert vault.get_chunk(vault.get_manifest(backup_id).tables[0].segments[0].chunks[0]) == b"x\n"
    assert first.backup_id in vault.manifest_ids()


def test_read_only_disk_is_told(small_disk: Path) -> None:
    store = LocalStore(small_disk)
    store.put("a/b", b"1")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for call in (lambda: store.put("a/c", b"2"), lambda: store.delete("a/b")):
        with pytest.raises(StoreNotWritable):
            call()
    assert store.get("a/b") == b"1"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_the_right_to_write_is_told(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "store").chmod(0o500)
    with pytest.raises(StoreNotWritable):
        store.put("a/b", b"1")


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EROFS, StoreNotWritable),
        (errno.EACCES, StoreNotWritable),
        (errno.EPERM, StoreNotWritable),
        (errno.EIO, StoreUnavailable),
        (errno.ESTALE, StoreUnavailable),
    ],
)
@pytest.mark.parametrize("call", ["write", "fsync", "rename", "open"])
def test_any_failing_call_is_told_and_leaves_the_old_object(
    store: LocalStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[StoreTrouble],
    call: str,
) -> None:
    store.put("a/b", b"old")
    fired = []

    def failing(*_: object, **__: object) -> int:
        fired.append(call)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(local.os, call, failing)
        with pytest.raises(error):
            store.put("a/b", b"new")
    assert fired
    assert store.get("a/b") == b"old"
    assert _files(tmp_path / "store") == ["a/b"]


def test_write_in_small_steps_is_complete(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(local.os, "write", lambda number, content: write(number, content[:7]))
        store.put("a", b"0123456789" * 10)
    assert store.get("a") == b"0123456789" * 10


def test_folder_that_went_away_is_not_made_again(store: LocalStore, tmp_path: Path) -> None:
    store.put("a/b", b"1")
    (tmp_path / "store").rename(tmp_path / "moved")
    for call in (
        lambda: store.put("a/b", b"2"),
        lambda: store.get("a/b"),
        lambda: store.stat("a/b"),
        lambda: list(store.list()),
        lambda: store.delete("a/b"),
    ):
        with pytest.raises(StoreMissing, match="not there"):
            call()
    assert not (tmp_path / "store").exists()


def test_empty_folder_in_place_of_the_vault_is_refused(tmp_path: Path) -> None:
    place, keyring = tmp_path / "store", Keyring.generate()
    vault = Vault.create(LocalStore.create(place), keyring)
    whole = manifest(vault, [table(vault, "t", [column("a")], [b"x\n"])])
    place.rename(tmp_path / "moved")
    place.mkdir()
    with pytest.raises(VaultMarkerMissing):
        vault.put_manifest(whole)
    for _ in range(2):
        with pytest.raises(StoreMissing, match="is empty"):
            vault.put_chunk(b"y\n")
    with pytest.raises(VaultMarkerMissing):
        Vault.open(LocalStore(place), keyring)
    assert list(place.iterdir()) == []


def test_disk_that_is_unplugged_in_the_middle_leaves_its_mount_point_empty(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a file system")
    try:
        vault = Vault.create(LocalStore(place), Keyring.generate())
        vault.put_chunk(b"1\n")
    finally:
        subprocess.run(["umount", str(place)], check=True)
    with pytest.raises(StoreMissing, match="is empty, and was not a moment ago"):
        vault.put_chunk(b"2\n")
    assert list(place.iterdir()) == []


def test_disk_that_comes_back_is_written_to_again(tmp_path: Path) -> None:
    place = tmp_path / "store"
    vault = Vault.create(LocalStore.create(place), Keyring.generate())
    place.rename(tmp_path / "moved")
    place.mkdir()
    with pytest.raises(StoreMissing):
        vault.put_chunk(b"1\n")
    place.rmdir()
    shutil.copytree(tmp_path / "moved", place)  # the same disk, by another number
    assert vault.put_chunk(b"1\n").is_new


def test_vanished_marker_is_refused_and_not_made_again(tmp_path: Path) -> None:
    place, keyring = tmp_path / "store", Keyring.generate()
    vault = Vault.create(LocalStore.create(place), keyring)
    vault.put_chunk(b"x\n")
    (place / "vault.json").unlink()
    with pytest.raises(VaultMarkerMissing):
        Vault.open_or_create(LocalStore(place), keyring)
    assert not (place / "vault.json").exists()


@pytest.mark.parametrize("planted", ["file", "folder", "root-above"])
def test_planted_links_are_not_followed(store: LocalStore, tmp_path: Path, planted: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b").write_bytes(b"secret")
    root = tmp_path / "store"
    if planted == "file":
        (root / "a").mkdir()
        (root / "a" / "b").symlink_to(outside / "b")
    elif planted == "folder":
        (root / "a").symlink_to(outside)
    else:
        (root / "a").symlink_to("..")
    for call in (lambda: store.get("a/b"), lambda: list(store.list("a/"))):
        with pytest.raises((Corrupt, ObjectNotFound)):
            call()
    if planted != "file":
        with pytest.raises(Corrupt):
            store.put("a/b", b"mine")
        with pytest.raises(Corrupt):
            store.delete("a/b")
    else:
        # A new object takes the link's place; what it pointed to is not touched.
        store.put("a/b", b"mine")
        assert store.get("a/b") == b"mine"
    assert (outside / "b").read_bytes() == b"secret"


def test_pipe_in_place_of_an_object_does_not_hang(store: LocalStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "store" / "a")
    with pytest.raises(Corrupt):
        store.get("a")
    with pytest.raises(Corrupt):
        store.stat("a")


def test_files_are_private(store: LocalStore, tmp_path: Path) -> None:
    before = os.umask(0)
    store.put("a/b", b"1")
    os.umask(before)
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "store" / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "store" / "a" / "b").stat().st_mode) == 0o600


def test_leftovers_are_never_listed_and_swept_when_old(store: LocalStore, tmp_path: Path) -> None:
    store.put("a/b", b"1")
    old, young = tmp_path / "store/a/.part-0123", tmp_path / "store/a/.part-4567"
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    day_before = time.time() - 90_000
    os.utime(old, (day_before, day_before))
    assert [found.name for found in store.list()] == ["a/b"]
    assert not old.exists()
    assert young.exists()


def test_two_writers_at_once_leave_one_whole_object(store: LocalStore) -> None:
    from concurrent.futures import ThreadPoolExecutor

    contents = [bytes([number]) * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda content: store.put("a/b", content, if_absent=True), contents))
    assert sum(won) == 1
    assert store.get("a/b") == contents[won.index(True)]
