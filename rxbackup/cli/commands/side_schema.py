"""`rxbackup side-schema`: schemas that hold rows of backups beside the tables, made by `restore --into-schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import words
from rxbackup.cli.options import AsJson
from rxbackup.cli.session import answer, installation, say, table

if TYPE_CHECKING:
    from rxbackup.operations.views import SideSchemaView

app = typer.Typer(no_args_is_help=True, help="Rows of backups beside the tables, made by `restore --into-schema`.")


@app.command("list")
def list_all(*, as_json: AsJson = False) -> None:
    """List the schemas that hold rows of backups."""
    from rxbackup.operations.side_schemas import list_side_schemas

    with installation() as at:
        views = list_side_schemas(at.services, at.actor)
    answer({"side_schemas": views}, as_json=as_json, text=lambda: _say(views))


@app.command()
def drop(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the schema.")], *, as_json: AsJson = False
) -> None:
    """Drop one before its time is over; the tables that are protected are not touched."""
    from rxbackup.operations.side_schemas import drop_side_schema

    with installation() as at:
        drop_side_schema(at.services, at.actor, name)
    answer({"dropped": name}, as_json=as_json, text=lambda: say(f"The schema {name} is dropped."))


def _say(views: tuple[SideSchemaView, ...]) -> None:
    if not views:
        say("There is none. `rxbackup restore ID --into-schema NAME` makes one.")
        return
    rows = [
        [v.name, v.backup_name or v.backup_id, words.number(v.tables), words.size(v.bytes), words.moment(v.expires_at)]
        for v in views
    ]
    table(["Schema", "Backup", "Tables", "Size", "Until"], rows, right=(2, 3))
