"""A bucket behind a line that cuts, stalls, loses answers, and a server that is busy: done in the end, or told why."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rxbackup.errors import ChunkCorrupt, StoreTrouble, StoreUnavailable
from rxbackup.stores import s3
from rxbackup.stores.base import Store, StoreRecipe
from rxbackup.stores.opening import open_store
from rxbackup.stores.retrying import RetryingStore
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.vault import Vault
from tests.support.s3_servers import S3Server, localbucket_server
from tests.support.s3_wire import Fault, S3Wire, offsets, refusal, s3_wire

CONTENT = os.urandom(300_000)


@pytest.fixture
def wire(s3_server: S3Server) -> Iterator[S3Wire]:
    with s3_wire(s3_server) as wire:
        yield wire


@pytest.fixture
def recipe(wire: S3Wire, s3_server: S3Server) -> StoreRecipe:
    return wire.server.recipe(s3_server.new_bucket(), "rx")


@pytest.fixture
def bare(recipe: StoreRecipe) -> Store:
    """The store as it is."""
    return open_store(recipe, patient=False)


@pytest.fixture
def store(bare: Store) -> Store:
    """The store with patience, which passes in no time."""
    return RetryingStore(bare, sleep=lambda _: None)


@pytest.mark.parametrize("at", offsets(len(CONTENT), 5))
@pytest.mark.parametrize("if_absent", [False, True], ids=["replacing", "if absent"])
def test_write_that_was_cut_is_written_again(store: Store, wire: S3Wire, at: int, if_absent: bool) -> None:
    wire.plant(Fault("cut request", ("PUT",), at=at))
    assert store.put("a/b", CONTENT, if_absent=if_absent) is True
    assert store.get("a/b") == CONTENT


@pytest.mark.parametrize("at", offsets(len(CONTENT), 5))
def test_read_that_was_cut_is_read_again(store: Store, wire: S3Wire, at: int) -> None:
    store.put("a/b", CONTENT)
    wire.plant(Fault("cut response", ("GET",), at=at, times=2))
    assert store.get("a/b") == CONTENT


def test_read_that_stays_cut_is_told_and_never_short(bare: Store, wire: S3Wire) -> None:
    bare.put("a/b", CONTENT)
    wire.plant(Fault("cut response", ("GET",), at=len(CONTENT) - 1))
    with pytest.raises(StoreUnavailable, match=r"Cannot read a/b in bucket .*broke in the middle"):
        bare.get("a/b")


@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (503, "SlowDown"), (429, "TooManyRequests")])
def test_busy_server_is_asked_again(store: Store, wire: S3Wire, status: int, code: str) -> None:
    for method in ("PUT", "GET", "HEAD", "DELETE"):
        wire.plant(Fault("answer", (method,), times=3, answer=refusal(status, code)))
    assert store.put("a", b"1", if_absent=True) is True
    assert store.get("a") == b"1"
    assert store.stat("a") is not None
    store.delete("a")
    assert store.stat("a") is None


def test_server_that_stays_busy_is_given_up_within_bounds(bare: Store, wire: S3Wire) -> None:
    pauses: list[float] = []
    wire.plant(Fault("answer", ("PUT",), times=None, answer=refusal(503, "SlowDown", "Reduce your rate.")))
    with pytest.raises(StoreUnavailable, match=r"503 \(SlowDown: Reduce your rate\)"):
        RetryingStore(bare, sleep=pauses.append, patience=60).put("a", b"1")
    assert 4 <= len(pauses) <= 12
    assert 60 <= sum(pauses) < 80
    assert wire.count("PUT") == len(pauses) + 1
    assert pauses[0] < 0.5 < pauses[4], "the pauses do not grow"


def test_lost_answer_to_a_conditional_write_is_recognised_as_ours(store: Store, wire: S3Wire) -> None:
    wire.plant(Fault("lose", ("PUT",)))
    assert store.put("vault.json", b"ours", if_absent=True) is True
    assert wire.count("PUT") == 2


def test_lost_answer_does_not_make_a_strangers_object_ours(bare: Store, store: Store, wire: S3Wire) -> None:
    bare.put("vault.json", b"theirs")
    wire.plant(Fault("lose", ("PUT",)))
    assert store.put("vault.json", b"ours", if_absent=True) is False
    assert store.get("vault.json") == b"theirs"


def test_lost_answers_make_one_vault_and_one_of_each_chunk(store: Store, wire: S3Wire) -> None:
    wire.plant(Fault("lose", ("PUT",)), Fault("lose", ("PUT",), passing=1))
    vault = Vault.create(store, Keyring.generate())
    receipt = vault.put_chunk(CONTENT)
    assert receipt.is_new
    assert vault.get_chunk(receipt.id) == CONTENT
    assert len(list(store.list())) == 2


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE"])
def test_lost_answers_to_other_requests_do_no_harm(store: Store, wire: S3Wire, method: str) -> None:
    wire.plant(Fault("lose", (method,)))
    store.put("a", b"1")
    assert store.get("a") == b"1"
    assert store.stat("a") is not None
    store.delete("a")
    assert [found.name for found in store.list()] == []


def test_shortened_answer_with_a_matching_length_is_no_chunk(store: Store, wire: S3Wire) -> None:
    vault = Vault.create(store, Keyring.generate())
    receipt = vault.put_chunk(CONTENT)
    wire.plant(Fault("shorten", ("GET",), at=200_000))
    with pytest.raises(ChunkCorrupt):
        vault.get_chunk(receipt.id)
    assert vault.get_chunk(receipt.id) == CONTENT


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_stalled_request_is_given_up(
    recipe: StoreRecipe, wire: S3Wire, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(s3, "_BRIEF_SECONDS", 1)
    monkeypatch.setattr(s3, "_LONG_SECONDS", 1)
    store = open_store(recipe, patient=False)
    wire.plant(Fault("stall", (method,)))
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="no answer came in time"):
        _use(store)
    assert time.monotonic() - began < 5


def test_answer_that_drips_is_given_up(recipe: StoreRecipe, wire: S3Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_LONG_SECONDS", 1)
    store = open_store(recipe, patient=False)
    store.put("a", CONTENT)
    wire.plant(Fault("drip", ("GET",)))
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.get("a")
    assert time.monotonic() - began < 5


def test_long_listing_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    names = sorted(f"m/{number}" for number in range(2500))
    (tmp_path / "lists" / "m").mkdir(parents=True)
    for name in names:
        (tmp_path / "lists" / name).touch()
    with localbucket_server(tmp_path) as server, s3_wire(server) as wire:
        store = RetryingStore(open_store(wire.server.recipe("lists"), patient=False), sleep=lambda _: None)
        assert [found.name for found in store.list("m/")] == names
        assert wire.count("GET") == 3
        wire.plant(
            Fault("cut response", ("GET",), passing=1, at=1000),
            Fault("answer", ("GET",), passing=3, answer=refusal(503, "SlowDown")),
        )
        assert [found.name for found in store.list("m/")] == names
        assert [found.name for found in store.list("m/24")] == [name for name in names if name.startswith("m/24")]


def test_connections_dropped_between_requests_are_made_again(recipe: StoreRecipe, wire: S3Wire) -> None:
    store = RetryingStore(open_store(recipe, patient=False), sleep=lambda _: None)
    for number in range(10):
        wire.plant(Fault("cut request", ("PUT", "GET"), passing=1))
        store.put(f"a{number}", CONTENT, if_absent=True)
        assert store.get(f"a{number}") == CONTENT


def test_forked_child_is_told_and_does_not_hang(bare: Store) -> None:
    bare.put("a", b"1")
    child = os.fork()
    if child == 0:
        try:
            bare.get("a")
        except StoreTrouble as error:
            os._exit(7 if "forked" in error.message else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert bare.get("a") == b"1"


def test_ctrl_c_is_heard_while_a_request_stalls(bare: Store, wire: S3Wire) -> None:
    # Whoever starts the tests in the background has SIGINT ignored in them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wire.plant(Fault("stall", ("GET",)))
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        bare.get("a")
    assert time.monotonic() - began < 5


def _use(store: Store) -> None:
    store.put("a", CONTENT)
    store.get("a")
    store.stat("a")
