"""Faults on order. A planted fault that never happens fails the test that planted it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self, TypeVar

from rxbackup.errors import StoreUnavailable
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
