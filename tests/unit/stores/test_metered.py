from __future__ import annotations

import pytest

from rxbackup.errors import ObjectNotFound
from rxbackup.stores.memory import MemoryStore
from rxbackup.stores.metered import MeteredStore


def test_calls_failures_and_bytes_are_counted_by_verb() -> None:
    store = MeteredStore(MemoryStore())
    store.put("a", b"12345")
    store.put("a", b"67", if_absent=True)
    store.get("a")
    with pytest.raises(ObjectNotFound):
        store.get("b")
    list(store.list())
    counted = {verb: (count.calls, count.failures, count.bytes) for verb, count in store.counts.items()}
    assert counted == {"put": (2, 0, 5), "get": (2, 1, 5), "list": (1, 0, 0), "stat": (0, 0, 0), "delete": (0, 0, 0)}
    assert store.counts["put"].seconds > 0
