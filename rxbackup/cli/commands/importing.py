"""`rxbackup backup import`: take in an archive or a JSON document."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import words
from rxbackup.cli.options import AsJson, Quiet
from rxbackup.cli.progress import shown_progress
from rxbackup.cli.session import answer, installation, say
from rxbackup.errors import UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from rxbackup.operations.views import BackupView

PassphraseStdin = Annotated[
    bool, typer.Option("--passphrase-stdin", help="Read the archive's passphrase from stdin: one line.")
]


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive or a JSON document of rxbackup.")],
    *,
    name: Annotated[str | None, typer.Option("--name", help="Default: the name that it had.")] = None,
    store: Annotated[str, typer.Option("--store", help="Where it shall rest.")] = "database",
    passphrase_stdin: PassphraseStdin = False,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", metavar="KEY", help="Key file of the installation that made it.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Take in an archive or a JSON document as a backup like any other. SQL is never executed."""
    from rxbackup.operations.imports import perform_import

    passphrase = read_passphrase() if passphrase_stdin else None
    with installation() as at, shown_progress(quiet=quiet) as on_progress:
        view = perform_import(
            at.services,
            at.actor,
            file,
            name=name,
            store=store,
            passphrase=passphrase,
            key_file=key_file,
            on_progress=on_progress,
        )
    answer(view, as_json=as_json, text=lambda: _say_imported(view))


def read_passphrase() -> SecretStr:
    """One line of stdin.

    Raises:
        UsageError: there is none.
    """
    from pydantic import SecretStr

    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise UsageError("There is no passphrase on stdin.", hint="Pipe it in: one line.")
    return SecretStr(line)


def _say_imported(view: BackupView) -> None:
    say(f"{view.name}: {words.number(view.rows)} rows of {view.tables} tables, id {view.id}, in {view.store}.")
    if view.foreign:
        say("It is not signed by this installation's key. Restore it only if you trust where it came from.")
