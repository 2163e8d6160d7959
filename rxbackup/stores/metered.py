"""A store that counts what it is asked: calls, failures, bytes and seconds by verb."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rxbackup.stores.base import Store, StoredObject, StoreRecipe

VERBS = ("put", "get", "list", "stat", "delete")


@dataclass(frozen=True, slots=True)
class VerbCount:
    """What one verb cost so far.

    Attributes:
        calls: how often it was asked, whatever came of it.
        failures: how many of them raised; an object that is not there counts.
        bytes: of object content that arrived, there for put and here for get.
        seconds: from asking to the answer, added up over all threads.
    """

    calls: int = 0
    failures: int = 0
    bytes: int = 0
    seconds: float = 0.0


class MeteredStore:
    """The same store, counted. Calls from several threads are counted together."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self._counts = dict.fromkeys(VERBS, VerbCount())
        self._turn = threading.Lock()

    @property
    def kind(self) -> str:
        """The kind of the store inside."""
        return self.inner.kind

    @property
    def counts(self) -> dict[str, VerbCount]:
        """By verb, up to now."""
        with self._turn:
            return dict(self._counts)

    def describe(self) -> str:
        """The place, for people."""
        return self.inner.describe()

    def recipe(self) -> StoreRecipe:
        """Opens the store inside; counting is each process's own affair."""
        return self.inner.recipe()

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        """Write; content that was not needed counts as none."""
        with self._counting("put") as moved:
            written = self.inner.put(name, content, if_absent=if_absent)
            moved(len(content) if written else 0)
            return written

    def get(self, name: str) -> bytes:
        """The whole object."""
        with self._counting("get") as moved:
            content = self.inner.get(name)
            moved(len(content))
            return content

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects in order; one listing is one call, however long."""
        with self._counting("list"):
            yield from self.inner.list(prefix)

    def stat(self, name: str) -> StoredObject | None:
        """What is known about the object, or None."""
        with self._counting("stat"):
            return self.inner.stat(name)

    def delete(self, name: str) -> None:
        """Remove the object."""
        with self._counting("delete"):
            self.inner.delete(name)

    def close(self) -> None:
        """Let go of connections; the counts stay."""
        self.inner.close()

    @contextmanager
    def _counting(self, verb: str) -> Iterator[Callable[[int], None]]:
        began = time.monotonic()
        moved = failures = 0

        def note(size: int) -> None:
            nonlocal moved
            moved = size

        try:
            yield note
        except Exception:
            failures = 1
            raise
        finally:
            seconds = time.monotonic() - began
            with self._turn:
                known = self._counts[verb]
                self._counts[verb] = VerbCount(
                    known.calls + 1, known.failures + failures, known.bytes + moved, known.seconds + seconds
                )
