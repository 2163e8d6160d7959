"""What somebody has chosen to restore, how it stands in the address, and what it asks of the operations. Pure.

The address holds the whole choice, so it outlives a reload, and going back in the browser is going back a step. Tables
stand in it as numbers: what a backup holds never changes, and four hundred names would make no address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from rxbackup.operations.views import NewRestore, UndoView
from rxbackup.ui.addresses import restore_address

MODES = ("exact", "missing", "changed")


@dataclass(frozen=True)
class Contents:
    """The tables of a backup by group, in an order that never changes."""

    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """All tables; the place in this list is the table's number."""
        return tuple(name for _, names in self.groups for name in names)

    @property
    def everything(self) -> frozenset[int]:
        """The numbers of all tables."""
        return frozenset(range(len(self.tables)))

    def numbers_of(self, group: str) -> frozenset[int]:
        """The numbers of one group's tables."""
        start = 0
        for name, tables in self.groups:
            if name == group:
                return frozenset(range(start, start + len(tables)))
            start += len(tables)
        return frozenset()

    def numbers_named(self, *, groups: Iterable[str] = (), tables: Iterable[str] = ()) -> frozenset[int]:
        """The numbers of these tables, and of all tables of these groups; unknown names count for nothing."""
        wanted = set(tables)
        found = {number for number, name in enumerate(self.tables) if name in wanted}
        return frozenset(found.union(*(self.numbers_of(group) for group in groups)))


@dataclass(frozen=True)
class Choice:
    """What is to be restored, and how.

    Attributes:
        left: the numbers of the tables that stay as they are.
        mode, set_aside, maintenance: as in `NewRestore`.
        own: whether the row of the person's own account is replaced as well.
        undo: the restore that is undone; "" if none is.
    """

    left: frozenset[int] = frozenset()
    mode: str = "exact"
    set_aside: bool = False
    maintenance: bool = False
    own: bool = False
    undo: str = ""

    def leaving(self, numbers: frozenset[int], *, chosen: bool) -> Choice:
        """With these tables restored too, or left alone too."""
        return replace(self, left=self.left - numbers if chosen else self.left | numbers)

    def by(self, mode: str) -> Choice:
        """In another mode. Only an exact restore loads tables anew."""
        return replace(self, mode=mode, maintenance=self.maintenance and mode == "exact")


def asked(choice: Choice, contents: Contents, backup_id: str) -> NewRestore:
    """The choice as the operations take it: by groups wherever that says the same."""
    chosen = contents.everything - choice.left
    names = contents.tables
    groups: tuple[str, ...] | None = None
    tables: tuple[str, ...] | None = None
    if choice.left & contents.everything:
        own = {group: contents.numbers_of(group) for group, _ in contents.groups}
        groups = tuple(group for group, numbers in own.items() if numbers & chosen)
        if any(numbers & chosen and numbers & choice.left for numbers in own.values()):
            tables = tuple(names[number] for number in sorted(chosen))
    return NewRestore(
        backup_id,
        groups=groups,
        tables=tables,
        mode=choice.mode,
        set_aside=choice.set_aside,
        maintenance=choice.maintenance,
        replace_own_account=choice.own,
        undoes=choice.undo or None,
    )


def decided(choice: Choice, contents: Contents, kind: str, value: str) -> Choice:
    """The choice after a decision about a consequence; one that means nothing changes nothing."""
    if kind in {"add-group", "skip-group"}:
        return choice.leaving(contents.numbers_of(value), chosen=kind == "add-group")
    if kind in {"add-table", "skip-table"}:
        return choice.leaving(contents.numbers_named(tables=[value]), chosen=kind == "add-table")
    if kind == "mode" and value in MODES:
        return choice.by(value)
    if kind == "set-aside":
        return replace(choice, set_aside=True)
    return choice


def undoing(undo: UndoView, contents: Contents) -> Choice:
    """The choice that undoes a restore: the same tables, exactly as they were before."""
    chosen = contents.everything if undo.groups is None else contents.numbers_named(groups=undo.groups)
    if undo.tables is not None:
        chosen &= contents.numbers_named(tables=undo.tables)
    chosen -= contents.numbers_named(groups=undo.skip)
    return Choice(left=contents.everything - chosen, undo=undo.job)


def address(backup_id: str, step: str, choice: Choice, **more: str) -> str:
    """Where a step with a choice is. `more` are ids of runs: `preview`, `run`."""
    said = {
        "step": step,
        "undo": choice.undo,
        "left": write_numbers(choice.left),
        "mode": "" if choice.mode == "exact" else choice.mode,
        "aside": "1" if choice.set_aside else "",
        "maintenance": "1" if choice.maintenance else "",
        "own": "1" if choice.own else "",
        **more,
    }
    return f"{restore_address(backup_id)}?{urlencode({name: value for name, value in said.items() if value})}"


def read_choice(query: Mapping[str, str], contents: Contents) -> Choice:
    """The choice that an address holds. Other pages may name a `table` or a `group` there: then it is that alone."""
    mode = query.get("mode", "exact")
    left = read_numbers(query.get("left", ""), below=len(contents.tables))
    named = contents.numbers_named(groups=[query.get("group", "")], tables=[query.get("table", "")])
    if named:
        left = contents.everything - named
    choice = Choice(
        left=left,
        set_aside=query.get("aside") == "1",
        maintenance=query.get("maintenance") == "1",
        own=query.get("own") == "1",
        undo=query.get("undo", ""),
    )
    return choice.by(mode if mode in MODES else "exact")


def write_numbers(numbers: Iterable[int]) -> str:
    """Numbers as ranges: {0, 1, 2, 7} → "0-2.7"."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ".".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def read_numbers(text: str, *, below: int) -> frozenset[int]:
    """What `write_numbers` wrote, as far as it is below a number; anything else counts for nothing."""
    found: set[int] = set()
    for part in text.split("."):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            found.update(range(int(first), min(int(last or first) + 1, below)))
    return frozenset(found)
