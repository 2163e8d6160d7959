"""Faults on order. A planted fault that never happens fails the test that planted it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Self, TypeVar

from rxbackup.errors import ObjectNotFound, StoreUnavailable
from rxbackup.stores.base import Store, StoredObject, StoreRecipe

_Answer = TypeVar("_Answer")


class FailingStore:
    """A store whose calls fail by a script: one letter a call, `o` for success, `X` for failure; then success.

    Args:
        inner: where the calls go.
        script: for example `ooX`: the third call fails.
        verbs: which calls count; the others always succeed.
        error: what a failing call raises.
        after: the failing call is carried out first, and only its answer is lost.

    Use it as a context manager: leaving it asserts that every planted fault happened.
    """

    kind = "failing"

    def __init__(
        self,
        inner: Store,
        script: str,
        *,
        verbs: tuple[str, ...] = ("put",),
        error: Callable[[], Exception] = lambda: StoreUnavailable("planted"),
        after: bool = False,
    ) -> None:
        self._inner = inner
        self._script = list(script)
        self._verbs = verbs
        self._error = error
        self._after = after

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            assert "X" not in self._script, f"planted faults never happened: {''.join(self._script)}"

    def describe(self) -> str:
        return f"failing {self._inner.describe()}"

    def recipe(self) -> StoreRecipe:
        raise AssertionError("a failing store stays in its process")

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        return self._pass("put", lambda: self._inner.put(name, content, if_absent=if_absent))

    def get(self, name: str) -> bytes:
        return self._pass("get", lambda: self._inner.get(name))

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        return self._pass("list", lambda: self._inner.list(prefix))

    def stat(self, name: str) -> StoredObject | None:
        return self._pass("stat", lambda: self._inner.stat(name))

    def delete(self, name: str) -> None:
        self._pass("delete", lambda: self._inner.delete(name))

    def close(self) -> None:
        self._inner.close()

    def _pass(self, verb: str, call: Callable[[], _Answer]) -> _Answer:
        fails = verb in self._verbs and bool(self._script) and self._script.pop(0) == "X"
        if fails and self._after:
            call()
        if fails:
            raise self._error()
        return call()


class BentStore:
    """A store whose answers are bent. Leaving it as a context manager asserts that they were, at least once."""

    kind = "bent"

    def __init__(self, inner: Store, *, only: str = "") -> None:
        self.inner = inner
        self.fired = 0
        self._only = only

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            assert self.fired, f"the planted fault of {type(self).__name__} never happened"

    def _fires(self, name: str = "") -> bool:
        """Whether it is to happen now; `only` is in the names of the objects that it happens to."""
        if self._only not in name:
            return False
        self.fired += 1
        return True

    def describe(self) -> str:
        return f"bent {self.inner.describe()}"

    def recipe(self) -> StoreRecipe:
        raise AssertionError("a bent store stays in its process")

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        return self.inner.put(name, content, if_absent=if_absent)

    def get(self, name: str) -> bytes:
        return self.inner.get(name)

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        return self.inner.list(prefix)

    def stat(self, name: str) -> StoredObject | None:
        return self.inner.stat(name)

    def delete(self, name: str) -> None:
        self.inner.delete(name)

    def close(self) -> None:
        self.inner.close()


class SlowStore(BentStore):
    """Every read waits."""

    def __init__(self, inner: Store, *, seconds: float, only: str = "") -> None:
        super().__init__(inner, only=only)
        self._seconds = seconds

    def get(self, name: str) -> bytes:
        if self._fires(name):
            time.sleep(self._seconds)
        return super().get(name)


class TruncatingStore(BentStore):
    """Reads end early, as if the object ended there. `keep` is the share that is left."""

    def __init__(self, inner: Store, *, keep: float = 0.5, only: str = "") -> None:
        super().__init__(inner, only=only)
        self._keep = keep

    def get(self, name: str) -> bytes:
        content = super().get(name)
        return content[: int(len(content) * self._keep)] if self._fires(name) else content


class ForgettingStore(BentStore):
    """Says that it wrote, and did not."""

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        return True if self._fires(name) else super().put(name, content, if_absent=if_absent)


class FlippingStore(BentStore):
    """One bit of what is read is another."""

    def get(self, name: str) -> bytes:
        content = bytearray(super().get(name))
        if content and self._fires(name):
            content[len(content) // 2] ^= 4
        return bytes(content)


class SwappingStore(BentStore):
    """Gives the object that was asked for before."""

    def __init__(self, inner: Store, *, only: str = "") -> None:
        super().__init__(inner, only=only)
        self._before: bytes | None = None

    def get(self, name: str) -> bytes:
        content = super().get(name)
        if self._only not in name:
            return content
        before, self._before = self._before, content
        return before if before is not None and self._fires(name) else content


class StaleStore(BentStore):
    """Gives the first content that an object ever had, to reads after it was replaced."""

    def __init__(self, inner: Store, *, only: str = "") -> None:
        super().__init__(inner, only=only)
        self._first: dict[str, bytes] = {}

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        self._first.setdefault(name, bytes(content))
        return super().put(name, content, if_absent=if_absent)

    def get(self, name: str) -> bytes:
        content = super().get(name)
        first = self._first.get(name, content)
        return first if first != content and self._fires(name) else content


class InventingStore(BentStore):
    """Reads something where nothing is."""

    def get(self, name: str) -> bytes:
        try:
            return super().get(name)
        except ObjectNotFound:
            if not self._fires(name):
                raise
            return b"<html>Welcome</html>"


class BlindStore(BentStore):
    """Does not list what was written last."""

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        found = list(super().list(prefix))
        return iter(found[:-1] if found and self._fires() else found)


class MismeasuringStore(BentStore):
    """Tells a wrong size."""

    def stat(self, name: str) -> StoredObject | None:
        found = super().stat(name)
        return replace(found, size=found.size + 1) if found and self._fires(name) else found


class CarelessStore(BentStore):
    """Ignores `if_absent`, as a server does that does not know the header."""

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        if if_absent:
            self._fires(name)
        return super().put(name, content)


class KeepingStore(BentStore):
    """Says that it deleted, and did not."""

    def delete(self, name: str) -> None:
        if not self._fires(name):
            super().delete(name)


class LateStore(BentStore):
    """Its clock is wrong."""

    def __init__(self, inner: Store, *, by: timedelta = timedelta(hours=1), only: str = "") -> None:
        super().__init__(inner, only=only)
        self._by = by

    def stat(self, name: str) -> StoredObject | None:
        found = super().stat(name)
        return replace(found, modified_at=found.modified_at + self._by) if found and self._fires(name) else found
