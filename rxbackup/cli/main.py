"""The root of the command line. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from rxbackup import __version__
from rxbackup.cli import exit_codes, session
from rxbackup.cli.commands import (
    activity,
    admin,
    alert,
    backup,
    channel,
    copying,
    host,
    importing,
    looking,
    prune,
    restore,
    retention,
    schedule,
    side_schema,
    store,
    trash,
)

app = typer.Typer(
    name="rxbackup",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Backups of a PostgreSQL application's data: made, checked and restored by its admins.",
    epilog="Settings come from RXBACKUP_… variables; with none, an embedded database with a demo application is used. "
    "Exit codes: 0 done, 1 failed, 2 usage, 3 refused, 4 not found, 5 corrupt, 6 interrupted.",
)

_RUN = "Run"
_CARE = "Look after it"

app.command(rich_help_panel=_RUN)(host.serve)
app.command(rich_help_panel=_RUN)(host.worker)
backup.app.command("copy")(copying.copy)
backup.app.command("import")(importing.import_file)
backup.app.command("rows")(looking.rows)
backup.app.command("uncopy")(copying.uncopy)
backup.app.command("delete")(trash.delete)
backup.app.command("undelete")(trash.undelete)
app.add_typer(backup.app, name="backup", rich_help_panel="Backups")
app.command(rich_help_panel="Backups")(looking.compare)
app.command(rich_help_panel="Backups")(restore.restore)
app.command(rich_help_panel="Backups")(restore.undo)
app.add_typer(side_schema.app, name="side-schema", rich_help_panel="Backups")
app.add_typer(store.app, name="store", rich_help_panel="Backups")
app.add_typer(schedule.app, name="schedule", rich_help_panel="Backups")
app.add_typer(retention.app, name="retention", rich_help_panel="Backups")
app.add_typer(trash.app, name="trash", rich_help_panel="Backups")
app.command("prune", rich_help_panel="Backups")(prune.prune)
app.command(rich_help_panel=_CARE)(alert.status)
app.command(rich_help_panel=_CARE)(activity.activity)
app.add_typer(alert.app, name="alert", rich_help_panel=_CARE)
app.add_typer(channel.app, name="channel", rich_help_panel=_CARE)
app.add_typer(admin.app, name="admin", rich_help_panel=_CARE)
app.add_typer(host.key, name="key", rich_help_panel=_CARE)
app.command(rich_help_panel=_CARE)(host.doctor)
app.command(rich_help_panel=_CARE)(host.migrate)
app.add_typer(host.demo, name="demo", rich_help_panel=_CARE)


def _say_version(asked: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if asked:
        session.say(f"rxbackup {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    as_: Annotated[
        str | None,
        typer.Option("--as", metavar="EMAIL", envvar="RXBACKUP_ACTOR", help="In whose name; default: the first admin."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Print the version.")
    ] = False,
) -> None:
    del version  # its callback has answered
    session.asked_as = as_


def run(arguments: list[str] | None = None) -> NoReturn:
    """The entry point of the `rxbackup` command: run it, and exit with the code that its outcome stands for."""
    given = sys.argv[1:] if arguments is None else arguments
    sys.exit(_run(given))


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        outcome = app(arguments, prog_name="rxbackup", standalone_mode=False)
        return outcome if isinstance(outcome, int) else exit_codes.DONE
    except (KeyboardInterrupt, typer.Abort):
        return exit_codes.tell_error(KeyboardInterrupt(), as_json=as_json)
    except BrokenPipeError:
        # Who read us has had enough: `rxbackup backup list | head`.
        sys.stderr.close()
        return exit_codes.DONE
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a person
        return _tell(error, as_json=as_json)


def _tell(error: Exception, *, as_json: bool) -> int:
    # Typer's own errors know how to say themselves. Where their class lives differs from release to release.
    words = getattr(error, "format_message", None)
    if words is None:
        return exit_codes.tell_error(error, as_json=as_json)
    if type(error).__name__ == "NoArgsIsHelpError":  # the help was printed in its stead
        return exit_codes.USAGE
    return exit_codes.tell_error(exit_codes.BadCommand(words()), as_json=as_json)


if __name__ == "__main__":
    run()
