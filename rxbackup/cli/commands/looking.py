"""`rxbackup backup rows` and `rxbackup compare`: look into backups without restoring them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import words
from rxbackup.cli.files import target
from rxbackup.cli.options import AsJson, BackupId, Quiet
from rxbackup.cli.progress import shown_progress
from rxbackup.cli.session import answer, installation, say, table
from rxbackup.errors import UsageError

if TYPE_CHECKING:
    from rxbackup.operations.views import ComparisonView, KeptTableView, RowComparisons, RowsView

_WIDEST = 8
_SHOWN_CHARACTERS = 60
_MOST_TABLES = 100_000


def rows(
    backup: BackupId,
    table_name: Annotated[
        str | None,
        typer.Argument(metavar="TABLE", help="schema.name, or the name; without one, what tables there are."),
    ] = None,
    *,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="CONDITION", help="COLUMN=VALUE, COLUMN~TEXT or 'COLUMN is null'; repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many rows to show.")] = 50,
    after: Annotated[str | None, typer.Option("--after", metavar="PLACE", help="Go on where a page ended.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write all rows that fit; - is stdout.")
    ] = None,
    format_name: Annotated[str, typer.Option("--format", help="Of the file: csv or json.")] = "csv",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    store: Annotated[
        str | None, typer.Option("--from", metavar="STORE", help="Read the copy that rests there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look into a backup: the rows of a table, without restoring anything."""
    if table_name is None:
        _list_tables(backup, as_json=as_json)
    elif output is not None:
        _write(backup, table_name, output, where or [], format_name, force=force, store=store, as_json=as_json)
    else:
        from rxbackup.operations.rows import read_rows

        with installation() as at:
            found = read_rows(
                at.services, at.actor, backup, table_name, where=where or (), after=after, limit=limit, store=store
            )
        names = [column.name for column in found.columns]
        whole = {
            "backup": found.backup.id,
            "table": found.table,
            "columns": found.columns,
            "rows": [dict(zip(names, row.values, strict=True)) for row in found.rows],
            "total": found.total,
            "next": found.next,
        }
        answer(whole, as_json=as_json, text=lambda: _say_rows(found))


def compare(
    before: BackupId,
    after: Annotated[str, typer.Argument(metavar="ID|now", help="Another backup, or the live database.")] = "now",
    *,
    table_name: Annotated[
        str | None, typer.Option("--table", metavar="TABLE", help="Show the rows of this table that differ.")
    ] = None,
    limit: Annotated[int, typer.Option("--rows", min=1, max=500, help="How many of them.")] = 50,
    skip: Annotated[int, typer.Option("--skip", min=0, help="How many to pass over.")] = 0,
    change: Annotated[
        str | None, typer.Option("--only", metavar="CHANGE", help="Only rows that were added, changed or removed.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say what was added, changed and removed between two backups, or since one. Nothing is restored for it."""
    from rxbackup.operations.comparisons import compare_rows, perform_compare

    if table_name is not None:
        with installation() as at:
            rows_found = compare_rows(
                at.services, at.actor, before, after, table_name, change=change, skip=skip, limit=limit
            )
        answer(rows_found, as_json=as_json, text=lambda: _say_different_rows(rows_found))
        return
    with installation() as at, shown_progress(quiet=quiet) as on_progress:
        found = perform_compare(at.services, at.actor, before, after, on_progress=on_progress)
    answer(found, as_json=as_json, text=lambda: _say_comparison(found))


def _list_tables(backup: str, *, as_json: bool) -> None:
    from rxbackup.operations.rows import list_tables

    with installation() as at:
        found = list_tables(at.services, at.actor, backup, limit=_MOST_TABLES)
    answer({"tables": found}, as_json=as_json, text=lambda: _say_tables(found))


def _write(
    backup: str,
    table_name: str,
    output: Path,
    where: list[str],
    format_name: str,
    *,
    force: bool,
    store: str | None,
    as_json: bool,
) -> None:
    from rxbackup.operations.rows import export_rows

    if str(output) == "-" and as_json:
        raise UsageError("--json and -o - both want stdout.", hint="Give a file.")
    with installation() as at, target(output, force=force) as stream:
        written = export_rows(
            at.services, at.actor, backup, table_name, stream, where=where, format_name=format_name, store=store
        )
    if str(output) != "-":
        whole = {"file": output, "format": format_name, "bytes": written}
        answer(whole, as_json=as_json, text=lambda: say(f"Wrote {words.size(written)} to {output}."))


def _say_tables(found: tuple[KeptTableView, ...]) -> None:
    lines = [[t.name, t.group, words.number(t.rows), words.size(t.raw_bytes)] for t in found]
    table(["Table", "Group", "Rows", "Size"], lines, right=(2, 3))


def _say_rows(found: RowsView) -> None:
    names = [column.name for column in found.columns]
    if len(names) <= _WIDEST:
        if found.rows:
            table(names, [[_shown(value) for value in row.values] for row in found.rows])
    else:
        for number, row in enumerate(found.rows):
            say("" if number else f"{found.table} of {found.backup.name}")
            table(["", ""], [[name, _shown(value)] for name, value in zip(names, row.values, strict=True)])
    shown = words.counted(len(found.rows), "row") if found.rows else "No row"
    say(f"\n{shown} of {words.number(found.total)}." + (f" More: --after {found.next}" if found.next else ""))


def _say_comparison(found: ComparisonView) -> None:
    after = found.after.name if found.after else "now"
    if not found.tables:
        say(f"No row differs between {found.before.name} and {after}.")
    else:
        lines = [
            [t.name, t.group, *(words.number(count) if count else "–" for count in (t.added, t.changed, t.removed))]
            for t in found.tables
        ]
        table(["Table", "Group", "Added", "Changed", "Removed"], lines, right=(2, 3, 4))
        for each in found.tables:
            for note in each.notes:
                say(f"{each.name}: {note}")
    for note in found.notes:
        say(note)
    opened = f"{words.number(found.parts_opened)} of {words.number(found.parts_total)} parts opened"
    say(f"\n{found.before.name} → {after}: {opened}, {words.span(found.seconds)}.")


def _say_different_rows(found: RowComparisons) -> None:
    signs = {"added": "+", "changed": "~", "removed": "-"}
    for row in found.rows:
        if row.change == "changed":
            shown = [
                f"{f.column}: {_shown(f.before)} → {_shown(f.after)}" if f.differs else f"{f.column}: {_shown(f.after)}"
                for f in row.fields
            ]
        else:
            shown = [f"{f.column}: {_shown(f.after if row.change == 'added' else f.before)}" for f in row.fields]
        say(f"{signs[row.change]} " + ", ".join(shown))
    for note in found.notes:
        say(note)
    if not found.rows:
        say(f"No such row differs in {found.table}.")
    elif found.more:
        say(f"More: --skip {found.skipped + len(found.rows)}")


def _shown(value: str | None) -> str:
    if value is None:
        return "NULL"
    # A value may hold what a terminal would obey.
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value[:_SHOWN_CHARACTERS])
    return shown if len(value) <= _SHOWN_CHARACTERS else f"{shown}…"
