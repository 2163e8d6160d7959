"""A store in this process's memory, for tests and trials."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from rxbackup.errors import ObjectNotFound
from rxbackup.stores.base import StoredObject, StoreRecipe, check_name, check_prefix

_Shelf = dict[str, tuple[bytes, datetime]]
_shelves: dict[str, _Shelf] = {}


class MemoryStore:
    """Objects in a dictionary; stores opened under the same `label` share it."""

    kind = "memory"

    def __init__(self, label: str | None = None) -> None:
        self._label = label
        self._objects: _Shelf = {} if label is None else _shelves.setdefault(label, {})

    def describe(self) -> str:
        """The place, for people."""
        return "memory of this process"

    def recipe(self) -> StoreRecipe:
        """Opens the same objects, in this process only."""
        if self._label is None:
            self._label = f"unnamed-{id(self)}"
            _shelves[self._label] = self._objects
        return StoreRecipe("memory", {"label": self._label})

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        """Keep a copy of `content`."""
        check_name(name)
        if if_absent and name in self._objects:
            return False
        self._objects[name] = (bytes(content), datetime.now(UTC))
        return True

    def get(self, name: str) -> bytes:
        """The bytes that were put."""
        try:
            return self._objects[check_name(name)][0]
        except KeyError:
            raise ObjectNotFound(f"There is no object {name} in {self.describe()}.") from None

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects whose names begin with `prefix`, sorted by name."""
        check_prefix(prefix)
        for name in sorted(self._objects):
            if name.startswith(prefix):
                found = self.stat(name)
                if found is not None:
                    yield found

    def stat(self, name: str) -> StoredObject | None:
        """What is known about the object, or None."""
        entry = self._objects.get(check_name(name))
        return None if entry is None else StoredObject(name, len(entry[0]), entry[1])

    def delete(self, name: str) -> None:
        """Forget the object."""
        self._objects.pop(check_name(name), None)

    def close(self) -> None:
        """Nothing to let go of."""
