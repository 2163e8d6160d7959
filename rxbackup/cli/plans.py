"""How the plan of a restore, and what came of it, look at the terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxbackup.cli import words
from rxbackup.cli.session import plain, say, table

if TYPE_CHECKING:
    from rxbackup.operations.views import MadeSideSchema, RefreshView, RestorePreview, RestoreView, TablePreview


def plan_document(preview: RestorePreview) -> dict[str, object]:
    """The plan for JSON; the same names as the report where they mean the same."""
    shown = plain(preview)
    shown["dry_run"] = True
    if not preview.allowed:
        against = [(p.message, p.hint) for p in preview.problems] + [(c.message, c.hint) for c in preview.consequences]
        shown["error"] = {
            "code": "plan-refused",
            "message": " ".join(message for message, _ in against),
            "hint": " ".join(dict.fromkeys(hint for _, hint in against)),
        }
    return dict(shown)


def say_plan(preview: RestorePreview, onto: str = "the running database", *, undoes: str | None = None) -> None:
    """Print what would be done, and what speaks against it; `undoes`: the run that it would take back."""
    view = preview.backup
    say(f"{view.name} of {words.moment(view.when)} onto {onto}:")
    _say_tables(preview)
    for warning in preview.warnings:
        say(f"Warning: {warning}")
    for drift in preview.drift:
        if not drift.blocks:
            say(f"{drift.table}: {drift.column} is {drift.kind}. {drift.consequence}")
    if preview.kept_account:
        say(f"The row of {preview.kept_account} among the application's users stays as it is (--replace-own-account).")
    for problem in preview.problems:
        say(f"Refused: {problem.message}\n  → {problem.hint}")
    for consequence in preview.consequences:
        say(f"Refused: {consequence.message}\n  → {consequence.hint}")
        for choice in consequence.choices:
            say(f"  · {choice.label}")
    if preview.stale_views:
        say(f"Materialized views to be refreshed afterwards (--refresh-views): {', '.join(preview.stale_views)}.")
    if preview.job and preview.allowed:
        command = f"undo {undoes}" if undoes else f"restore {view.id[:8]}"
        say(f"`{command} --preview {preview.job}` does no more than this. `--json` shows sample rows.")


def _say_tables(preview: RestorePreview) -> None:
    """Tables that change one by one, the others as a number."""
    headings = ["Table", "Group", "In the backup", "Now"]
    headings += ["Add", "Change", "Remove", "Parts that differ"] if preview.is_exact else []
    shown = [each for each in preview.tables if not _needs_nothing(each)]
    if shown:
        table(headings, [_row(each, exact=preview.is_exact) for each in shown], right=(2, 3, 4, 5, 6, 7))
    if alike := len(preview.tables) - len(shown):
        say(f"{words.number(alike)} {'table needs' if alike == 1 else 'tables need'} no change (--json lists all).")


def _needs_nothing(each: TablePreview) -> bool:
    return each.change is not None and not any(
        (each.change.added, each.change.changed, each.change.removed, each.change.set_aside)
    )


def _row(each: TablePreview, *, exact: bool) -> list[str]:
    live = ("~" if each.live_rows_estimated else "") + words.number(each.live_rows)
    row = [each.name, each.group, words.number(each.backup_rows), live]
    if each.change:
        row += [words.number(n) for n in (each.change.added, each.change.changed, each.change.removed)]
        differ = f"{each.segments_touched} of {each.segments_total}" if each.segments_total else "whole"
        row.append(differ)
    return row + [""] * (8 - len(row) if exact else 0)


def say_done(done: RestoreView) -> None:
    """Print what a restore did."""
    if done.note:
        say(done.note)
    touched = {name: c for name, c in done.tables.items() if c.added or c.changed or c.removed or c.set_aside}
    if touched:
        aside = any(c.set_aside for c in touched.values())
        rows = [
            [n, *(words.number(x) for x in (c.added, c.changed, c.removed, c.set_aside)[: 4 if aside else 3])]
            for n, c in touched.items()
        ]
        table(["Table", "Added", "Changed", "Removed", *(["Left as it is"] if aside else [])], rows, right=(1, 2, 3, 4))
    say(
        f"Restored {words.counted(len(done.tables), 'table')} in {words.span(done.seconds)}; "
        f"{len(touched)} needed changes."
    )
    if done.sessions_ended:
        say(f"{words.counted(done.sessions_ended, 'session')} of people whose row was changed ended.")
    if done.safety_backup:
        until = f", until {words.moment(done.undo_until)} at least" if done.undo_until else ""
        say(f"`rxbackup undo {done.job}` takes it back{until}.")


def say_stale(done: RestoreView) -> None:
    """Print which materialized views still show what was there before."""
    if done.stale_views:
        say(f"These materialized views want a refresh (--refresh-views): {', '.join(done.stale_views)}.")


def say_refreshed(refreshed: RefreshView) -> None:
    """Print what became of materialized views."""
    if refreshed.refreshed:
        say(f"Refreshed {', '.join(refreshed.refreshed)} in {words.span(refreshed.seconds)}.")
    for name, reason in refreshed.left.items():
        say(f"Not refreshed: {name}. {reason}")


def say_made(made: MadeSideSchema) -> None:
    """Print what is in a schema beside the tables."""
    rows = [[f"{made.schema}.{made.places[name]}", name, words.number(n)] for name, n in made.tables.items()]
    table(["Table", "As", "Rows"], rows, right=(2,))
    say(f"The schema {made.schema} can be read until {words.moment(made.expires_at)}; then it is dropped.")
