"""Maintenance: large tables that must be loaded anew are emptied and rebuilt, locked meanwhile for readers too.

Emptied all at once by TRUNCATE, without their secondary indexes and without the foreign keys onto and from them; filled
straight from the backup; and given back indexes and keys as they were. All that in the restore's one transaction: if
anything fails, nothing has happened. The other tables of the plan are set right row by row, as always.

What readers lose: a transaction that took its snapshot before and reads such a table only afterwards finds it empty.
That is PostgreSQL's rule for TRUNCATE.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from rxbackup import errors
from rxbackup.postgres import rebuilding
from rxbackup.postgres.connecting import Connection, translated
from rxbackup.postgres.introspection import Catalogue, ForeignKey
from rxbackup.postgres.rebuilding import Index, Link
from rxbackup.restore.damage import Damage
from rxbackup.restore.plan import RestorePlan, TargetTable
from rxbackup.restore.report import TableResult
from rxbackup.restore.staging import Staging


@dataclass(frozen=True, slots=True)
class Reloads:
    """What is loaded anew.

    Attributes:
        roots: oids of targets.
        tables: oids of those and of their partitions.
        links: foreign keys onto and from them.
    """

    roots: frozenset[int] = frozenset()
    tables: frozenset[int] = frozenset()
    links: tuple[Link, ...] = ()

    @property
    def locked(self) -> frozenset[int]:
        """Oids of all tables that readers are kept away from: a key is dropped at both its ends."""
        return self.tables | {oid for link in self.links for oid in (link.table, link.referenced)}


def choose_reloads(conn: Connection, plan: RestorePlan, catalogue: Catalogue, damage: Mapping[int, Damage]) -> Reloads:
    """The tables of a plan to be loaded anew: those that maintenance makes quicker and leaves as they were otherwise.

    Args:
        damage: of the targets, by oid, of which only a part differs.
    """
    request = plan.request
    if not request.maintenance or plan.mode != "exact" or request.set_aside:
        return Reloads()
    kept = _with_ancestors({k.table for k in request.keep}, plan)
    chosen = {
        t.table.oid
        for t in plan.targets
        if t.table.oid not in damage
        and t.name not in kept
        and t.is_large
        # A newer column keeps its values in rows that stay; rows that are loaded would lose them.
        and {c.name for c in t.columns} == {c.name for c in t.table.copied_columns}
    }
    roots = {t.oid: t.root for t in catalogue.tables}
    tables = frozenset(oid for oid, root in roots.items() if root in chosen)
    for link in rebuilding.read_links(conn, sorted(tables)):
        if not link.removable:
            chosen -= {roots.get(link.table, 0), roots.get(link.referenced, 0)}
    chosen -= {roots[oid] for oid in rebuilding.silently_truncated(conn, sorted(tables))}
    tables = frozenset(oid for oid in tables if roots[oid] in chosen)
    return Reloads(frozenset(chosen), tables, rebuilding.read_links(conn, sorted(tables)))


def _with_ancestors(names: AbstractSet[str], plan: RestorePlan) -> set[str]:
    """These tables, and those that they refer to, however far."""
    by_oid = {t.table.oid: t.name for t in plan.targets}
    found = set(names)
    while more := {by_oid[k.referenced] for k in plan.inside if by_oid[k.table] in found} - found:
        found |= more
    return found


@dataclass(slots=True)
class Reloading:
    """Loads tables anew, in the steps that the restore's transaction asks for."""

    conn: Connection
    plan: RestorePlan
    reloads: Reloads
    staging: Staging
    _indexes: tuple[Index, ...] = ()
    _removed: dict[int, int] = field(default_factory=dict)
    _seconds: dict[int, float] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[TargetTable, ...]:
        """Those that are loaded anew."""
        return tuple(t for t in self.plan.targets if t.table.oid in self.reloads.roots)

    @property
    def rest(self) -> RestorePlan:
        """The plan for the other tables. Keys that are off meanwhile are none of its business."""
        if not self.reloads.roots:
            return self.plan
        plan = self.plan
        return replace(
            plan,
            targets=tuple(t for t in plan.targets if t.table.oid not in self.reloads.roots),
            rings=frozenset(self._on(plan.rings)),
            inside=self._on(plan.inside),
            from_outside=self._on(plan.from_outside),
            to_outside=self._on(plan.to_outside),
        )

    def _on(self, keys: Iterable[ForeignKey]) -> tuple[ForeignKey, ...]:
        return tuple(k for k in keys if not {k.table, k.referenced} & self.reloads.roots)

    def fill(self) -> None:
        """Take keys and indexes off, empty the tables, and load the rows of the backup."""
        if not self.reloads.roots:
            return
        self.staging.report("Emptying the tables")
        for target in self.targets:
            self._removed[target.table.oid] = rebuilding.count_rows_of(self.conn, target.table)
        self._indexes = rebuilding.take_off(self.conn, sorted(self.reloads.tables), self.reloads.links)
        rebuilding.empty(self.conn, [t.table for t in self.targets])
        for target in self.targets:
            began = time.monotonic()
            # Rows of a partition go in at the top: its bounds may have moved since the backup.
            for entry in target.entries:
                self.staging.load(self.conn, target.table, entry, freeze=target.table.kind == "r")
            self.staging.tables += 1
            self._seconds[target.table.oid] = time.monotonic() - began

    def rebuild(self) -> None:
        """Give indexes and keys back. PostgreSQL refuses rows that do not keep them."""
        if not self.reloads.roots:
            return
        rebuilding.give_memory(self.conn)
        for index in self._indexes:
            self.staging.report(f"Building the index {index.name}")
            rebuilding.rebuild_index(self.conn, index)
        for link in self.reloads.links:
            self.staging.report(f"Checking the foreign key {link.name}")
            rebuilding.rebuild_link(self.conn, link)

    def results(self) -> dict[str, TableResult]:
        """Count the rows against the backup, before anybody else can see them. Returns what was done, by name.

        Raises:
            errors.DatabaseRefused: rows are missing, or too many.
        """
        results = {}
        for target in self.targets:
            oid, wanted = target.table.oid, target.backup_rows
            with translated(f"counting the rows of {target.name}"):
                found = rebuilding.count_rows_of(self.conn, target.table)
            if found != wanted:
                raise errors.DatabaseRefused(
                    f"{target.name} would hold {found} rows after the restore, not {wanted}. Nothing was changed.",
                    hint="Something in the database drops or adds rows as they are written. Look for triggers on it.",
                )
            results[target.name] = TableResult(
                wanted, 0, self._removed[oid], wanted, round(self._seconds[oid], 3), reloaded=True
            )
        return results
