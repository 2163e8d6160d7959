from __future__ import annotations

import pytest

from rxbackup.errors import StoreFull, StoreUnavailable
from rxbackup.stores.memory import MemoryStore
from tests.support.faults import FailingStore


def test_planted_fault_that_never_happened_fails_the_test() -> None:
    store = FailingStore(MemoryStore(), "oX")
    with pytest.raises(AssertionError, match="never happened"), store:
        store.put("a", b"")


def test_fault_happens_at_its_call_only() -> None:
    inner = MemoryStore()
    with FailingStore(inner, "oX", error=StoreFull) as store:
        store.put("a", b"1")
        with pytest.raises(StoreFull):
            store.put("b", b"2")
        store.put("c", b"3")
    assert [found.name for found in inner.list()] == ["a", "c"]


def test_lost_answer_leaves_the_object() -> None:
    inner = MemoryStore()
    with FailingStore(inner, "X", after=True) as store, pytest.raises(StoreUnavailable):
        store.put("a", b"1")
    assert inner.get("a") == b"1"
