"""`rxbackup restore` and `rxbackup undo`: plan, confirm, restore, report."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import exit_codes, words
from rxbackup.cli.options import AsJson, BackupId, Groups, Quiet, Yes, names
from rxbackup.cli.plans import plan_document, say_done, say_made, say_plan, say_refreshed, say_stale
from rxbackup.cli.progress import shown_progress
from rxbackup.cli.session import Console, answer, confirm, confirm_by_name, installation, plain
from rxbackup.errors import UsageError

if TYPE_CHECKING:
    from rxbackup.operations.views import NewRestore, RefreshView, RestorePreview, RestoreView, UndoView
    from rxbackup.progress import ProgressSink

_WHAT = "What"
_HOW = "How"
_WHERE = "Where to"

Seen = Annotated[str | None, typer.Option("--preview", metavar="JOB", help="Do no more than this dry run has shown.")]


def restore(
    backup: BackupId,
    *,
    groups: Groups = None,
    skip: Annotated[
        str | None, typer.Option("--skip", metavar="C,D", help="All but these groups.", rich_help_panel=_WHAT)
    ] = None,
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="SCHEMA.NAME", help="Only this table; may be repeated.", rich_help_panel=_WHAT),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option("--from", metavar="STORE", help="Read the copy that rests there.", rich_help_panel=_WHAT),
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            help="exact: the tables hold just the backup's rows. missing: rows that are gone come back. "
            "changed: rows that differ are set right as well.",
            rich_help_panel=_HOW,
        ),
    ] = "exact",
    set_aside: Annotated[
        bool,
        typer.Option("--set-aside", help="Leave rows as they are that keys speak against.", rich_help_panel=_HOW),
    ] = False,
    maintenance: Annotated[
        bool,
        typer.Option(
            "--maintenance",
            help="Empty and rebuild tables that must mostly be loaded anew: faster, nobody can read them meanwhile.",
            rich_help_panel=_HOW,
        ),
    ] = False,
    replace_own_account: Annotated[
        bool,
        typer.Option(
            "--replace-own-account",
            help="Restore your own row among the application's users, too.",
            rich_help_panel=_HOW,
        ),
    ] = False,
    no_safety: Annotated[
        bool, typer.Option("--no-safety", help="Take no safety backup before.", rich_help_panel=_HOW)
    ] = False,
    refresh_views: Annotated[
        bool,
        typer.Option("--refresh-views", help="Refresh materialized views of the tables after.", rich_help_panel=_HOW),
    ] = False,
    trust_foreign: Annotated[
        bool,
        typer.Option(
            "--trust-foreign",
            help="Also restore what another installation's key has signed, or none.",
            rich_help_panel=_HOW,
        ),
    ] = False,
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="URL", help="Restore into this other database.", rich_help_panel=_WHERE),
    ] = None,
    into_schema: Annotated[
        str | None,
        typer.Option(
            "--into-schema", metavar="NAME", help="Put the rows beside the tables, to be read.", rich_help_panel=_WHERE
        ),
    ] = None,
    hours: Annotated[
        int, typer.Option("--hours", metavar="N", help="How long that schema stays.", rich_help_panel=_WHERE)
    ] = 24,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")] = False,
    preview: Seen = None,
    yes: Yes = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Put a backup's rows back: in one transaction, all or nothing, after a safety backup."""
    from rxbackup.operations.views import NewRestore

    chosen = tuple(name for each in tables for name in names(each) or ()) if tables else None
    new = NewRestore(
        backup,
        groups=names(groups),
        skip=names(skip) or (),
        tables=chosen,
        mode=mode,
        safety=not no_safety and into is None,
        store=store,
        trust_foreign=trust_foreign,
        set_aside=set_aside,
        replace_own_account=replace_own_account,
        maintenance=maintenance,
        preview=preview,
    )
    asked = _Asked(new, into, dry_run=dry_run, refresh_views=refresh_views, yes=yes, as_json=as_json, quiet=quiet)
    if into_schema is not None:
        _make_schema(asked, into_schema, hours)
    else:
        _restore(asked)


def undo(
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="The restore's run; default: the newest.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")] = False,
    preview: Seen = None,
    yes: Yes = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Take a restore back: put the chosen groups back as they were just before it."""
    from rxbackup.operations.undos import perform_undo, preview_undo, show_undo

    with installation() as at:
        undo = show_undo(at.services, at.actor, job)
        if dry_run:
            with shown_progress(quiet=quiet) as on_progress:
                shown = preview_undo(at.services, at.actor, undo.job, on_progress=on_progress)
            answer(plan_document(shown), as_json=as_json, text=lambda: say_plan(shown, undoes=undo.job))
            raise typer.Exit(exit_codes.DONE if shown.allowed else exit_codes.REFUSED)
        confirm(_taking_back(undo), yes=yes)
        with shown_progress(quiet=quiet) as on_progress:
            done = perform_undo(at.services, at.actor, undo.job, preview=preview, on_progress=on_progress)
    answer(done, as_json=as_json, text=lambda: say_done(done))


def _taking_back(undo: UndoView) -> str:
    when = f" of {words.moment(undo.finished_at)}" if undo.finished_at else ""
    already = f"It was undone already, at {words.moment(undo.undone_at)}. " if undo.undone_at else ""
    what = f"takes the restore of {undo.restored}{when} back"
    return f"{already}This {what}, and with it whatever changed in its tables since."


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    """The options of a restore. `into` is another database's address, None for the protected one."""

    new: NewRestore
    into: str | None
    dry_run: bool
    refresh_views: bool
    yes: bool
    as_json: bool
    quiet: bool


def _restore(asked: _Asked) -> None:
    refreshed = None
    _refuse_both(asked)
    with installation() as at:
        preview = _look(at, asked)
        onto = "the other database" if asked.into else "the running database"
        if asked.dry_run or not preview.allowed:
            answer(plan_document(preview), as_json=asked.as_json, text=lambda: say_plan(preview, onto))
            raise typer.Exit(exit_codes.DONE if preview.allowed else exit_codes.REFUSED)
        if not asked.as_json and not asked.yes:
            say_plan(preview, onto)
        typed = confirm_by_name(preview.backup.name, _warning(asked, preview), yes=asked.yes)
        confirmed = dataclasses.replace(asked.new, backup_id=preview.backup.id, confirm_name=typed)
        with shown_progress(quiet=asked.quiet) as on_progress:
            done = _perform(at, asked, confirmed, on_progress)
            if asked.refresh_views and done.stale_views:
                refreshed = _refresh(at, done, on_progress)

    def text() -> None:
        say_done(done)
        if refreshed is None:
            say_stale(done)
        else:
            say_refreshed(refreshed)

    answer({**plain(done), "refreshed": plain(refreshed)} if refreshed else done, as_json=asked.as_json, text=text)


def _look(at: Console, asked: _Asked) -> RestorePreview:
    """The plan: in rows where it is all that was asked for."""
    from rxbackup.operations.elsewhere import preview_restore_into
    from rxbackup.operations.previews import perform_preview
    from rxbackup.operations.restores import preview_restore

    if asked.into is not None:
        return preview_restore_into(at.services, at.actor, asked.new, asked.into)
    if not asked.dry_run:
        return preview_restore(at.services, at.actor, asked.new)
    with shown_progress(quiet=asked.quiet) as on_progress:
        return perform_preview(at.services, at.actor, asked.new, on_progress=on_progress)


def _warning(asked: _Asked, preview: RestorePreview) -> str:
    tables = words.counted(len(preview.tables), "table")
    if asked.into is not None:
        return f"This changes {tables} of another database. There is no safety backup there, and no way back."
    locked = " Nobody can read tables that are loaded anew meanwhile." if asked.new.maintenance else ""
    return f"This changes {tables} of the running database.{locked}"


def _perform(at: Console, asked: _Asked, confirmed: NewRestore, on_progress: ProgressSink) -> RestoreView:
    from rxbackup.operations.elsewhere import perform_restore_into
    from rxbackup.operations.restores import perform_restore

    if asked.into is not None:
        return perform_restore_into(at.services, at.actor, confirmed, asked.into, on_progress=on_progress)
    return perform_restore(at.services, at.actor, confirmed, on_progress=on_progress)


def _refresh(at: Console, done: RestoreView, on_progress: ProgressSink) -> RefreshView:
    from rxbackup.operations.refreshes import perform_refresh

    return perform_refresh(at.services, at.actor, done.job, on_progress=on_progress)


def _refuse_both(asked: _Asked) -> None:
    if asked.into is not None and asked.refresh_views:
        raise UsageError(
            "Materialized views are refreshed in the protected database only.", hint="Leave --refresh-views out."
        )


def _make_schema(asked: _Asked, name: str, hours: int) -> None:
    from rxbackup.operations.side_schemas import perform_side_schema
    from rxbackup.operations.views import NewSideSchema

    new = asked.new
    if asked.into is not None or asked.dry_run:
        raise UsageError(
            "A schema is made beside the protected tables, and changes none of them: there is nothing to try out.",
            hint="Leave --into and --dry-run out.",
        )
    with installation() as at, shown_progress(quiet=asked.quiet) as on_progress:
        made = perform_side_schema(
            at.services,
            at.actor,
            NewSideSchema(
                new.backup_id,
                name,
                groups=new.groups,
                skip=new.skip,
                tables=new.tables,
                hours=hours,
                trust_foreign=new.trust_foreign,
                store=new.store,
            ),
            on_progress=on_progress,
        )
    answer(made, as_json=asked.as_json, text=lambda: say_made(made))
