"""What every store promises."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from rxbackup.errors import ObjectNotFound, UsageError
from rxbackup.stores.base import Store
from rxbackup.stores.opening import open_store
from tests.support.s3_servers import SECRET_KEY

BAD_NAMES = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    "..",
    "../a",
    "a/..",
    "a/../b",
    "a/.b",
    ".a",
    "-a",
    "A",
    "a b",
    "a\\b",
    "a\n",
    "a\0",
    "é",
    "a:b",
    "c%2e",
    "~",
    "a/-b",
    "a" * 256,
]


def test_get_returns_what_was_put(store: Store) -> None:
    content = bytes(range(256)) * 100
    assert store.put("chunks/ab/x-0", content) is True
    assert store.get("chunks/ab/x-0") == content


@pytest.mark.parametrize("content", [b"", b"\0", b"\\x41", b"x" * 9_000_000], ids=["empty", "nul", "hex", "large"])
def test_any_content_is_kept(store: Store, content: bytes) -> None:
    store.put("a", content)
    assert store.get("a") == content
    found = store.stat("a")
    assert found is not None
    assert found.size == len(content)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_buffer_may_be_put(store: Store, kind: type) -> None:
    store.put("a", kind(b"abc"))
    assert store.get("a") == b"abc"


def test_put_replaces(store: Store) -> None:
    store.put("a", b"1")
    assert store.put("a", b"22") is True
    assert store.get("a") == b"22"


def test_put_if_absent_refuses_a_second_writer(store: Store) -> None:
    assert store.put("a/b", b"1", if_absent=True) is True
    assert store.put("a/b", b"2", if_absent=True) is False
    assert store.get("a/b") == b"1"


def test_get_of_nothing_says_so(store: Store) -> None:
    with pytest.raises(ObjectNotFound, match="a/b/c"):
        store.get("a/b/c")


def test_stat_of_nothing_is_none(store: Store) -> None:
    assert store.stat("a/b/c") is None


def test_stat_tells_size_and_time(store: Store) -> None:
    store.put("a", b"12345")
    found = store.stat("a")
    assert found is not None
    assert (found.name, found.size) == ("a", 5)
    assert abs(found.modified_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_delete_is_idempotent(store: Store) -> None:
    store.put("a/b", b"1")
    store.delete("a/b")
    store.delete("a/b")
    store.delete("never/was")
    assert store.stat("a/b") is None


def test_list_is_sorted_by_name_and_filtered_by_prefix(store: Store) -> None:
    names = ["a-b", "a.b", "a/b", "a/c/d", "a0", "b/a", "chunks/ab/1-0", "chunks/ab/1-10", "vault.json"]
    for name in reversed(names):
        store.put(name, name.encode())
    assert [found.name for found in store.list()] == sorted(names)
    assert [found.name for found in store.list("a")] == ["a-b", "a.b", "a/b", "a/c/d", "a0"]
    assert [found.name for found in store.list("a/")] == ["a/b", "a/c/d"]
    assert [found.name for found in store.list("chunks/ab/1-1")] == ["chunks/ab/1-10"]
    assert [found.name for found in store.list("nothing/here")] == []
    assert {found.size for found in store.list("b/")} == {3}


def test_list_of_many_objects_is_complete(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rxbackup.stores.database._PAGE", 7)
    names = sorted(f"m/{number}" for number in range(30))
    for name in names:
        store.put(name, b"")
    assert [found.name for found in store.list("m/")] == names


def test_list_of_an_empty_store_is_empty(store: Store) -> None:
    assert list(store.list()) == []


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_bad_names_are_refused_by_every_verb(store: Store, name: str) -> None:
    for call in (store.get, store.stat, store.delete, lambda bad: store.put(bad, b"")):
        with pytest.raises(UsageError):
            call(name)


@pytest.mark.parametrize("prefix", ["/", "..", "../", "a//", "A", "%", "a_%'"], ids=repr)
def test_bad_prefixes_are_refused(store: Store, prefix: str) -> None:
    with pytest.raises(UsageError):
        list(store.list(prefix))


def test_recipe_opens_the_same_store_and_prints_no_address(store: Store) -> None:
    store.put("a", b"1")
    recipe = pickle.loads(pickle.dumps(store.recipe()))
    again = open_store(recipe)
    assert again.get("a") == b"1"
    assert "postgresql" not in repr(recipe)
    assert SECRET_KEY not in repr((recipe, store, again, vars(again)))
    again.close()


def test_closed_store_opens_itself_again(store: Store) -> None:
    store.put("a", b"1")
    store.close()
    assert store.get("a") == b"1"
