"""`rxbackup activity`: what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import words
from rxbackup.cli.options import AsJson
from rxbackup.cli.session import answer, installation, say, table

if TYPE_CHECKING:
    from rxbackup.operations.views.activity import ActivityLine


def activity(
    *,
    kind: Annotated[str | None, typer.Option("--kind", help="backup, restore, check, schedule, person …")] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="done, failed, stopped, refused or missed.")] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="EMAIL", help="Who did it.")] = None,
    text: Annotated[str, typer.Option("--text", help="Words of the line: a name, a person, an error.")] = "",
    page: Annotated[int, typer.Option("--page", min=1, help="Which page.")] = 1,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="So many lines a page.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Say what happened, the newest first: every run that ended, and every act of a person."""
    from rxbackup.operations.activity import list_activity
    from rxbackup.operations.views.activity import ActivityQuery

    query = ActivityQuery(text=text, kind=kind, outcome=outcome, by=by, page=page, per_page=limit)
    with installation() as at:
        found = list_activity(at.services, at.actor, query)

    def show() -> None:
        table(["When", "Who", "What", "", "Took"], [_row(line) for line in found.items])
        say(f"{words.counted(found.total, 'line')}, page {found.page} of {found.pages}.")

    answer(found, as_json=as_json, text=show)


def _row(line: ActivityLine) -> list[str]:
    told = [f"{line.title} {line.subject}".strip(), line.note, *line.damaged[:1]]
    if line.error:
        told += [line.error.message, f"→ {line.error.hint}" if line.error.hint else ""]
    if line.schedule and line.kind != "schedule":
        told.append(f"(schedule {line.schedule})")
    took = words.span(line.seconds) if line.seconds is not None else ""
    return [words.moment(line.at), line.by, " ".join(part for part in told if part), line.outcome, took]
