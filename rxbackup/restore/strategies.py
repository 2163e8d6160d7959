"""How rows are set right in spite of foreign keys, unique keys and rings. Runs inside the restore's transaction.

Deletes first, children before parents: what is too much may hold a unique value that a row takes back. Then, parents
before children, updates and inserts. Three things need more care:

- A row that stays but refers to a parent that goes is turned to its new parent first. Otherwise the deletion would be
  refused, or cascade to the row and on to whatever refers to it.
- A row that holds a unique value which another row takes back is deleted and inserted anew.
- Where no order suits (rings, turned rows), foreign keys are made deferrable for the length of the transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from rxbackup import errors
from rxbackup.postgres import broken_keys, reconcile, references
from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.introspection import Catalogue, ForeignKey
from rxbackup.postgres.reconcile import Staged
from rxbackup.restore.plan import RestorePlan, TargetTable


@dataclass(slots=True)
class Changes:
    """What was done to one table, in rows, and how long it took."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class LooseKeys:
    """Makes foreign keys deferrable for the length of the transaction, and gives them back as they were.

    Needs ACCESS EXCLUSIVE on the table for a moment, which keeps readers away: so it is done only where rows need it.
    """

    conn: Connection
    catalogue: Catalogue
    loosened: list[ForeignKey] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            for key in self.loosened:
                self._alter(key, "NOT DEFERRABLE")

    def loosen(self, key: ForeignKey) -> None:
        """Make one key deferrable and deferred; nothing to do if it is."""
        if not key.deferrable and key not in self.loosened:
            self._alter(key, "DEFERRABLE INITIALLY DEFERRED")
            self.loosened.append(key)

    def _alter(self, key: ForeignKey, how: str) -> None:
        references.alter_foreign_key(self.conn, self.catalogue.by_oid[key.table], key, how)


def _uniques(target: TargetTable, staged: Staged) -> list[tuple[str, ...]]:
    """The unique keys, other than the one that names a row, by which a row may be in another's way."""
    if not staged.key:
        return []
    names = set(staged.names)
    return [
        k.columns
        for k in target.table.unique_keys
        if not k.deferrable and k.columns != staged.key and set(k.columns) <= names
    ]


@dataclass(slots=True)
class Reconciliation:
    """Makes every target of a plan hold the rows of its stage, by the plan's mode."""

    conn: Connection
    plan: RestorePlan
    staged: Mapping[int, Staged]
    catalogue: Catalogue
    loose: LooseKeys
    _turning: set[ForeignKey] = field(default_factory=set)
    _replaced: set[int] = field(default_factory=set)

    def run(self, *, on_table: Callable[[str], None]) -> dict[int, Changes]:
        """Set all targets right. Returns what was done, by oid."""
        changes = {target.table.oid: Changes() for target in self.plan.targets}
        self._loosen()
        if self.plan.mode == "exact":
            self._remove(changes, on_table)
        for target in self._written():
            on_table(f"Writing rows of {target.name}")
            with _timed(changes[target.table.oid]) as change:
                self._write(target, change)
        return changes

    def _written(self) -> list[TargetTable]:
        return [t for t in self.plan.targets if not self.staged[t.table.oid].calm]

    def _remove(self, changes: Mapping[int, Changes], on_table: Callable[[str], None]) -> None:
        for key in self.plan.inside:
            changes[key.table].changed += self._turn(key)
        for target in reversed(self._written()):
            on_table(f"Removing rows from {target.name}")
            with _timed(changes[target.table.oid]) as change:
                change.removed = reconcile.delete_extra(self.conn, self.staged[target.table.oid])

    def _loosen(self) -> None:
        """Loosen every key that must wait, before anything is written: no table with checks to come may be altered."""
        self._loosen_rings()
        if self.plan.mode == "exact":
            for key in self.plan.inside:
                if self._turns(key):
                    self._turning.add(key)
                    self.loose.loosen(key)
        for target in self._written() if self.plan.mode != "missing" else ():
            if self._replaces(target):
                for key in self._pulling(target):
                    if self._can_wait(key):
                        self.loose.loosen(key)

    def _replaces(self, target: TargetTable) -> bool:
        """Whether rows of a table must be deleted and inserted anew."""
        staged = self.staged[target.table.oid]
        if not staged.key:
            return self.plan.mode == "exact" and reconcile.difference(self.conn, staged).extra > 0
        if not self._in_the_way(target, staged) and not reconcile.count_unsettable(self.conn, staged):
            return False
        self._replaced.add(target.table.oid)
        return True

    def _loosen_rings(self) -> None:
        """Loosen the keys of a ring if any of its tables has rows to write."""
        busy = {
            oid: not reconcile.difference(self.conn, self.staged[oid]).nothing
            for oid in {oid for key in self.plan.rings for oid in (key.table, key.referenced)}
        }
        for key in sorted(self.plan.rings, key=lambda k: (k.table, k.name)):
            if busy[key.table] or busy[key.referenced]:
                self.loose.loosen(key)

    def _turns(self, key: ForeignKey) -> bool:
        """Whether there are rows to turn to another parent."""
        child, parent = self.staged[key.table], self.staged[key.referenced]
        if child.calm or not child.key or not set(key.columns) <= set(child.settable):
            return False
        if not broken_keys.knows(parent, key.referenced_columns):
            return False  # no stage tells what PostgreSQL will compute; it refuses if a row would be left behind
        return references.count_leaving(self.conn, child, parent, key) > 0

    def _turn(self, key: ForeignKey) -> int:
        """Turn rows to the parent they will have. Returns how many are as they shall be by that alone."""
        if key not in self._turning:
            return 0
        child, parent = self.staged[key.table], self.staged[key.referenced]
        same_before = reconcile.count_same(self.conn, child)
        references.turn_leaving(self.conn, child, parent, key)
        return reconcile.count_same(self.conn, child) - same_before

    def _write(self, target: TargetTable, change: Changes) -> None:
        staged = self.staged[target.table.oid]
        if self.plan.mode == "missing":
            change.added = reconcile.insert_missing(self.conn, staged)
            return
        replaced = self._clear_the_way(target, staged)
        if not staged.key and self.plan.mode == "exact":
            # A parent that was replaced may have emptied references here; without a key no UPDATE finds such a row.
            replaced += reconcile.delete_extra(self.conn, staged)
        # A row may be set to refer to a row of its own table that comes back: that one first.
        if any(k.table == k.referenced == target.table.oid for k in self.plan.inside):
            inserted = reconcile.insert_missing(self.conn, staged)
            updated = reconcile.update_changed(self.conn, staged)
        else:
            updated = reconcile.update_changed(self.conn, staged)
            inserted = reconcile.insert_missing(self.conn, staged)
        change.added = inserted - replaced
        change.changed += updated + replaced

    def _clear_the_way(self, target: TargetTable, staged: Staged) -> int:
        """Delete rows that must be inserted anew because UPDATE cannot set them right. Returns how many."""
        if target.table.oid not in self._replaced:
            return 0
        in_the_way = self._in_the_way(target, staged)
        if not in_the_way and not reconcile.count_unsettable(self.conn, staged):
            return 0
        self._refuse_to_pull_away(target)
        deleted = sum(reconcile.delete_in_the_way(self.conn, staged, unique) for unique in in_the_way)
        return deleted + reconcile.delete_unsettable(self.conn, staged)

    def _in_the_way(self, target: TargetTable, staged: Staged) -> list[tuple[str, ...]]:
        """The unique keys of which rows hold a value that another row takes back."""
        return [u for u in _uniques(target, staged) if reconcile.count_in_the_way(self.conn, staged, u)]

    def _comes_right_later(self, key: ForeignKey) -> bool:
        """Whether rows that a key acts on are set right afterwards anyway, with nothing beyond them to be hit."""
        order = [t.table.oid for t in self.plan.targets]
        return (
            # In the other modes rows stay that no stage has: what is done to those, nothing would set right.
            self.plan.mode == "exact"
            and key in self.plan.inside
            and not self.plan.from_outside
            and key.on_delete in "cnd"
            and order.index(key.table) >= order.index(key.referenced)
        )

    def _can_wait(self, key: ForeignKey) -> bool:
        return key.on_delete == "a" and (key in self.plan.inside or key.deferrable)

    def _pulling(self, target: TargetTable) -> Iterator[ForeignKey]:
        """The keys onto a table whose rows are replaced, and onto those whose rows go with them for a while."""
        by_oid = {each.table.oid: each for each in self.plan.targets}
        for key in (*self.plan.inside, *self.plan.from_outside):
            if key.referenced == target.table.oid:
                yield key
                if key.on_delete == "c" and key.table != target.table.oid and self._comes_right_later(key):
                    yield from self._pulling(by_oid[key.table])

    def _refuse_to_pull_away(self, target: TargetTable) -> None:
        """Refuse where a key onto a table whose rows are about to be replaced acts at once."""
        for key in self._pulling(target):
            if self._can_wait(key) or self._comes_right_later(key):
                continue
            child, parent = self.catalogue.by_oid[key.table], self.staged[key.referenced]
            if references.count_referring(self.conn, child, parent, key):
                raise errors.PlanRefused(
                    f"Rows of {target.name} swapped values that must be unique, and {child.qualified} refers to "
                    f"{parent.table.qualified} by the foreign key {key.name}, which acts at once. Nothing was changed.",
                    hint="Clear the swapped values by hand (for example set them to something else), then restore.",
                )


class _timed:  # noqa: N801 - reads as a word in `with _timed(change):`
    def __init__(self, change: Changes) -> None:
        self._change = change
        self._began = time.monotonic()

    def __enter__(self) -> Changes:
        return self._change

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._change.seconds += time.monotonic() - self._began
