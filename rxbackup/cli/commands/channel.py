"""`rxbackup channel …`: who hears of what happens."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import words
from rxbackup.cli.options import AsJson, Yes, names
from rxbackup.cli.session import answer, confirm, installation, say, table, tell
from rxbackup.errors import UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from rxbackup.operations.views.channels import ChannelView

app = typer.Typer(no_args_is_help=True, help="Choose who hears of failures, silences, restores and more, and how.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel's name.")]
Events = Annotated[
    str | None, typer.Option("--events", metavar="A,B", help="What to tell there; `channel events` lists them.")
]
_Url = "the address; - reads it from stdin, where nobody else sees it."


@app.command()
def add(
    name: Name,
    *,
    email: Annotated[str | None, typer.Option("--email", metavar="A,B", help="Mail: the readers.")] = None,
    smtp_host: Annotated[str, typer.Option("--smtp-host", metavar="HOST", help="Mail: the server.")] = "",
    smtp_port: Annotated[int | None, typer.Option("--smtp-port", help="Mail: its port.")] = None,
    security: Annotated[str, typer.Option("--security", help="Mail: starttls, tls or none.")] = "starttls",
    sender: Annotated[str, typer.Option("--sender", help="Mail: from whom; default: the first reader.")] = "",
    username: Annotated[str, typer.Option("--username", help="Mail: to sign in at the server.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Mail: read the password from a line of stdin.")
    ] = False,
    webhook: Annotated[str | None, typer.Option("--webhook", metavar="URL", help=f"A web hook: {_Url}")] = None,
    signing_key_stdin: Annotated[
        bool, typer.Option("--signing-key-stdin", help="Web hook: sign with a key, read from a line of stdin.")
    ] = False,
    apprise: Annotated[str | None, typer.Option("--apprise", metavar="URL", help=f"Any service: {_Url}")] = None,
    heartbeat: Annotated[
        str | None, typer.Option("--heartbeat", metavar="URL", help=f"Called after each good backup: {_Url}")
    ] = None,
    events: Events = None,
    as_json: AsJson = False,
) -> None:
    """Add a channel: mail, a web hook, a service of Apprise (Slack, Teams, Telegram, ntfy …), or a heartbeat."""
    from rxbackup.operations.channels import add_channel
    from rxbackup.operations.views.channels import NewChannel

    given = {"email": email, "webhook": webhook, "apprise": apprise, "heartbeat": heartbeat}
    kinds = [kind for kind, value in given.items() if value is not None]
    if len(kinds) != 1:
        raise UsageError("A channel goes one way.", hint="Give one of --email, --webhook, --apprise and --heartbeat.")
    (kind,) = kinds
    new = NewChannel(
        name,
        kind,
        events=names(events),
        to=names(email) or (),
        sender=sender,
        host=smtp_host,
        port=smtp_port,
        security=security,
        username=username,
        password=_line("The password:") if password_stdin else None,
        url=None if kind == "email" else _secret(given[kind] or ""),
        signing_key=_line("The key to sign with:") if signing_key_stdin else None,
    )
    with installation() as at:
        view = add_channel(at.services, at.actor, new)
    answer(
        view, as_json=as_json, text=lambda: say(f"{view.name} is there. Try it: `rxbackup channel test {view.name}`.")
    )


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the channels, what they hear of, and whether messages reach them."""
    from rxbackup.operations.channels import list_channels

    with installation() as at:
        views = list_channels(at.services, at.actor)

    def show() -> None:
        headings = ["Name", "Kind", "Where", "Hears of", "Last sent", "Waiting", "State"]
        table(headings, [_row(view) for view in views], right=(5,))
        for view in views:
            if view.problem:
                say(f"{view.name}: {view.problem} {view.problem_hint}".rstrip())

    answer({"channels": views}, as_json=as_json, text=show)


@app.command("test")
def try_(name: Name, *, as_json: AsJson = False) -> None:
    """Send something there now, and say whether it was taken."""
    from rxbackup.operations.channels import try_channel

    with installation() as at:
        view = try_channel(at.services, at.actor, name)
    answer(view, as_json=as_json, text=lambda: say(f"{view.name} has taken it: {view.where}."))


@app.command()
def change(
    name: Name,
    *,
    rename: Annotated[str | None, typer.Option("--name", metavar="NEW", help="What it is called from now on.")] = None,
    events: Events = None,
    pause: Annotated[bool | None, typer.Option("--pause/--resume", help="Let it rest, or wake it.")] = None,
    email: Annotated[str | None, typer.Option("--email", metavar="A,B", help="Mail: the readers.")] = None,
    smtp_host: Annotated[str | None, typer.Option("--smtp-host", metavar="HOST", help="Mail: the server.")] = None,
    smtp_port: Annotated[int | None, typer.Option("--smtp-port", help="Mail: its port; 0 is the usual one.")] = None,
    security: Annotated[str | None, typer.Option("--security", help="Mail: starttls, tls or none.")] = None,
    sender: Annotated[str | None, typer.Option("--sender", help="Mail: from whom.")] = None,
    username: Annotated[str | None, typer.Option("--username", help="Mail: to sign in at the server.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Mail: read another password from a line of stdin.")
    ] = False,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help=f"All others: {_Url}")] = None,
    signing_key_stdin: Annotated[
        bool, typer.Option("--signing-key-stdin", help="Web hook: read another key from a line of stdin.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Change what a channel hears of, what it is called or where it goes, or let it rest. What is not given stays."""
    from rxbackup.operations.channels import change_channel
    from rxbackup.operations.views.channels import ChannelChange

    change_ = ChannelChange(
        name=rename,
        events=names(events),
        active=None if pause is None else not pause,
        to=names(email),
        sender=sender,
        host=smtp_host,
        port=smtp_port,
        security=security,
        username=username,
        password=_line("The password:") if password_stdin else None,
        url=None if url is None else _secret(url),
        signing_key=_line("The key to sign with:") if signing_key_stdin else None,
    )
    with installation() as at:
        view = change_channel(at.services, at.actor, name, change_)
    answer(view, as_json=as_json, text=lambda: say(f"{view.name} ({view.where}) hears of: {_hears(view)}."))


@app.command()
def remove(name: Name, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove a channel, its secrets, and what still waits for it."""
    from rxbackup.operations.channels import remove_channel

    with installation() as at:
        confirm(f"Remove the channel {name}?", yes=yes)
        view = remove_channel(at.services, at.actor, name)
    answer({"removed": view.name}, as_json=as_json, text=lambda: say(f"Removed {view.name}."))


@app.command()
def events(*, as_json: AsJson = False) -> None:
    """List what can be told."""
    from rxbackup.operations.channels import list_events

    with installation() as at:
        views = list_events(at.services, at.actor)

    def show() -> None:
        table(["Event", "", "Usual"], [[v.name, v.meaning, "yes" if v.is_usual else "–"] for v in views])

    answer({"events": views}, as_json=as_json, text=show)


@app.command()
def messages(
    *, limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="So many.")] = 20, as_json: AsJson = False
) -> None:
    """List the latest messages: what was sent, what waits, what was given up, and why."""
    from rxbackup.operations.channels import recent_messages

    with installation() as at:
        views = recent_messages(at.services, at.actor, limit=limit)

    def show() -> None:
        rows = [[words.moment(v.created_at), v.channel, v.subject, v.state, v.problem] for v in views]
        table(["When", "Channel", "Subject", "State", ""], rows)

    answer({"messages": views}, as_json=as_json, text=show)


def _secret(given: str) -> SecretStr:
    from pydantic import SecretStr

    return _line("The address:") if given == "-" else SecretStr(given)


def _line(question: str) -> SecretStr:
    from pydantic import SecretStr

    if sys.stdin.isatty():
        tell(question)
    line = sys.stdin.readline().strip()
    if not line:
        raise UsageError("stdin holds nothing.", hint="Give it as a line of its own.")
    return SecretStr(line)


def _row(view: ChannelView) -> list[str]:
    state = "paused" if not view.active else "failing" if view.problem else "ok" if view.last_sent_at else "untested"
    sent = words.moment(view.last_sent_at)
    return [view.name, view.kind, view.where, _hears(view), sent, words.number(view.waiting), state]


def _hears(view: ChannelView) -> str:
    return "nothing: it is paused" if not view.active else ", ".join(view.events)
