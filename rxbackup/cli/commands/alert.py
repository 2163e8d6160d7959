"""`rxbackup alert …` and `rxbackup status`: what wants a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import exit_codes, words
from rxbackup.cli.options import AsJson
from rxbackup.cli.session import answer, installation, say, table

if TYPE_CHECKING:
    from rxbackup.operations.views.alerts import AlertView

app = typer.Typer(no_args_is_help=True, help="See what wants a person, and say that it is dealt with.")

_SHORT_ID = 8


@app.command("list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what wants a person, the newest first."""
    from rxbackup.operations.alerts import list_alerts

    with installation() as at:
        views = list_alerts(at.services, at.actor, solved=every)
    answer({"alerts": views}, as_json=as_json, text=lambda: _show(views, every=every))


@app.command()
def expect(
    alert: Annotated[str, typer.Argument(metavar="ID", help="The id of an open alert, or the beginning of it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say that it was expected or is dealt with: the alert is over, and retention goes on if it was held."""
    from rxbackup.operations.alerts import expect_alert

    with installation() as at:
        view = expect_alert(at.services, at.actor, alert)
    answer(view, as_json=as_json, text=lambda: say(f"Over: {view.title}."))


def status(*, as_json: AsJson = False) -> None:
    """Say how fresh the backups are and what wants a person. Exit code 1 if something is late or open."""
    from rxbackup.operations.alerts import list_alerts
    from rxbackup.operations.freshness import show_freshness

    with installation() as at:
        freshness = show_freshness(at.services, at.actor)
        open_ = list_alerts(at.services, at.actor)

    def show() -> None:
        for view in freshness:
            say(f"{view.state:<7}{view.sentence}")
        if open_:
            say()
            _show(open_, every=False)

    answer({"freshness": freshness, "alerts": open_}, as_json=as_json, text=show)
    if open_ or any(view.state in {"late", "never"} for view in freshness[:1]):
        raise typer.Exit(exit_codes.FAILED)


def _show(views: tuple[AlertView, ...], *, every: bool) -> None:
    if not views:
        say("There was no alert yet." if every else "Nothing wants a person.")
        return
    rows = [[v.id[:_SHORT_ID], words.moment(v.raised_at), v.severity, v.title, _over(v)] for v in views]
    table(["Id", "Since", "", "What", "Over"], rows)
    for view in views:
        if view.solved_at is None:
            say()
            say(f"{view.id[:_SHORT_ID]}: {view.message}")
            if view.hint:
                say(f"  What to do: {view.hint}")
            for name, value in view.facts:
                say(f"  {name}: {value}")


def _over(view: AlertView) -> str:
    return f"{words.moment(view.solved_at)} by {view.solved_by}" if view.solved_at else "–"
