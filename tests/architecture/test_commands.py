from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer

from rxbackup.cli.main import app


def _commands(tree: typer.Typer, path: str = "rxbackup") -> Iterator[tuple[str, object]]:
    for command in tree.registered_commands:
        name = command.name or command.callback.__name__
        yield f"{path} {name}", command
    for group in tree.registered_groups:
        yield from _commands(group.typer_instance, f"{path} {group.name}")


COMMANDS = dict(_commands(app))
PROMISED = [
    "serve", "worker", "migrate", "doctor", "restore", "undo", "admin create", "demo load", "key check", "prune",
    "backup create", "backup list", "backup show", "backup delete", "backup verify", "backup download",
    "backup pin", "backup unpin", "backup import", "backup copy", "backup uncopy", "backup rows", "compare",
    "backup undelete", "trash empty",
    "schedule add", "schedule list", "schedule show", "schedule pause", "schedule resume",
    "schedule run", "schedule edit", "schedule delete", "retention preview",
    "status", "activity", "alert list", "alert expect", "channel add", "channel list", "channel test", "channel change",
    "channel remove", "channel events", "channel messages",
    "side-schema list", "side-schema drop",
    "store add", "store list", "store test", "store remove", "store rebuild",
]  # fmt: skip


@pytest.mark.parametrize("name", PROMISED)
def test_every_promised_command_is_there_and_documented(name: str) -> None:
    command = COMMANDS[f"rxbackup {name}"]
    assert (command.callback.__doc__ or "").strip().endswith(".")  # type: ignore[attr-defined]


def test_nothing_heavy_is_imported_to_say_what_is_possible() -> None:
    import subprocess
    import sys

    code = (
        "import sys; import rxbackup.cli.main; "
        "print([m for m in ('reflex', 'sqlalchemy', 'psycopg', 'fastapi', 'pydantic') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
