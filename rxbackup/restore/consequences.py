"""What foreign and unique keys speak against, as values: found before anything is touched."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from rxbackup import errors
from rxbackup.postgres import broken_keys, left_alone
from rxbackup.postgres.broken_keys import Rows, count_rows
from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.introspection import Catalogue, Table
from rxbackup.postgres.reconcile import Staged
from rxbackup.restore.plan import RestorePlan, TargetTable
from rxbackup.restore.setting_aside import inside_keys_at_stake, unique_keys

_FATES = {
    "c": "they would be deleted with it",
    "n": "they would lose their reference",
    "d": "they would get another reference",
}
_ABSENT = "not in this backup (it is newer, or was left out of it)"
_MODES = {
    "exact": "Make the tables exactly as they were",
    "missing": "Only put back what is missing",
    "changed": "Put back what is missing or changed, and leave newer rows",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody can do about a consequence.

    Attributes:
        kind: "add-group" or "skip-group" (value: the group's name), "add-table" or "skip-table" (the same where single
            tables were chosen; value: the table's qualified name), "mode" (value: the mode) or "set-aside" (no value).
        label: the same in words.
    """

    kind: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a key would do to rows. The restore is refused while there is one.

    Attributes:
        kind: "orphans" (rows of `table` that stay would lose rows of `other` that they refer to), "parentless" (rows of
            `table` in the backup refer to rows of `other` that will not be there) or "clash" (rows of `table` cannot
            come back because rows that stay hold values that must be unique).
        table, other: qualified names; the same for a clash.
        rows: how many rows of `table` that is.
    """

    kind: str
    table: str
    other: str
    rows: int
    message: str
    hint: str
    choices: tuple[Choice, ...] = ()


def refuse(consequences: Collection[Consequence]) -> None:
    """Raise errors.PlanRefused with every one in words, if there is one."""
    if consequences:
        raise errors.PlanRefused(
            " ".join(c.message for c in consequences) + " Nothing was changed.",
            hint=" ".join(dict.fromkeys(c.hint for c in consequences)),
        )


def find_consequences(
    conn: Connection,
    plan: RestorePlan,
    staged: Mapping[int, Staged],
    catalogue: Catalogue,
    *,
    left: Collection[int] = (),
) -> tuple[Consequence, ...]:
    """Find every foreign key that would break, or act on rows that are not restored, and every unique key that would.

    Args:
        staged: the stage of each target, by oid.
        left: targets, by oid, of which rows are left as they are.
    """
    search = _Search(conn, plan, staged, catalogue, frozenset(left))
    with left_alone.without_nested_loops(conn):
        inside = tuple(search.inside())
    return (*search.orphans(), *search.parentless(), *inside, *search.clashes())


@dataclass(frozen=True, slots=True)
class _Search:
    conn: Connection
    plan: RestorePlan
    staged: Mapping[int, Staged]
    catalogue: Catalogue
    left: frozenset[int]

    def orphans(self) -> Iterator[Consequence]:
        for key in self.plan.from_outside:
            child, parent = self.catalogue.by_oid[key.table], self.staged[key.referenced]
            rows = self._count(broken_keys.orphaned(child, parent, key, self.plan.mode))
            if not rows:
                continue
            absent = child.qualified not in self.plan.in_backup
            fate = _FATES.get(key.on_delete, "they would refer to nothing")
            helps = [
                m
                for m in ("changed", "missing")
                if m != self.plan.mode and not self._count(broken_keys.orphaned(child, parent, key, m))
            ]
            yield Consequence(
                "orphans",
                child.qualified,
                parent.table.qualified,
                rows,
                f"{child.qualified} is {_ABSENT if absent else 'not restored'}, and {rows} of its rows refer to rows "
                f"of {parent.table.qualified} that the backup does not have ({fate}).",
                f"Remove those rows of {child.qualified} ({rows}), or let them refer to other rows, then restore again."
                if absent
                else self._together(),
                self._choices(child, parent.table, helps),
            )

    def parentless(self) -> Iterator[Consequence]:
        for key in self.plan.to_outside:
            outside, child = self.catalogue.by_oid[key.referenced], self.staged[key.table]
            rows = self._count(broken_keys.parentless(child, outside, key, self.plan.mode))
            if not rows:
                continue
            absent = outside.qualified not in self.plan.in_backup
            less = self.plan.mode != "missing" and not self._count(
                broken_keys.parentless(child, outside, key, "missing")
            )
            yield Consequence(
                "parentless",
                child.table.qualified,
                outside.qualified,
                rows,
                f"{rows} rows of {child.table.qualified} refer to rows of {outside.qualified} that are no longer "
                f"there, and that table is {_ABSENT if absent else 'not restored'}.",
                f"Put the missing rows into {outside.qualified} first, or leave out the group of "
                f"{child.table.qualified}."
                if absent
                else self._together(),
                self._choices(outside, child.table, ["missing"] if less else []),
            )

    def inside(self) -> Iterator[Consequence]:
        """Rows that would lose each other although both tables are restored, because other rows stay as they are."""
        at_stake = inside_keys_at_stake(self.plan, self.staged)
        for key in self.plan.inside:
            if key not in at_stake and key.referenced not in self.left:
                continue
            child, parent = self.staged[key.table], self.staged[key.referenced]
            names = (child.table.qualified, parent.table.qualified)
            rows = self._count(broken_keys.parentless(child, parent, key, self.plan.mode))
            if rows:
                yield self._stuck(
                    "parentless",
                    *names,
                    rows,
                    f"{rows} rows of {names[0]} refer to rows of {names[1]} that do not come back as they were, "
                    "because rows there stay as they are.",
                )
            rows = self._count(broken_keys.changed_under_newer(child, parent, key, self.plan.mode))
            if rows:
                yield self._stuck(
                    "orphans",
                    *names,
                    rows,
                    f"{rows} rows of {names[0]} that are newer than the backup refer to rows of {names[1]} by values "
                    "that the backup does not have.",
                )

    def clashes(self) -> Iterator[Consequence]:
        for target in self.plan.targets:
            staged = self.staged[target.table.oid]
            for unique in unique_keys(target, staged):
                rows = self._count(broken_keys.clashing(staged, unique, self.plan.mode))
                if rows:
                    yield self._stuck(
                        "clash",
                        target.name,
                        target.name,
                        rows,
                        f"{rows} rows of {target.name} cannot come back, because newer rows hold their "
                        f"{' and '.join(unique)}.",
                    )
                if target.table.oid in self.left:
                    rows = self._count(broken_keys.clashing_with_noted(staged, unique, self.plan.mode))
                    if rows:
                        yield self._beside_kept(target, rows, unique)

    def _beside_kept(self, target: TargetTable, rows: int, unique: tuple[str, ...]) -> Consequence:
        return Consequence(
            "clash",
            target.name,
            target.name,
            rows,
            f"{rows} rows of {target.name} cannot come back, because a row that stays as it is holds their "
            f"{' and '.join(unique)}.",
            "Let your own account be restored too, or set those rows aside.",
            (_SET_ASIDE, *self._without(target.table)),
        )

    def _stuck(self, kind: str, table: str, other: str, rows: int, message: str) -> Consequence:
        """What only the mode brings about."""
        modes = [] if self.plan.mode == "exact" else ["exact"]
        hint = (
            "Change or remove the newer rows first, or make the tables exactly as they were."
            if modes
            else "Let your own account be restored too, or set those rows aside."
        )
        found = self.catalogue.by_name[table]
        choices = (_SET_ASIDE, *(Choice("mode", m, _MODES[m]) for m in modes), *self._without(found))
        return Consequence(kind, table, other, rows, message, hint, choices)

    def _count(self, rows: Rows | None) -> int:
        return count_rows(self.conn, rows)

    def _together(self) -> str:
        if self.plan.request.tables is not None:
            return "Restore both tables together."
        return "Restore the groups of both tables together."

    def _choices(self, outside: Table, target: Table, modes: list[str]) -> tuple[Choice, ...]:
        """What can be done about a key across the border between these two."""
        return (
            *self._with(outside),
            _SET_ASIDE,
            *(Choice("mode", mode, _MODES[mode]) for mode in modes),
            *self._without(target),
        )

    def _with(self, outside: Table) -> Iterator[Choice]:
        group = self.plan.in_backup.get(outside.qualified)
        if group is None:
            return
        if self.plan.request.tables is not None:
            yield Choice("add-table", outside.qualified, f"Restore {outside.qualified} too")
        else:
            yield Choice("add-group", group, f"Restore the group {group} too")

    def _without(self, target: Table) -> Iterator[Choice]:
        group = self.plan.in_backup.get(target.qualified, "")
        if self.plan.request.tables is not None:
            if len(self.plan.targets) > 1:
                yield Choice("skip-table", target.qualified, f"Leave out {target.qualified}")
        elif any(t.group != group for t in self.plan.targets):
            yield Choice("skip-group", group, f"Leave out the group {group}")


_SET_ASIDE = Choice("set-aside", "", "Leave those rows, and what depends on them, as they are")
