"""What a store holds against what the catalogue says it holds: one walk through both, side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ChunkObject:
    """One object of a chunk in the store: chunk id, generation, length in bytes."""

    id: str
    generation: int
    size: int


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """What the catalogue says of a chunk; `is_live` is False for a tombstone."""

    id: str
    generation: int
    size: int
    is_live: bool


@dataclass(frozen=True, slots=True)
class Orphan:
    """Objects that no row knows, up to and with `generation`; `size` is what they take together."""

    id: str
    generation: int
    objects: int
    size: int


@dataclass(frozen=True, slots=True)
class Outdated:
    """An object of a live chunk which is not the one that counts; that one, `current`, is there too."""

    id: str
    generation: int
    current: int
    size: int


@dataclass(frozen=True, slots=True)
class Misnoted:
    """A live chunk that is there otherwise than noted: this generation, this size. Nothing is wrong with the bytes."""

    id: str
    generation: int
    size: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A live chunk without any object: backups that need it are damaged."""

    id: str


Finding = Orphan | Outdated | Misnoted | Missing


def compare(objects: Iterable[ChunkObject], rows: Iterable[ChunkRow]) -> Iterator[Finding]:
    """What does not agree.

    Args:
        objects: all of the store, those of one chunk together, in the order of chunk ids.
        rows: all of the catalogue for this store, in the same order.
    """
    stored = _Ahead((chunk, list(same)) for chunk, same in groupby(objects, key=lambda each: each.id))
    known = _Ahead(iter(rows))
    while stored.next is not None or known.next is not None:
        there, row = stored.next, known.next
        if row is None or (there is not None and there[0] < row.id):
            assert there is not None  # noqa: S101 - one of both is left
            yield _orphan(there[1])
            stored.step()
        elif there is None or row.id < there[0]:
            if row.is_live:
                yield Missing(row.id)
            known.step()
        else:
            yield from _disagreements(there[1], row)
            stored.step()
            known.step()


def _disagreements(objects: list[ChunkObject], row: ChunkRow) -> Iterator[Finding]:
    if not row.is_live:
        # Those up to the tombstone's generation go with it.
        later = [each for each in objects if each.generation > row.generation]
        if later:
            yield _orphan(later)
        return
    current = next((each for each in objects if each.generation == row.generation), None)
    if current is None:
        newest = max(objects, key=lambda each: each.generation)
        yield Misnoted(row.id, newest.generation, newest.size)
        return
    if current.size != row.size:
        yield Misnoted(row.id, current.generation, current.size)
    for each in objects:
        if each is not current:
            yield Outdated(each.id, each.generation, current.generation, each.size)


def _orphan(objects: list[ChunkObject]) -> Orphan:
    return Orphan(
        objects[0].id,
        max(each.generation for each in objects),
        len(objects),
        sum(each.size for each in objects),
    )


class _Ahead(Iterator[_T]):
    """An iterator whose next element can be looked at."""

    def __init__(self, inner: Iterator[_T]) -> None:
        self._inner = inner
        self.next: _T | None = next(inner, None)

    def __next__(self) -> _T:
        if self.next is None:
            raise StopIteration
        found = self.next
        self.step()
        return found

    def step(self) -> None:
        """Go on to the one after."""
        self.next = next(self._inner, None)
