"""The tables to choose from, as the page draws them: groups that open into their tables, a page at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from rxbackup.operations.views import RestorePreview
from rxbackup.ui import wording
from rxbackup.ui.pages.restore.choice import Choice, Contents

PER_PAGE = 60

_T = TypeVar("_T")


@dataclass(frozen=True)
class Rows:
    """Rows of one table in the backup and now; `live` is -1 while nobody has counted."""

    backup: int
    live: int = -1
    estimated: bool = False


@dataclass(frozen=True)
class PickLine:
    """A group or a table that can be ticked. `ticked` is all, some or none."""

    key: str
    kind: str
    name: str
    group: str
    ticked: str
    is_open: bool
    tables: int
    backup_rows: int
    live_rows: int
    estimated: bool


@dataclass(frozen=True)
class Page:
    """Which part of a list is shown."""

    number: int = 1
    pages: int = 1
    total: int = 0


def paged(items: Sequence[_T], number: int, per_page: int = PER_PAGE) -> tuple[list[_T], Page]:
    """One page of a list, the nearest there is to the wanted one."""
    pages = max(1, -(-len(items) // per_page))
    number = max(1, min(pages, number))
    return list(items[(number - 1) * per_page : number * per_page]), Page(number, pages, len(items))


def with_live_rows(rows: dict[str, Rows], preview: RestorePreview) -> dict[str, Rows]:
    """What is known of the tables, and what a plan has counted. It speaks only of the tables it would touch."""
    counted = {
        table.name: Rows(table.backup_rows, table.live_rows, table.live_rows_estimated) for table in preview.tables
    }
    return {**rows, **counted}


def pick_lines(
    contents: Contents, choice: Choice, rows: dict[str, Rows], *, opened: frozenset[str], search: str = ""
) -> list[PickLine]:
    """The lines to tick. With words to search for: the tables whose name or group holds them, and no groups."""
    words = search.strip().lower()
    lines: list[PickLine] = []
    number = 0
    for group, names in contents.groups:
        numbers = range(number, number + len(names))
        number += len(names)
        tables = [_table(group, name, one, choice, rows) for one, name in zip(numbers, names, strict=True)]
        if words:
            lines += [line for line in tables if words in line.name.lower() or words in group.lower()]
            continue
        lines.append(_group(group, tables, is_open=group in opened))
        if group in opened:
            lines += tables
    return lines


def _table(group: str, name: str, number: int, choice: Choice, rows: dict[str, Rows]) -> PickLine:
    known = rows.get(name, Rows(0))
    ticked = "none" if number in choice.left else "all"
    return PickLine(
        key=f"t{number}",
        kind="table",
        name=name,
        group=group,
        ticked=ticked,
        is_open=False,
        tables=1,
        backup_rows=known.backup,
        live_rows=known.live,
        estimated=known.estimated,
    )


def _group(group: str, tables: list[PickLine], *, is_open: bool) -> PickLine:
    ticked = {table.ticked for table in tables}
    known = all(table.live_rows >= 0 for table in tables)
    return PickLine(
        key=f"g{group}",
        kind="group",
        name=group,
        group=group,
        ticked=ticked.pop() if len(ticked) == 1 else "some" if ticked else "none",
        is_open=is_open,
        tables=len(tables),
        backup_rows=sum(table.backup_rows for table in tables),
        live_rows=sum(table.live_rows for table in tables) if known else -1,
        estimated=any(table.estimated for table in tables),
    )


def chosen_words(contents: Contents, choice: Choice) -> str:
    """How much is chosen: "Everything: 7 groups, 24 tables", "2 of 7 groups, 5 of 24 tables", "Nothing yet"."""
    everything = contents.everything
    chosen = everything - choice.left
    groups = [group for group, _ in contents.groups if contents.numbers_of(group) & chosen]
    if not chosen:
        return "Nothing is chosen"
    if chosen == everything:
        return f"Everything: {wording.plural(len(groups), 'group')}, {wording.plural(len(chosen), 'table')}"
    return (
        f"{wording.number(len(groups))} of {wording.plural(len(contents.groups), 'group')}, "
        f"{wording.number(len(chosen))} of {wording.plural(len(everything), 'table')}"
    )


MODE_WORDS = {
    "exact": "exactly as it was",
    "missing": "only what is missing",
    "changed": "missing and changed",
}


def how_words(choice: Choice) -> str:
    """The how of a choice as the rest of a sentence: "exactly as it was, in maintenance"."""
    said = [MODE_WORDS[choice.mode]]
    if choice.set_aside:
        said.append("setting aside what other tables speak against")
    if choice.maintenance:
        said.append("with the tables locked")
    if choice.own:
        said.append("your own account too")
    return ", ".join(said)
