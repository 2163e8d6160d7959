"""Leave rows as they are where foreign and unique keys ask for it, or somebody does.

Rows are left alone in the stage (`postgres/left_alone.py`), so that the rest of the restore, and its proof, need not
know. One row calls for others:

- A row of the backup whose parent will not be there is left as it is now: it does not come back, or stays.
- A live row that rows outside the choice refer to, and that would be deleted or changed under them, is left as it is.
- The parents of a live row that is left as it is are left as they are, if the backup does not have them.
- A row of the backup that needs a unique value which a row left as it is holds, is left as it is now.

A row is never taken back, so this ends: at the latest when everything is as it is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rxbackup import errors
from rxbackup.postgres import broken_keys, left_alone
from rxbackup.postgres.broken_keys import Rows
from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.introspection import Catalogue, ForeignKey
from rxbackup.postgres.reconcile import Staged
from rxbackup.restore.plan import KeptRow, RestorePlan, TargetTable


@dataclass(slots=True)
class SettingAside:
    """Works on the stages of one restore, before anything of its targets is touched.

    Attributes:
        left: targets, by oid, of which rows are left as they are.
        counts: how many, by oid, because of keys.
        grown: by how many rows each stage, by oid, has grown.
    """

    conn: Connection
    plan: RestorePlan
    staged: Mapping[int, Staged]
    catalogue: Catalogue
    left: set[int] = field(default_factory=set)
    counts: dict[int, int] = field(default_factory=dict)
    grown: dict[int, int] = field(default_factory=dict)

    def run(self) -> None:
        """Leave alone what the plan's request says, and what follows from that.

        Raises:
            errors.PlanRefused: a row to keep is named by a column that is not there.
        """
        with left_alone.without_nested_loops(self.conn):
            self._leave_alone()

    def _leave_alone(self) -> None:
        new = self._asked_for()
        if self.plan.request.set_aside:
            new |= self._at_the_border()
        while new:
            for oid in sorted(new):
                self.grown[oid] = self.grown.get(oid, 0) + left_alone.exchange(self.conn, self.staged[oid])
            new = self._following(new)
        for oid in self.left:
            self.counts[oid] = left_alone.count_set_aside(self.conn, self.staged[oid])

    def _asked_for(self) -> set[int]:
        new = set()
        for kept in self.plan.request.keep:
            target = next((t for t in self.plan.targets if t.name == kept.table), None)
            if target is not None and self._keep(target, kept):
                new.add(target.table.oid)
        return new

    def _keep(self, target: TargetTable, kept: KeptRow) -> bool:
        staged = self.staged[target.table.oid]
        if not broken_keys.knows(staged, [kept.column]):
            raise errors.PlanRefused(
                f"{target.name} has no column {kept.column} by which rows could be kept. Nothing was changed.",
                hint="Look at the plan again, then restore.",
            )
        found = False
        for table in (staged.source, staged.at_stake):
            rows = left_alone.holding(table, kept.column, kept.value)
            found |= self._note(target.table.oid, "t", rows, asked=True)
        return found

    def _at_the_border(self) -> set[int]:
        """Note what speaks against the restore as it is, of itself."""
        plan, found = self.plan, set()
        for key in plan.from_outside:
            outside = self.catalogue.by_oid[key.table]
            rows = broken_keys.orphaned(outside, self.staged[key.referenced], key, plan.mode)
            found |= self._noted(key.referenced, "t", rows)
        for key in plan.to_outside:
            outside = self.catalogue.by_oid[key.referenced]
            rows = broken_keys.parentless(self.staged[key.table], outside, key, plan.mode)
            found |= self._noted(key.table, "s", rows)
        for key in inside_keys_at_stake(plan, self.staged):
            child, parent = self.staged[key.table], self.staged[key.referenced]
            found |= self._noted(key.table, "s", broken_keys.parentless(child, parent, key, plan.mode))
            found |= self._noted(key.referenced, "t", broken_keys.changed_under_newer(child, parent, key, plan.mode))
        for target in plan.targets:
            staged = self.staged[target.table.oid]
            for unique in unique_keys(target, staged):
                found |= self._noted(target.table.oid, "s", broken_keys.clashing(staged, unique, plan.mode))
        return found

    def _following(self, new: Iterable[int]) -> set[int]:
        """Note what follows from the rows of these targets, by oid, that were left alone last."""
        plan, found, new = self.plan, set(), set(new)
        for key in plan.inside:
            child, parent = self.staged[key.table], self.staged[key.referenced]
            if key.table in new:
                found |= self._noted(key.referenced, "q", broken_keys.parents_of_noted(child, parent, key, plan.mode))
            if key.referenced in new:
                rows = broken_keys.parents_of_untouched(child, parent, key, plan.mode)
                found |= self._noted(key.referenced, "q", rows)
                if plan.request.set_aside:
                    found |= self._noted(key.table, "s", broken_keys.left_parentless(child, parent, key, plan.mode))
        if plan.request.set_aside:
            for target in plan.targets:
                if target.table.oid in new:
                    staged = self.staged[target.table.oid]
                    for unique in unique_keys(target, staged):
                        rows = broken_keys.clashing_with_noted(staged, unique, plan.mode)
                        found |= self._noted(target.table.oid, "s", rows)
        return found

    def _noted(self, oid: int, alias: str, rows: Rows | None) -> set[int]:
        return {oid} if rows is not None and self._note(oid, alias, rows) else set()

    def _note(self, oid: int, alias: str, rows: Rows, *, asked: bool = False) -> bool:
        if oid not in self.left:
            left_alone.create_notes(self.conn, self.staged[oid])
            self.left.add(oid)
        return left_alone.note(self.conn, self.staged[oid], alias, rows, asked=asked) > 0


def inside_keys_at_stake(plan: RestorePlan, staged: Mapping[int, Staged]) -> list[ForeignKey]:
    """Foreign keys between targets that rows may break although the backup is whole, because other rows stay.

    Not those onto what names a row: each row of the backup is there afterwards, by that name.
    """
    if plan.mode == "exact":
        return []
    return [k for k in plan.inside if not set(k.referenced_columns) <= set(staged[k.referenced].key)]


def unique_keys(target: TargetTable, staged: Staged) -> list[tuple[str, ...]]:
    """The unique keys, other than the one that names a row, by which rows may clash."""
    return [
        k.columns for k in target.table.unique_keys if k.columns != staged.key and broken_keys.knows(staged, k.columns)
    ]
