"""`rxbackup restore`: plan, confirm, restore, report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import exit_codes, words
from rxbackup.cli.options import AsJson, BackupId, Groups, Quiet, Yes, names
from rxbackup.cli.progress import shown_progress
from rxbackup.cli.session import answer, confirm, confirm_by_name, installation, plain, say, table

if TYPE_CHECKING:
    from rxbackup.operations.views import RestorePreview, RestoreView


def restore(
    backup: BackupId,
    *,
    groups: Groups = None,
    skip: Annotated[str | None, typer.Option("--skip", metavar="C,D", help="All but these groups.")] = None,
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            help="exact: the tables hold just the backup's rows. missing: rows that are gone come back. "
            "changed: rows that differ are set right as well.",
        ),
    ] = "exact",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")] = False,
    no_safety: Annotated[bool, typer.Option("--no-safety", help="Take no safety backup before.")] = False,
    trust_foreign: Annotated[
        bool, typer.Option("--trust-foreign", help="Also restore what another installation's key has signed, or none.")
    ] = False,
    store: Annotated[
        str | None, typer.Option("--from", metavar="STORE", help="Read the copy that rests there.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Put a backup's rows back: in one transaction, all or nothing, after a safety backup."""
    from rxbackup.operations.previews import perform_preview
    from rxbackup.operations.restores import perform_restore, preview_restore
    from rxbackup.operations.views import NewRestore

    with installation() as at:
        new = NewRestore(
            backup, groups=names(groups), skip=names(skip) or (), mode=mode, safety=not no_safety, store=store
        )
        if dry_run:
            with shown_progress(quiet=quiet) as on_progress:
                preview = perform_preview(at.services, at.actor, new, on_progress=on_progress)
        else:
            preview = preview_restore(at.services, at.actor, new)
        if dry_run or not preview.allowed:
            answer(_plan(preview), as_json=as_json, text=lambda: _say_plan(preview))
            raise typer.Exit(exit_codes.DONE if preview.allowed else exit_codes.REFUSED)
        if not as_json and not yes:
            _say_plan(preview)
        warning = f"This changes {len(preview.tables)} tables of the running database."
        typed = confirm_by_name(preview.backup.name, warning, yes=yes)
        confirmed = NewRestore(
            preview.backup.id,
            groups=new.groups,
            skip=new.skip,
            mode=mode,
            safety=not no_safety,
            confirm_name=typed,
            store=store,
            trust_foreign=trust_foreign,
        )
        with shown_progress(quiet=quiet) as on_progress:
            done = perform_restore(at.services, at.actor, confirmed, on_progress=on_progress)
    answer(done, as_json=as_json, text=lambda: _say_done(done))


def undo(
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="The restore's run; default: the newest.")] = None,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Take a restore back: put the chosen groups back as they were just before it."""
    from rxbackup.operations.undos import perform_undo, show_undo

    with installation() as at:
        undo = show_undo(at.services, at.actor, job)
        when = f" of {words.moment(undo.finished_at)}" if undo.finished_at else ""
        confirm(
            f"This takes the restore of {undo.restored}{when} back, and with it whatever changed in its tables since.",
            yes=yes,
        )
        with shown_progress(quiet=quiet) as on_progress:
            done = perform_undo(at.services, at.actor, undo.job, on_progress=on_progress)
    answer(done, as_json=as_json, text=lambda: _say_done(done))


def _plan(preview: RestorePreview) -> dict[str, object]:
    """The plan as JSON; the same names as the report where they mean the same."""
    shown = plain(preview)
    shown["dry_run"] = True
    if not preview.allowed:
        shown["error"] = {
            "code": "plan-refused",
            "message": " ".join(p.message for p in preview.problems),
            "hint": " ".join(dict.fromkeys(p.hint for p in preview.problems)),
        }
    return dict(shown)


def _say_plan(preview: RestorePreview) -> None:
    view = preview.backup
    say(f"{view.name} of {words.moment(view.when)} onto the running database:")
    exact = any(t.change for t in preview.tables)
    headings = ["Table", "Group", "In the backup", "Now"] + (["Add", "Change", "Remove"] if exact else [])
    rows = []
    for t in preview.tables:
        live = ("~" if t.live_rows_estimated else "") + words.number(t.live_rows)
        row = [t.name, t.group, words.number(t.backup_rows), live]
        if t.change:
            row += [words.number(n) for n in (t.change.added, t.change.changed, t.change.removed)]
        rows.append(row)
    table(headings, rows, right=(2, 3, 4, 5, 6))
    for warning in preview.warnings:
        say(f"Warning: {warning}")
    for problem in preview.problems:
        say(f"Refused: {problem.message}\n  → {problem.hint}")


def _say_done(done: RestoreView) -> None:
    if done.note:
        say(done.note)
    touched = {name: c for name, c in done.tables.items() if c.added or c.changed or c.removed}
    if touched:
        rows = [[n, *(words.number(x) for x in (c.added, c.changed, c.removed))] for n, c in touched.items()]
        table(["Table", "Added", "Changed", "Removed"], rows, right=(1, 2, 3))
    say(f"Restored {len(done.tables)} tables in {words.span(done.seconds)}; {len(touched)} needed changes.")
    if done.safety_backup:
        say(f"`rxbackup undo {done.job}` takes it back.")
