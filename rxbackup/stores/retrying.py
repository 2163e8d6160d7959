"""A store that tries again what a network may have lost, within bounds.

Only `StoreUnavailable` is tried again: a wrong key, a missing bucket or a full disk stay what they are, and asking
again only costs time. Delays grow, with jitter, so that many workers do not come back at the same moment.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from rxbackup.errors import StoreMissing, StoreUnavailable
from rxbackup.stores.base import Store, StoredObject, StoreRecipe

_log = logging.getLogger(__name__)

_FIRST_DELAY = 0.25
_LONGEST_DELAY = 15.0
_PATIENCE = 60.0

_Answer = TypeVar("_Answer")


class RetryingStore:
    """The same store, with more patience.

    Args:
        inner: where the calls go.
        patience: seconds since the first failure after which a failure stands; at least one retry is made.
        sleep: how to wait; a test's own clock.
    """

    def __init__(
        self, inner: Store, *, patience: float = _PATIENCE, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.inner = inner
        self._patience = patience
        self._sleep = sleep

    @property
    def kind(self) -> str:
        """The kind of the store inside."""
        return self.inner.kind

    def describe(self) -> str:
        """The place, for people."""
        return self.inner.describe()

    def recipe(self) -> StoreRecipe:
        """Opens the store inside, and this around it again."""
        return self.inner.recipe()

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        """Write. After a failure with `if_absent`, an equal object that is there counts as the one we wrote."""
        doubtful = False

        def attempt() -> bool:
            nonlocal doubtful
            try:
                written = self.inner.put(name, content, if_absent=if_absent)
            except StoreUnavailable:
                # Perhaps it was written and only the answer was lost.
                doubtful = True
                raise
            return written or (doubtful and self.inner.get(name) == content)

        return self._patiently(attempt, f"write {name}")

    def get(self, name: str) -> bytes:
        """The whole object."""
        return self._patiently(lambda: self.inner.get(name), f"read {name}")

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects in order. A listing that broke off begins again, and goes on after the last name given."""
        last = ""
        pages: Iterator[StoredObject] | None = None

        def attempt() -> StoredObject | None:
            nonlocal pages
            try:
                if pages is None:
                    pages = self.inner.list(prefix)
                return next((found for found in pages if found.name > last), None)
            except StoreUnavailable:
                pages = None
                raise

        while (found := self._patiently(attempt, "list")) is not None:
            last = found.name
            yield found

    def stat(self, name: str) -> StoredObject | None:
        """What is known about the object, or None."""
        return self._patiently(lambda: self.inner.stat(name), f"look at {name}")

    def delete(self, name: str) -> None:
        """Remove the object."""
        self._patiently(lambda: self.inner.delete(name), f"delete {name}")

    def close(self) -> None:
        """Let go of connections."""
        self.inner.close()

    def _patiently(self, attempt: Callable[[], _Answer], doing: str) -> _Answer:
        delay, waited = _FIRST_DELAY, 0.0
        began = time.monotonic()
        while True:
            try:
                return attempt()
            except StoreMissing:
                raise
            except StoreUnavailable as error:
                left = self._patience - max(waited, time.monotonic() - began)
                if waited and left <= 0:
                    raise
                pause = delay * random.uniform(0.5, 1.5)  # noqa: S311 - jitter is no secret
                pause = min(pause, max(left, _FIRST_DELAY))
                _log.warning("%s Trying again in %.1f s (%s).", error.message, pause, doing)
                self._sleep(pause)
                waited += pause
                delay = min(delay * 2, _LONGEST_DELAY)
