"""The interface of a store, and the one rule for object names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rxbackup.errors import UsageError

MAX_NAME_LENGTH = 255

_PART = r"[a-z0-9][a-z0-9._-]*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*", re.ASCII)
_PREFIX = re.compile(rf"(?:{_PART}/)*(?:{_PART})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store knows about one object.

    Attributes:
        name: the object's name.
        size: its length in bytes.
        modified_at: when it was written, with zone.
    """

    name: str
    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class StoreRecipe:
    """How to open a store: pickles, so that another process can open the same one.

    Attributes:
        kind: a key of `rxbackup.stores.opening.KINDS`.
        settings: what this kind needs (`local`: path). Never printed: later kinds hold credentials.
        system_url: address of the system database, for kinds that rest there.
        actor: on whose behalf, an email or `system`.
    """

    kind: str
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    system_url: str = field(default="", repr=False)
    actor: str = "system"


class Store(Protocol):
    """A place for objects.

    Every method may raise a subclass of `rxbackup.errors.StoreTrouble`, and `UsageError` for a bad name.
    An object is visible completely or not at all, and what was put survives a crash once `put` has returned.
    Where there is an object `a/b` there can be none called `a`: some stores keep `a` as a folder.
    """

    @property
    def kind(self) -> str:
        """The kind, as in `StoreRecipe`."""
        ...

    def describe(self) -> str:
        """The place, for people; holds no secret."""
        ...

    def recipe(self) -> StoreRecipe:
        """How to open this store in another process."""
        ...

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        """Write an object, replacing an older one unless `if_absent`.

        Returns:
            True if written; False only with `if_absent`, when an object of that name is there already.
        """
        ...

    def get(self, name: str) -> bytes:
        """The whole object. Raises `ObjectNotFound`."""
        ...

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects whose names begin with `prefix`, sorted by name."""
        ...

    def stat(self, name: str) -> StoredObject | None:
        """What is known about the object, or None if there is none."""
        ...

    def delete(self, name: str) -> None:
        """Remove the object; nothing happens if there is none."""
        ...

    def close(self) -> None:
        """Let go of connections. The store may be used again and then reconnects."""
        ...


def check_name(name: str) -> str:
    """Return `name` if it may name an object.

    Lower-case letters, digits, `-`, `.`, `_`, and `/` between parts that begin with a letter or digit: so no `..`,
    no hidden file, no absolute path, and nothing that two file systems could spell differently.

    Raises:
        UsageError: it may not.
    """
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        raise UsageError(f"{name[:80]!r} cannot name an object in a store.")
    return name


def check_prefix(prefix: str) -> str:
    """Return `prefix` if object names may begin with it; raises `UsageError` otherwise."""
    if len(prefix) > MAX_NAME_LENGTH or not _PREFIX.fullmatch(prefix):
        raise UsageError(f"No object name can begin with {prefix[:80]!r}.")
    return prefix
