"""`rxbackup backup delete` and `undelete`: into the trash, and out of it. `rxbackup trash empty`."""

from __future__ import annotations

from typing import Annotated

import typer

from rxbackup.cli import exit_codes, words
from rxbackup.cli.options import AsJson, BackupId, Yes
from rxbackup.cli.session import answer, confirm, installation, say

app = typer.Typer(no_args_is_help=True, help="What was deleted, and can be had back for some days.")


@app.callback()
def _group() -> None:
    """Commands about the trash."""


@app.command()
def empty(*, yes: Yes = False, as_json: AsJson = False) -> int:
    """Delete for good all that is in the trash. What is in use stays and says why; the exit code is 3 then."""
    from rxbackup.operations.trash import empty_trash, weigh_trash

    with installation() as at:
        found = weigh_trash(at.services, at.actor)
        if found.backups:
            holds = f"{words.counted(found.backups, 'backup')} ({words.size(found.stored_bytes)})"
            confirm(f"Delete {holds} in the trash for good? They cannot be had back.", yes=yes)
        done = empty_trash(at.services, at.actor)

    def show() -> None:
        deleted = f"{words.counted(done.deleted, 'backup')} ({words.size(done.stored_bytes)}) deleted for good."
        say(deleted if found.backups else "The trash is empty.")
        for each in done.staying:
            say(f"{each.name} stays: {each.why}" + (f"\n  → {each.hint}" if each.hint else ""))

    answer(done, as_json=as_json, text=show)
    return exit_codes.REFUSED if done.staying else exit_codes.DONE


def delete(
    backup: BackupId,
    *,
    now: Annotated[bool, typer.Option("--now", help="For good, and at once.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Move a backup to the trash, where it can be had back for some days; or delete it for good."""
    from rxbackup.operations.backups import delete_backup, show_backup
    from rxbackup.operations.trash import trash_backup

    with installation() as at:
        view = show_backup(at.services, at.actor, backup).view
        days = at.services.settings.trash_days
        question = f'Delete "{view.name}" of {words.moment(view.when)} ({words.number(view.rows)} rows)'
        how = " for good?" if now else f"? It can be had back for {words.counted(days, 'day')}."
        confirm(question + how, yes=yes)
        deleted = (delete_backup if now else trash_backup)(at.services, at.actor, view.id)
    left = f"{deleted.error.message}\n  → {deleted.error.hint}" if deleted.state == "deleting" and deleted.error else ""
    told = f"{deleted.name} is being deleted. {left}" if left else f"Deleted {deleted.name}."
    if deleted.trashed_at:
        told = f"{deleted.name} is in the trash until {words.moment(deleted.trash_until)}: `rxbackup backup undelete`."
    whole = {"deleted": deleted.id, "name": deleted.name, "done": not left, "trash_until": deleted.trash_until}
    answer(whole, as_json=as_json, text=lambda: say(told))


def undelete(backup: BackupId, *, as_json: AsJson = False) -> None:
    """Take a backup out of the trash."""
    from rxbackup.operations.trash import undelete_backup

    with installation() as at:
        view = undelete_backup(at.services, at.actor, backup)
    answer(view, as_json=as_json, text=lambda: say(f"{view.name} is back."))
