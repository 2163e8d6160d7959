"""`rxbackup backup copy` and `uncopy`: one backup in further stores."""

from __future__ import annotations

from typing import Annotated

import typer

from rxbackup.cli import words
from rxbackup.cli.options import AsJson, BackupId, Quiet, Yes
from rxbackup.cli.progress import shown_progress
from rxbackup.cli.session import answer, confirm, installation, say


def copy(
    backup: BackupId,
    *,
    to: Annotated[str, typer.Option("--to", metavar="STORE", help="The store to copy it to.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Copy a backup to another store as it is: sealed, nothing is unpacked."""
    from rxbackup.operations.copies import perform_copy

    with installation() as at, shown_progress(quiet=quiet) as on_progress:
        made = perform_copy(at.services, at.actor, backup, to, on_progress=on_progress)
    told = f"Copied to {made.store}: {words.size(made.stored_bytes)} were added there."
    answer(made, as_json=as_json, text=lambda: say(told))


def uncopy(
    backup: BackupId,
    *,
    store: Annotated[str, typer.Option("--from", metavar="STORE", help="The store whose copy goes.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete the copy of a backup in one store; the backup and its other copies stay."""
    from rxbackup.operations.backups import show_backup
    from rxbackup.operations.copies import delete_copy

    with installation() as at:
        view = show_backup(at.services, at.actor, backup).view
        confirm(f'Delete the copy of "{view.name}" in {store}?', yes=yes)
        gone = delete_copy(at.services, at.actor, view.id, store)
    told = {"deleted": gone.id, "backup": view.id, "store": store}
    answer(told, as_json=as_json, text=lambda: say(f"Deleted the copy of {view.name} in {store}."))
