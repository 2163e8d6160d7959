"""A preview as the page draws it: a verdict, what must be decided, a table of changes, sample rows. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rxbackup.operations.views import RestorePreview, TablePreview
from rxbackup.ui import wording
from rxbackup.ui.components.changed_rows import ChangedRow, changed_row

_DONE = {"add": "added", "change": "changed", "remove": "removed"}
_HELD = " what the restore would put there already."


@dataclass(frozen=True)
class ChangeLine:
    """A group, or a table, and what would be done to it; -1 where nobody has computed it.

    `tables` is how many of a group stand below it.
    """

    key: str
    kind: str
    name: str
    group: str
    tables: int
    added: int
    changed: int
    removed: int
    set_aside: int
    backup_rows: int
    live_rows: int
    estimated: bool
    parts: str
    samples: int


@dataclass(frozen=True)
class Decision:
    """What one can do about a consequence."""

    kind: str
    value: str
    label: str


@dataclass(frozen=True)
class Consequence:
    """Something that must be decided before the restore can begin."""

    key: str
    message: str
    choices: list[Decision]


@dataclass(frozen=True)
class Drift:
    """A column that is no longer what it was, and what that means."""

    column: str
    kind: str
    consequence: str


@dataclass(frozen=True)
class Trouble:
    """Why the plan cannot be carried out, and what would help."""

    message: str
    hint: str


@dataclass(frozen=True)
class Sums:
    """All tables together, in rows; `tables` is how many would change."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    set_aside: int = 0
    tables: int = 0
    alike: int = 0

    @property
    def rows(self) -> int:
        """How many rows would change."""
        return self.added + self.changed + self.removed


@dataclass(frozen=True)
class Verdict:
    """The preview in one sentence. `tone` is good, warn, bad or idle."""

    tone: str = "idle"
    title: str = ""
    text: str = ""


def sums_of(preview: RestorePreview) -> Sums:
    """All changes of a preview together."""
    changes = [table.change for table in preview.tables if table.change]
    touched = sum(1 for one in changes if one.added or one.changed or one.removed)
    return Sums(
        added=sum(one.added for one in changes),
        changed=sum(one.changed for one in changes),
        removed=sum(one.removed for one in changes),
        set_aside=sum(one.set_aside for one in changes),
        tables=touched,
        alike=len(changes) - touched,
    )


def change_words(sums: Sums) -> str:
    """Added, changed and removed rows as a list of what there is: "10 rows added, 3 removed"."""
    parts = [(sums.added, "added"), (sums.changed, "changed"), (sums.removed, "removed")]
    said = [(value, word) for value, word in parts if value]
    if not said:
        return "no row changes"
    first, word = said[0]
    rest = [f"{wording.number(value)} {what}" for value, what in said[1:]]
    return ", ".join([f"{wording.plural(first, 'row')} {word}", *rest])


def verdict(preview: RestorePreview) -> Verdict:
    """What a preview comes to, in one sentence and what to know beside it."""
    sums = sums_of(preview)
    obstacles = len(preview.problems) + len(preview.consequences)
    if preview.consequences:
        return Verdict(
            "warn",
            f"{_things(len(preview.consequences))} must be decided first",
            "Nothing is restored before. Each decision is only tried out here; the preview is made again with it.",
        )
    if obstacles:
        return Verdict("bad", "This cannot be restored as chosen", "Nothing was changed. What would help stands below.")
    if not preview.is_exact:
        return Verdict("idle", "How many rows would change is not known", "The counts below are of whole tables.")
    if not sums.rows:
        return Verdict("good", "Nothing would change", _alike(sums) + _aside(sums))
    where = wording.plural(sums.tables, "table")
    return Verdict(
        "run",
        f"{change_words(sums)} in {where}",
        (_alike(sums) + _aside(sums)).strip(),
    )


def _things(number: int) -> str:
    return "One thing" if number == 1 else f"{wording.number(number)} things"


def _alike(sums: Sums) -> str:
    if not sums.alike:
        return ""
    if not sums.tables:
        return "The table holds" + _HELD if sums.alike == 1 else f"All {wording.number(sums.alike)} tables hold{_HELD}"
    needs = "needs" if sums.alike == 1 else "need"
    return f"{wording.plural(sums.alike, 'other table')} {needs} no change."


def _aside(sums: Sums) -> str:
    return f" {wording.plural(sums.set_aside, 'row')} set aside: left as now." if sums.set_aside else ""


def change_lines(preview: RestorePreview, *, all_tables: bool, search: str = "") -> list[ChangeLine]:
    """Groups, each followed by its tables. Unless `all_tables`, only those that change, if that is known.

    A table with more changed rows stands before one with fewer; with words to search for, there are only the tables
    whose name or group holds them.
    """
    words = search.strip().lower()
    lines: list[ChangeLine] = []
    for group in preview.groups:
        own = [_line(table) for table in preview.tables if table.group == group.name]
        shown = sorted((one for one in own if all_tables or _may_change(one)), key=lambda one: (-_rows(one), one.name))
        shown = [one for one in shown if words in one.name.lower() or words in group.name.lower()]
        if not shown:
            continue
        if not words:
            lines.append(_group(group.name, own, shown=len(shown)))
        lines += shown
    return lines


def _line(table: TablePreview) -> ChangeLine:
    change = table.change
    return ChangeLine(
        key=table.name,
        kind="table",
        name=table.name,
        group=table.group,
        tables=1,
        added=change.added if change else -1,
        changed=change.changed if change else -1,
        removed=change.removed if change else -1,
        set_aside=change.set_aside if change else 0,
        backup_rows=table.backup_rows,
        live_rows=table.live_rows,
        estimated=table.live_rows_estimated,
        parts=_parts(table),
        samples=len(table.samples),
    )


def _group(name: str, own: list[ChangeLine], *, shown: int) -> ChangeLine:
    known = all(one.added >= 0 for one in own)
    return ChangeLine(
        key=f"group:{name}",
        kind="group",
        name=name,
        group=name,
        tables=shown,
        added=sum(one.added for one in own) if known else -1,
        changed=sum(one.changed for one in own) if known else -1,
        removed=sum(one.removed for one in own) if known else -1,
        set_aside=sum(one.set_aside for one in own),
        backup_rows=sum(one.backup_rows for one in own),
        live_rows=sum(one.live_rows for one in own),
        estimated=any(one.estimated for one in own),
        parts="",
        samples=0,
    )


def _parts(table: TablePreview) -> str:
    if table.segments_touched is None or not table.segments_total:
        return ""
    touched, total = table.segments_touched, table.segments_total
    differ = "differs" if touched == 1 else "differ"
    return f"{wording.number(touched)} of {wording.plural(total, 'part')} {differ}"


def _may_change(line: ChangeLine) -> bool:
    return line.added < 0 or bool(line.added or line.changed or line.removed or line.set_aside)


def _rows(line: ChangeLine) -> int:
    return max(line.added, 0) + max(line.changed, 0) + max(line.removed, 0)


def sample_lines(preview: RestorePreview, table: str, *, whole: bool = False) -> list[ChangedRow]:
    """The sample rows of one table: with all columns if `whole`, else with those that tell the row and its change."""
    samples = next((one.samples for one in preview.tables if one.name == table), ())
    return [
        changed_row(f"{table}:{number}", _DONE[sample.change], sample.fields, whole=whole)
        for number, sample in enumerate(samples)
    ]


def consequence_lines(preview: RestorePreview) -> list[Consequence]:
    """What must be decided, each with what one can do about it."""
    return [
        Consequence(
            f"{one.kind}:{one.table}:{one.other}",
            one.message,
            [Decision(choice.kind, choice.value, choice.label) for choice in one.choices],
        )
        for one in preview.consequences
    ]


def drift_lines(preview: RestorePreview) -> list[Drift]:
    """Columns that are no longer what they were, and stop nothing; those that do are problems, and told as such."""
    return [
        Drift(f"{one.table}.{one.column}", one.kind, one.consequence)
        for one in sorted(preview.drift, key=lambda one: (one.table, one.column))
        if not one.blocks
    ]


def other_warnings(preview: RestorePreview) -> list[str]:
    """What is to be known beside the columns that have changed."""
    told = [(one.table, one.column) for one in preview.drift if not one.blocks]
    return [
        text
        for text in preview.warnings
        if not any(text.startswith(table) and f" {column} " in text for table, column in told)
    ]


def deed_words(preview: RestorePreview | None, *, groups: int, undo: bool) -> str:
    """What the button says: "Restore 3 groups, change 1 204 rows"."""
    deed = "Undo the restore" if undo else f"Restore {wording.plural(groups, 'group')}"
    if preview is None or not preview.is_exact:
        return deed
    return f"{deed}, change {wording.plural(sums_of(preview).rows, 'row')}"
