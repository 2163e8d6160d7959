"""Every kind of store behind one that fails, is slow, cuts short or lies: noticed, and never believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from rxbackup.errors import ChunkCorrupt, Corrupt, ManifestCorrupt, NotFound, StoreDenied, StoreUnavailable
from rxbackup.stores.base import Store
from rxbackup.stores.probing import probe_store
from rxbackup.stores.retrying import RetryingStore
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import verify_contents
from tests.support.faults import (
    BentStore,
    BlindStore,
    CarelessStore,
    FailingStore,
    FlippingStore,
    ForgettingStore,
    InventingStore,
    KeepingStore,
    LateStore,
    MismeasuringStore,
    SlowStore,
    StaleStore,
    SwappingStore,
    TruncatingStore,
)
from tests.support.vaults import column, manifest, table

# The fixture knows more; these are the kinds.
pytestmark = pytest.mark.parametrize(
    "store", ["memory", "local", "s3", pytest.param("database", marks=pytest.mark.integration)], indirect=True
)

VERBS = ("put", "get", "list", "stat", "delete")
ROWS = b"".join(b"%d\tada\n" % number for number in range(5000))


def _everything(store: Store) -> None:
    """Each verb, three times, with its result checked."""
    for number in range(3):
        name = f"a/{number}"
        assert store.put(name, b"1", if_absent=True) is True
        assert store.get(name) == b"1"
        assert [found.name for found in store.list("a/")] == [name]
        found = store.stat(name)
        assert found is not None
        assert found.size == 1
        store.delete(name)
        assert store.stat(name) is None


@pytest.mark.parametrize("after", [False, True], ids=["before it is done", "after it was done"])
@pytest.mark.parametrize("verb", VERBS)
def test_patience_mends_what_fails_now_and_then(store: Store, verb: str, after: bool) -> None:
    with FailingStore(store, "XoXXoX", verbs=(verb,), after=after) as failing:
        _everything(RetryingStore(failing, sleep=lambda _: None))


@pytest.mark.parametrize("verb", VERBS)
def test_patience_ends(store: Store, verb: str) -> None:
    pauses: list[float] = []
    failing = FailingStore(store, "X" * 100, verbs=(verb,))
    with pytest.raises(StoreUnavailable, match="planted"):
        _everything(RetryingStore(failing, sleep=pauses.append))
    assert 4 <= len(pauses) <= 20


@pytest.mark.parametrize("verb", VERBS)
def test_what_no_patience_helps_is_not_repeated(store: Store, verb: str) -> None:
    with FailingStore(store, "X", verbs=(verb,), error=StoreDenied) as failing, pytest.raises(StoreDenied):
        _everything(RetryingStore(failing, sleep=_must_not))


def test_honest_store_passes_and_keeps_what_it_holds(store: Store) -> None:
    before = {"vault.json": b"{}", "chunks/ab/cd-0": b"1", "probe-mine": b"not ours"}
    for name, content in before.items():
        store.put(name, content)
    report = probe_store(store)
    assert report.trouble is None
    assert report.ok
    assert [check.name for check in report.checks if not check.ok] == []
    assert len(report.checks) == 10
    assert report.seconds < 10
    assert {found.name: store.get(found.name) for found in store.list()} == before


def test_what_a_killed_probe_left_is_removed_by_a_later_one(store: Store) -> None:
    left = f"probe-{'0' * 32}-a"
    store.put(left, b"left")
    assert probe_store(store).ok
    assert store.stat(left) is not None, "perhaps another probe is at work"
    assert not probe_store(store, clock=lambda: datetime.now(UTC) + timedelta(hours=2)).ok  # the clock
    assert store.stat(left) is None


LIES: list[tuple[Callable[[Store], BentStore], str, str]] = [
    (TruncatingStore, "read", "only 131072 came back"),
    (lambda inner: TruncatingStore(inner, keep=0), "read", "only 0 came back"),
    (FlippingStore, "read", "not what was written"),
    (ForgettingStore, "read", "There is no object"),
    (InventingStore, "read", "nobody wrote"),
    (StaleStore, "overwrite", "old content"),
    (SwappingStore, "overwrite", "old content"),
    (BlindStore, "list", "not in the listing"),
    (MismeasuringStore, "stat", "size"),
    (CarelessStore, "conditional", "If-None-Match"),
    (LateStore, "clock", "clock and this machine's differ by 3"),
    (lambda inner: LateStore(inner, by=timedelta(minutes=-4)), "clock", "differ by 2"),
    (KeepingStore, "delete", "still there"),
]


@pytest.mark.parametrize(("lie", "check", "words"), LIES, ids=lambda each: getattr(each, "__name__", None))
def test_probe_finds_the_lie(store: Store, lie: Callable[[Store], BentStore], check: str, words: str) -> None:
    with lie(store) as lying:
        report = probe_store(lying)
    assert not report.ok
    failed = [each for each in report.checks if not each.ok]
    assert failed[0].name == check
    assert words in failed[0].detail
    assert report.trouble is not None
    assert words in report.trouble.message
    if lie is not KeepingStore:
        assert list(store.list()) == []


@pytest.mark.parametrize("verb", VERBS)
def test_probe_tells_what_failed_and_cleans_up(store: Store, verb: str) -> None:
    with FailingStore(store, "X", verbs=(verb,), error=lambda: StoreDenied("planted")) as failing:
        report = probe_store(failing)
    assert isinstance(report.trouble, StoreDenied)
    assert "planted" in next(each.detail for each in report.checks if not each.ok)
    assert list(store.list()) == []


def test_probe_of_a_store_that_hangs_ends_in_time(store: Store) -> None:
    with SlowStore(store, seconds=1) as slow:
        began = time.monotonic()
        report = probe_store(slow, deadline=0.5)
        assert time.monotonic() - began < 0.95
    assert [each.name for each in report.checks] == ["reach", "write", "read"]
    assert not report.checks[-1].ok
    assert isinstance(report.trouble, StoreUnavailable)
    assert "within" in report.trouble.message
    _wait_until(lambda: list(store.list()) == [], "the probe never cleaned up")


@pytest.mark.parametrize("lie", [TruncatingStore, FlippingStore, SwappingStore])
def test_vault_believes_no_bytes(store: Store, lie: Callable[..., BentStore]) -> None:
    keyring = Keyring.generate()
    vault = Vault.create(store, keyring)
    kept = table(vault, "kept", [column("a"), column("b")], [ROWS, ROWS[::-1].lstrip(b"\n") + b"\n"])
    vault.put_manifest(good := manifest(vault, [kept]))
    with lie(store, only="chunks/") as lying:
        bent = Vault.open(lying, keyring)
        report = verify_contents(bent, bent.get_manifest(good.backup_id))
        assert not report.ok
    with lie(store, only="manifests/") as lying:
        bent = Vault.open(lying, keyring)
        if lie is SwappingStore:
            vault.put_manifest(other := manifest(vault, [kept]))
            bent.get_manifest(other.backup_id)
        with pytest.raises(ManifestCorrupt):
            bent.get_manifest(good.backup_id)
    assert verify_contents(vault, good).ok


def test_chunk_that_was_never_written_is_missed(store: Store) -> None:
    keyring = Keyring.generate()
    Vault.create(store, keyring)
    with ForgettingStore(store, only="chunks/") as lying:
        vault = Vault.open(lying, keyring)
        kept = table(vault, "kept", [column("a")], [b"1\n"])
        vault.put_manifest(good := manifest(vault, [kept]))
        assert not verify_contents(vault, good).ok


def test_manifest_that_was_never_written_completes_nothing(store: Store) -> None:
    keyring = Keyring.generate()
    Vault.create(store, keyring)
    with ForgettingStore(store, only="manifests/") as lying:
        vault = Vault.open(lying, keyring)
        with pytest.raises(NotFound):
            vault.put_manifest(manifest(vault, []))


def test_marker_that_was_never_written_makes_no_vault(store: Store) -> None:
    with ForgettingStore(store, only="vault.json") as lying, pytest.raises(Corrupt):
        Vault.create(lying, Keyring.generate())


def test_damaged_chunk_is_never_given_out(store: Store) -> None:
    keyring = Keyring.generate()
    receipt = Vault.create(store, keyring).put_chunk(ROWS)
    with FlippingStore(store, only="chunks/") as lying, pytest.raises(ChunkCorrupt):
        Vault.open(lying, keyring).get_chunk(receipt.id)


def _must_not(_: float) -> None:
    raise AssertionError("waited for what waiting does not mend")


def _wait_until(claim: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)
