"""`rxbackup store …`: the places where backups rest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import exit_codes, words
from rxbackup.cli.options import AsJson, Quiet, Yes
from rxbackup.cli.progress import shown_progress
from rxbackup.cli.session import answer, confirm, installation, say, table, tell
from rxbackup.errors import UsageError

if TYPE_CHECKING:
    from rxbackup.operations.views import NewStore, ProbeView, RebuildView, StoreView
    from rxbackup.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Add, list, test, rebuild and remove the places where backups rest.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The store's name.")]
Kind = Annotated[str | None, typer.Option("--kind", help="local (a folder) or s3 (a bucket).")]
PathOption = Annotated[str, typer.Option("--path", metavar="FOLDER", help="local: the folder, from the root on.")]
Bucket = Annotated[str, typer.Option("--bucket", help="s3: the bucket; it must exist.")]
Prefix = Annotated[str, typer.Option("--prefix", help="s3: what all names in the bucket begin with.")]
Region = Annotated[str, typer.Option("--region", help="s3: the bucket's region.")]
Endpoint = Annotated[str, typer.Option("--endpoint", metavar="URL", help="s3: the server, if it is not AWS.")]
Style = Annotated[str, typer.Option("--style", help="s3: path, virtual or auto.")]
AllowHttp = Annotated[bool, typer.Option("--allow-http", help="s3: the endpoint may be http, in a network of yours.")]
SecretsStdin = Annotated[
    bool,
    typer.Option("--secrets-stdin", help="s3: read access key, secret key and session token as lines of stdin."),
]

_SECRETS = ("access_key", "secret_key", "session_token")


@app.command()
def add(
    name: Name,
    *,
    kind: Kind = None,
    path: PathOption = "",
    bucket: Bucket = "",
    prefix: Prefix = "",
    region: Region = "",
    endpoint: Endpoint = "",
    style: Style = "auto",
    allow_http: AllowHttp = False,
    secrets_stdin: SecretsStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add a place. It is tried first, and nothing is saved if that fails.

    The credentials of a bucket come from RXBACKUP_S3_ACCESS_KEY, RXBACKUP_S3_SECRET_KEY and, if there is one,
    RXBACKUP_S3_SESSION_TOKEN, or from stdin. They are sealed with the key, and never shown again.
    """
    from rxbackup.operations.stores import add_store

    secrets = _secrets_from_stdin() if secrets_stdin else {}
    with installation() as at:
        new = _new(at.services.settings, secrets, name, kind, path, bucket, prefix, region, endpoint, style, allow_http)
        view = add_store(at.services, at.actor, new)
    answer(view, as_json=as_json, text=lambda: _say_added(view))


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the places, with what rests there and what is free."""
    from rxbackup.operations.stores import list_stores

    with installation() as at:
        views = list_stores(at.services, at.actor)

    def show() -> None:
        table(
            ["Name", "Kind", "Where", "Backups", "Stored", "Free", "State"], [_row(v) for v in views], right=(3, 4, 5)
        )
        for view in views:
            if view.note and view.backups:
                say(f"{view.name}: no copy for a disaster. {view.note}")
            if view.problem:
                say(f"{view.name}: {view.problem}")

    answer({"stores": views}, as_json=as_json, text=show)


@app.command("test")
def probe(name: Name, *, as_json: AsJson = False) -> None:
    """Try everything that a place must do: write, read, list, delete and more. Exit code 1 if it cannot."""
    from rxbackup.operations.stores import probe_store

    with installation() as at:
        view = probe_store(at.services, at.actor, name)
    answer(view, as_json=as_json, text=lambda: _say_probed(name, view))
    if not view.ok:
        raise typer.Exit(exit_codes.FAILED)


@app.command()
def remove(name: Name, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Forget a place and its credentials. Nothing that lies there is deleted."""
    from rxbackup.operations.stores import list_stores, remove_store

    with installation() as at:
        known = next((v for v in list_stores(at.services, at.actor) if v.name == name), None)
        if known is not None:
            confirm(f"Forget the store {name} ({known.where})? What lies there stays.", yes=yes)
        view = remove_store(at.services, at.actor, name)
    answer({"removed": view.name, "where": view.where}, as_json=as_json, text=lambda: say(f"Forgot {view.name}."))


@app.command()
def rebuild(
    name: Name,
    *,
    kind: Kind = None,
    path: PathOption = "",
    bucket: Bucket = "",
    prefix: Prefix = "",
    region: Region = "",
    endpoint: Endpoint = "",
    style: Style = "auto",
    allow_http: AllowHttp = False,
    secrets_stdin: SecretsStdin = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Bring back the backups that a place holds and the catalogue does not know; the place is ours from then on.

    On a machine that has nothing but the key, say what the place is, as with `store add`.
    """
    from rxbackup.operations.stores import rebuild_store

    secrets = _secrets_from_stdin() if secrets_stdin else {}
    with installation() as at:
        new = None
        if kind is not None or path or bucket:
            new = _new(
                at.services.settings, secrets, name, kind, path, bucket, prefix, region, endpoint, style, allow_http
            )
        with shown_progress(quiet=quiet) as on_progress:
            view = rebuild_store(at.services, at.actor, name, new=new, on_progress=on_progress)
    answer(view, as_json=as_json, text=lambda: _say_rebuilt(view))
    if view.unreadable or view.damaged:
        raise typer.Exit(exit_codes.CORRUPT)


def _new(  # noqa: PLR0917 - the options of two commands
    settings: Settings,
    secrets: dict[str, str],
    name: str,
    kind: str | None,
    path: str,
    bucket: str,
    prefix: str,
    region: str,
    endpoint: str,
    style: str,
    allow_http: bool,  # noqa: FBT001
) -> NewStore:
    from pydantic import SecretStr

    from rxbackup.operations.views import NewStore

    given = {
        "access_key": settings.s3_access_key,
        "secret_key": settings.s3_secret_key,
        "session_token": settings.s3_session_token,
    }
    given |= {key: SecretStr(value) for key, value in secrets.items()}
    return NewStore(
        name,
        kind or ("s3" if bucket else "local"),
        path=path,
        bucket=bucket,
        prefix=prefix,
        region=region,
        endpoint=endpoint,
        style=style,
        allow_http=allow_http,
        **given,
    )


def _secrets_from_stdin() -> dict[str, str]:
    """One line each, so that they stay out of the list of processes and of the shell's memory."""
    if sys.stdin.isatty():
        tell("Access key, secret key and session token (or an empty line):")
    lines = [sys.stdin.readline().strip() for _ in _SECRETS]
    if not lines[0] or not lines[1]:
        raise UsageError("stdin holds no credentials.", hint="Give the access key and the secret key, a line each.")
    return {name: line for name, line in zip(_SECRETS, lines, strict=True) if line}


def _row(view: StoreView) -> list[str]:
    free = "–" if view.free_bytes is None else words.size(view.free_bytes)
    stored = words.size(view.stored_bytes)
    name = f"{view.name} (default)" if view.is_default else view.name
    return [name, view.kind, view.where, words.number(view.backups), stored, free, view.state]


def _say_added(view: StoreView) -> None:
    say(f"{view.name} is ready: {view.where}.")
    if view.note:
        say(view.note)
    if view.unknown_backups:
        held = words.counted(view.unknown_backups, "backup")
        say(f"It holds {held} that the catalogue does not know: `rxbackup store rebuild {view.name}` brings them back.")


def _say_probed(name: str, view: ProbeView) -> None:
    rows = [
        [check.name, "ok" if check.ok else "failed", f"{check.seconds:.2f} s", check.detail] for check in view.checks
    ]
    table(["Check", "", "Took", ""], rows, right=(2,))
    say(f"{name} {'can hold backups' if view.ok else 'cannot be used'}.")


def _say_rebuilt(view: RebuildView) -> None:
    back = words.counted(view.added, "backup")
    say(f"{back} of {view.store} brought back in {words.span(view.seconds)}; {view.known} were known.")
    for name in view.damaged:
        say(f"Damaged: {name}. Verify it to see which tables are whole.")
    for line in view.unreadable:
        say(f"Not readable: {line}")
