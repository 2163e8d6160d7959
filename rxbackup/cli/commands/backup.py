"""`rxbackup backup …`: take, list, show, verify, download, pin and delete backups."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import exit_codes, words
from rxbackup.cli.files import target
from rxbackup.cli.options import AsJson, BackupId, Groups, Quiet, names
from rxbackup.cli.progress import shown_progress
from rxbackup.cli.session import answer, installation, plain, say, table
from rxbackup.errors import UsageError

if TYPE_CHECKING:
    from rxbackup.operations.views import BackupDetail, BackupView, VerifyView

app = typer.Typer(no_args_is_help=True, help="Take, list, show, verify, download, pin and delete backups.")


@app.command()
def create(
    *,
    name: Annotated[str | None, typer.Option("--name", help="Default: the date and time.")] = None,
    description: Annotated[str, typer.Option("--description", help="Anything worth remembering.")] = "",
    groups: Groups = None,
    store: Annotated[str, typer.Option("--store", help="Where it rests.")] = "database",
    copy_to: Annotated[
        list[str] | None, typer.Option("--copy-to", metavar="STORE", help="Copy it there as well; may be repeated.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read every row again.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Take a backup here and now."""
    from rxbackup.operations.backups import default_name, perform_backup, show_backup
    from rxbackup.operations.copies import perform_copy
    from rxbackup.operations.views import NewBackup

    with installation() as at, shown_progress(quiet=quiet) as on_progress:
        new = NewBackup(
            name=name if name is not None else default_name(at.services.clock().astimezone()),
            description=description,
            groups=names(groups),
            store=store,
            full=full,
            copies=tuple(copy_to or ()),
        )
        view = perform_backup(at.services, at.actor, new, on_progress=on_progress)
        for place in new.copies:
            perform_copy(at.services, at.actor, view.id, place, on_progress=on_progress)
        if new.copies:
            view = show_backup(at.services, at.actor, view.id).view
    answer(view, as_json=as_json, text=lambda: _say_created(view))


@app.command("list")
def list_(
    *,
    text: Annotated[str, typer.Option("--text", help="Only those whose name, description or author holds this.")] = "",
    state: Annotated[str | None, typer.Option("--state", help="Only those that are complete, failed, ….")] = None,
    schedule: Annotated[
        str | None, typer.Option("--schedule", metavar="NAME", help="Only those of a schedule.")
    ] = None,
    trash: Annotated[bool, typer.Option("--trash", help="What is in the trash, and nothing else.")] = False,
    page: Annotated[int, typer.Option("--page", min=1, help="Which page of 50.")] = 1,
    as_json: AsJson = False,
) -> None:
    """List backups, newest first."""
    from rxbackup.operations.backups import list_backups
    from rxbackup.operations.schedules import show_schedule
    from rxbackup.operations.views import BackupQuery

    with installation() as at:
        of = show_schedule(at.services, at.actor, schedule).id if schedule else None
        query = BackupQuery(text=text, state=state, schedule_id=of, trash=trash, page=page)
        found = list_backups(at.services, at.actor, query)
    if found.page != page:
        last = "there is one page only" if found.pages == 1 else f"the last is page {found.pages}"
        raise UsageError(f"There is no page {page}: {last}.", hint=f"Give --page {found.pages}, or less.")

    def show() -> None:
        if not found.items:
            nothing = "The trash is empty." if trash else "No backups."
            say("No backup matches." if text or state or schedule else nothing)
            return
        rows = [_row(view) for view in found.items]
        table(["Id", "Name", "When", "By", "Rows", "Stored", "Where", "State", "Proof"], rows, right=(4, 5))
        at_risk = sum(_is_lost_with_server(view) for view in found.items)
        if at_risk:
            say(f"Same server: not a disaster copy ({words.counted(at_risk, 'backup')} of these rest nowhere else).")
        if found.pages > 1:
            say(f"Page {found.page} of {found.pages}, {found.total} backups.")

    whole = {"backups": found.items, "total": found.total, "page": found.page, "pages": found.pages}
    answer(whole, as_json=as_json, text=show)


@app.command()
def show(backup: BackupId, *, as_json: AsJson = False) -> None:
    """Show everything about one backup."""
    from rxbackup.operations.backups import show_backup

    with installation() as at:
        detail = show_backup(at.services, at.actor, backup)
    whole = {**plain(detail.view), **{k: v for k, v in plain(detail).items() if k != "view"}}
    # `groups` and `tables` are counts and names in the list, and whole objects here.
    whole["table_count"] = detail.view.tables
    answer(whole, as_json=as_json, text=lambda: _say_detail(detail))


@app.command()
def verify(
    backup: BackupId,
    *,
    level: Annotated[
        str,
        typer.Option("--level", help="structure: all is there; contents: all opens; drill: it restores."),
    ] = "contents",
    store: Annotated[
        str | None, typer.Option("--from", metavar="STORE", help="Verify the copy that rests there.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check that a backup still holds what it promised. Exit code 5 if it does not, 3 if a drill cannot tell."""
    from rxbackup.operations.verifications import perform_verify

    with installation() as at, shown_progress(quiet=quiet) as on_progress:
        found = perform_verify(at.services, at.actor, backup, level=level, store=store, on_progress=on_progress)
    answer({**plain(found), "proven": found.proven}, as_json=as_json, text=lambda: _say_verified(found))
    if not found.proven:
        raise typer.Exit(exit_codes.REFUSED if found.ok else exit_codes.CORRUPT)


@app.command()
def pin(backup: BackupId, *, as_json: AsJson = False) -> None:
    """Pin a backup, so that nothing removes it."""
    _set_pinned(backup, pinned=True, as_json=as_json)


@app.command()
def unpin(backup: BackupId, *, as_json: AsJson = False) -> None:
    """Let a pinned backup go again."""
    _set_pinned(backup, pinned=False, as_json=as_json)


@app.command()
def download(
    backup: BackupId,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to; - is stdout.")],
    format_name: Annotated[str, typer.Option("--format", help="json, sql or archive.")] = "json",
    passphrase_stdin: Annotated[
        bool, typer.Option("--passphrase-stdin", help="A passphrase opens the archive too: one line of stdin.")
    ] = False,
    store: Annotated[
        str | None, typer.Option("--from", metavar="STORE", help="Read the copy that rests there.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a backup into a file: for people and other programs (json, sql), or for rxbackup elsewhere (archive)."""
    from rxbackup.cli.commands.importing import read_passphrase
    from rxbackup.operations.downloads import export_to

    if str(output) == "-" and as_json:
        raise UsageError("--json and -o - both want stdout.", hint="Give a file.")
    passphrase = read_passphrase() if passphrase_stdin else None
    with installation() as at, target(output, force=force) as stream, shown_progress(quiet=quiet) as on_progress:
        written = export_to(
            at.services,
            at.actor,
            backup,
            stream,
            format_name=format_name,
            passphrase=passphrase,
            store=store,
            on_progress=on_progress,
        )
    if str(output) != "-":
        whole = {"file": output, "format": format_name, "bytes": written}
        answer(whole, as_json=as_json, text=lambda: say(f"Wrote {words.size(written)} to {output}."))


def _set_pinned(backup: str, *, pinned: bool, as_json: bool) -> None:
    from rxbackup.operations.backups import set_pinned

    with installation() as at:
        view = set_pinned(at.services, at.actor, backup, pinned=pinned)
    answer(view, as_json=as_json, text=lambda: say(f"{view.name} is {'pinned' if pinned else 'no longer pinned'}."))


def _say_created(view: BackupView) -> None:
    say(f"{view.name}: {words.number(view.rows)} rows of {view.tables} tables in {words.span(view.seconds)}.")
    say(f"Id {view.id}, {words.size(view.raw_bytes)} of rows, {words.size(view.stored_bytes)} added to {view.store}.")


def _say_verified(found: VerifyView) -> None:
    if not found.ok:
        say(f"Damaged ({found.level}):")
        for line in found.damaged:
            say(f"  {line}")
        say("Take a new backup now, and verify the others.")
    elif found.level == "drill":
        rows = f"{words.number(found.rows_checked)} rows of {words.counted(found.tables_checked, 'table')}"
        say(f"Restored into a {found.place} of its own and found the same: {rows}, in {words.span(found.seconds)}.")
    else:
        say(f"Nothing is damaged: {found.checked_chunks} chunks checked in {words.span(found.seconds)}.")
    if found.unproven:
        say("Not proven, because the database is not as the backup has it:")
        for line in found.unproven:
            say(f"  {line}")


def _say_detail(detail: BackupDetail) -> None:
    view = detail.view
    facts = [
        ["Id", view.id],
        ["Name", view.name + (" (pinned)" if view.pinned else "")],
        ["Description", view.description or "–"],
        ["When", words.moment(view.when)],
        ["By", f"{view.created_by} ({view.trigger}{f' {view.schedule}' if view.schedule else ''})"],
        ["State", _state(view)],
        ["Proof", _proof(view) if view.verified_level else "none"],
        *[["", f"{proof.level} {words.moment(proof.at)}"] for proof in detail.proofs],
        ["Rows", f"{words.number(view.rows)} in {view.tables} tables, {words.size(view.raw_bytes)}"],
        ["Stored", f"{words.size(view.stored_bytes)} added to {view.store}"],
        ["", f"{words.size(detail.frees_bytes)} freed by deleting it"],
        ["Where", _places(view)],
        ["Read", _reading(detail)],
        ["Chunks", words.number(detail.chunks)],
        ["Server", f"{detail.database}, PostgreSQL {detail.server_version}" if detail.database else "–"],
        ["Took", words.span(view.seconds)],
    ]
    table(["", ""], facts)
    if _is_lost_with_server(view):
        say("\nSame server: not a disaster copy. `rxbackup backup copy` takes it elsewhere.")
    if view.error:
        say(f"\n{view.error.message}\n  → {view.error.hint}")
    for warning in detail.warnings:
        say(f"\nWarning: {warning}")
    if detail.tables:
        say()
        rows = [[t.name, t.group, words.number(t.rows), words.size(t.raw_bytes)] for t in detail.tables]
        table(["Table", "Group", "Rows", "Size"], rows, right=(2, 3))


def _reading(detail: BackupDetail) -> str:
    """What was read from the database, and what was taken over from whom."""
    view = detail.view
    said = f"{words.number(view.segments_read)} of {words.number(view.segments_total)} segments"
    if not detail.reused_segments:
        return f"{said} read"
    base = f'"{detail.base_name}"' if detail.base_name else "a backup that is deleted; this one is complete without it"
    return f"{said} read, {words.number(detail.reused_segments)} reused from {base}"


def _row(view: BackupView) -> list[str]:
    return [
        view.id[:8],
        view.name + (" (pinned)" if view.pinned else ""),
        words.moment(view.when),
        view.schedule or view.created_by,
        words.number(view.rows),
        words.size(view.stored_bytes),
        _places(view),
        _state(view),
        _proof(view),
    ]


def _state(view: BackupView) -> str:
    damaged = " (damaged)" if view.state == "complete" and view.error else ""
    trashed = f", in the trash until {words.moment(view.trash_until)}" if view.trashed_at else ""
    return view.state + damaged + trashed


def _is_lost_with_server(view: BackupView) -> bool:
    """Whether every place where it is complete goes down with the protected database."""
    complete = [place.same_server for place in view.places if place.state == "complete"]
    return bool(complete) and all(complete)


def _places(view: BackupView) -> str:
    """Where it rests, first where it was taken: "database, offsite (copying)"."""
    shown = {"running": " (copying)", "failed": " (failed)"}
    first, *copies = view.places or ("",)
    if not first:
        return view.store
    return ", ".join([view.store, *(f"{place.store}{shown.get(place.state, '')}" for place in copies)])


def _proof(view: BackupView) -> str:
    """The level of proof and its age."""
    if view.verified_level is None:
        return "–"
    return f"{view.verified_level}, {words.age(view.verified_at, datetime.now(UTC))}"
