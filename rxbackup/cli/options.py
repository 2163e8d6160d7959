"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
BackupId = Annotated[str, typer.Argument(metavar="ID", help="Id, the beginning of one, or the exact name of a backup.")]
Groups = Annotated[str | None, typer.Option("--groups", metavar="A,B", help="Only these groups; default: all.")]


def names(text: str | None) -> tuple[str, ...] | None:
    """Names parted by commas: `A, B` is two; None stays None."""
    if text is None:
        return None
    return tuple(name.strip() for name in text.split(",") if name.strip())
