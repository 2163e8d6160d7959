"""A chunk that was collected comes back as a later generation, and readers take whichever is intact."""

from __future__ import annotations

import pickle

import pytest

from rxbackup.errors import ChunkCorrupt, ChunkMissing
from rxbackup.stores.base import Store, StoredObject
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.vault import Vault, open_vault
from tests.support.faults import FailingStore
from tests.support.vaults import new_vault

ROWS = b"".join(b"%d\tasset %d\n" % (n, n) for n in range(2000))
CHANGED = ROWS.replace(b"asset 777\n", b"other 777\n")


class _Late(FailingStore):
    """Does not see an object when it first looks for it."""

    def __init__(self, inner: Store, unseen: str) -> None:
        super().__init__(inner, "")
        self._unseen: str | None = unseen

    def stat(self, name: str) -> StoredObject | None:
        if self._unseen and name.endswith(self._unseen):
            self._unseen = None
            return None
        return super().stat(name)


def _flip(vault: Vault, name: str) -> None:
    sealed = bytearray(vault.store.get(name))
    sealed[-1] ^= 1
    vault.store.put(name, bytes(sealed))


def test_a_retired_chunk_counts_as_absent_and_is_written_as_the_next_generation() -> None:
    vault = new_vault()
    old = vault.put_chunk(ROWS)
    for retired, generation in (({old.id: 0}, 1), ({old.id: 4}, 5)):
        new = vault.avoiding(retired).put_chunk(ROWS)
        assert (new.is_new, new.generation, new.object_name) == (
            True,
            generation,
            f"{old.object_name[:-1]}{generation}",
        )
    assert vault.put_chunk(ROWS).generation == 0
    vault.delete_chunk(old.id, 0)
    assert vault.get_chunk(old.id) == ROWS
    assert vault.check_chunk(old.id) > 0


def test_the_next_generation_is_not_written_twice() -> None:
    vault = new_vault()
    avoiding = vault.avoiding({vault.put_chunk(ROWS).id: 0})
    assert avoiding.put_chunk(ROWS).is_new
    again = avoiding.put_chunk(ROWS)
    assert (again.is_new, again.generation) == (False, 1)


def test_copy_processes_avoid_the_same() -> None:
    vault = new_vault(MemoryStore("copiers of this test"))
    old = vault.put_chunk(ROWS)
    recipe = pickle.loads(pickle.dumps(vault.avoiding({old.id: 0}).recipe()))
    assert open_vault(recipe).put_chunk(ROWS).generation == 1
    assert open_vault(vault.recipe()).put_chunk(ROWS).generation == 0


def test_what_replaces_an_object_is_kept_whole() -> None:
    # Backups that need the chunk already do not know what the newcomer would lean on.
    vault = new_vault()
    whole = vault.put_chunk(ROWS)
    difference = vault.put_chunk(CHANGED, anchor=whole.id)
    assert difference.anchor == whole.id
    later = vault.avoiding({difference.id: 0}).put_chunk(CHANGED, anchor=whole.id)
    assert (later.anchor, later.codec) == (None, "zstd")
    _flip(vault, difference.object_name)
    mended = vault.put_chunk(CHANGED, anchor=whole.id)
    assert (mended.is_new, mended.anchor, mended.generation) == (True, None, 0)
    vault.delete_chunk(whole.id, 0)
    assert vault.get_chunk(difference.id) == CHANGED


def test_a_difference_that_leans_on_something_retired_is_not_taken() -> None:
    vault = new_vault()
    whole = vault.put_chunk(ROWS)
    difference = vault.put_chunk(CHANGED, anchor=whole.id)
    again = vault.avoiding({whole.id: 0}).put_chunk(CHANGED)
    assert (again.is_new, again.anchor) == (True, None)
    vault.delete_chunk(whole.id, 0)
    assert vault.get_chunk(difference.id) == CHANGED


def test_nothing_new_leans_on_a_retired_anchor() -> None:
    vault = new_vault()
    whole = vault.put_chunk(ROWS)
    assert vault.avoiding({whole.id: 0}).put_chunk(CHANGED, anchor=whole.id).anchor is None
    came_back = vault.avoiding({whole.id: 0}).put_chunk(ROWS)
    other = ROWS.replace(b"asset 778\n", b"other 778\n")
    assert vault.avoiding({whole.id: 0}).put_chunk(other, anchor=whole.id).anchor == whole.id
    vault.delete_chunk(whole.id, 0)
    assert came_back.generation == 1
    assert vault.get_chunk(vault.put_chunk(other).id) == other


def test_an_anchor_is_taken_from_the_generation_that_counts() -> None:
    # Generation 0 leans on something that is about to go; generation 1 stands by itself.
    vault = new_vault()
    gone = vault.put_chunk(ROWS)
    middle = vault.put_chunk(CHANGED, anchor=gone.id)
    later = vault.avoiding({gone.id: 0, middle.id: 0})
    assert later.put_chunk(CHANGED).generation == 1
    other = CHANGED.replace(b"asset 778\n", b"other 778\n")
    leaning = later.put_chunk(other, anchor=middle.id)
    assert leaning.anchor == middle.id
    vault.delete_chunk(gone.id, 0)
    vault.delete_chunk(middle.id, 0)
    assert vault.get_chunk(leaning.id) == other


def test_a_lost_or_damaged_anchor_makes_the_next_chunk_whole_instead_of_failing() -> None:
    vault = new_vault()
    whole = vault.put_chunk(ROWS)
    _flip(vault, whole.object_name)
    assert vault.put_chunk(CHANGED, anchor=whole.id).anchor is None
    vault.delete_chunk(whole.id, 0)
    other = ROWS.replace(b"asset 778\n", b"other 778\n")
    assert vault.put_chunk(other, anchor=whole.id).anchor is None


def test_readers_fall_back_to_another_generation() -> None:
    vault = new_vault()
    whole = vault.put_chunk(ROWS)
    difference = vault.put_chunk(CHANGED, anchor=whole.id)
    vault.avoiding({whole.id: 0}).put_chunk(ROWS)
    _flip(vault, whole.object_name)
    assert vault.get_chunk(whole.id) == ROWS
    assert vault.get_chunk(difference.id) == CHANGED
    vault.store.put(whole.object_name, b"torn")
    assert vault.check_chunk(whole.id) > 4
    _flip(vault, f"{whole.object_name[:-1]}1")
    with pytest.raises(ChunkCorrupt):
        vault.get_chunk(whole.id)
    vault.delete_chunk(whole.id, 1)
    with pytest.raises(ChunkCorrupt):
        vault.check_chunk(whole.id)
    vault.delete_chunk(whole.id, 0)
    with pytest.raises(ChunkMissing):
        vault.get_chunk(whole.id)


def test_one_generation_can_be_looked_at() -> None:
    vault = new_vault()
    receipt = vault.put_chunk(ROWS)
    assert vault.is_intact(receipt.id, 0)
    assert not vault.is_intact(receipt.id, 1)
    _flip(vault, receipt.object_name)
    assert not vault.is_intact(receipt.id, 0)


def test_who_comes_second_reports_what_is_stored() -> None:
    # Both find nothing; the first keeps it whole, the second would have kept a difference.
    vault = new_vault()
    whole = vault.put_chunk(ROWS)

    changed = vault.put_chunk(CHANGED).id
    second = Vault(_Late(vault.store, f"{changed}-0"), vault._keys).put_chunk(CHANGED, anchor=whole.id)
    assert (second.is_new, second.anchor) == (False, None)
