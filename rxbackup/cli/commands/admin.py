"""`rxbackup admin …`: accounts of admins."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rxbackup.cli.options import AsJson
from rxbackup.cli.session import answer, installation, say
from rxbackup.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Create admins, or give one a new password.")


@app.callback()
def _family() -> None:
    """Keep `create` a command of its own, although it is the only one."""


@app.command()
def create(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Who; in the bundled application also as a user.")],
    *,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create an admin; an account that exists gets a new password and is made an admin again."""
    from rxbackup.operations.accounts import create_admin

    password = _password_from_stdin() if password_stdin else _password_typed_twice()
    with installation() as at:
        account = create_admin(at.services, at.actor, email, password)
    answer(account, as_json=as_json, text=lambda: say(f"{account.email} is an admin and can sign in now."))


def _password_from_stdin() -> str:
    # One line, so that `echo` works; a password's own spaces stay.
    return sys.stdin.readline().rstrip("\r\n")


def _password_typed_twice() -> str:
    from getpass import getpass

    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to type a password.", hint="Give --password-stdin and pipe it in.")
    first = getpass("Password (12 characters or more): ", stream=sys.stderr)
    if getpass("Once more: ", stream=sys.stderr) != first:
        raise UsageError("The two passwords are not the same.", hint="Try again.")
    return first
