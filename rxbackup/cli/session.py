"""What a command needs: services, an actor, a way to answer. Heavy imports wait until a command really runs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from rxbackup.errors import Refused

if TYPE_CHECKING:
    from rxbackup.access.actor import Actor
    from rxbackup.operations.services import Services

asked_as: str | None = None
"""The email given with --as."""


@dataclasses.dataclass(frozen=True, slots=True)
class Console:
    """An open installation and who works on it."""

    services: Services
    actor: Actor


@contextlib.contextmanager
def installation() -> Iterator[Console]:
    """Open the installation of the environment, and close it again whatever happens."""
    from rxbackup import wiring
    from rxbackup.access.actor import Actor
    from rxbackup.operations.accounts import first_admin_email, require_account

    _end_like_a_keyboard_interrupt()
    logging.basicConfig(level=logging.WARNING, handlers=[_Lines()])
    services = wiring.services(tell=tell)
    try:
        console = Actor.console()
        email = require_account(services, console, asked_as) if asked_as else first_admin_email(services, console)
        yield Console(services, Actor.console(email))
    finally:
        wiring.close()


def answer(value: object, *, as_json: bool, text: Callable[[], None]) -> None:
    """Print the outcome: one JSON object on stdout, or what `text` prints for people."""
    if as_json:
        sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")
    else:
        text()


def plain(value: Any) -> Any:
    """The value as JSON knows it: dataclasses as objects, instants as ISO 8601."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    match value:
        case Mapping():
            return {str(k): plain(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(v) for v in value]
        case datetime():
            return value.isoformat()
        case Path():
            return str(value)
        case _:
            return value


def say(text: str = "") -> None:
    """Print a line for people."""
    sys.stdout.write(text + "\n")


def tell(text: str) -> None:
    """Print a line for people beside the answer: on stderr."""
    sys.stderr.write(text + "\n")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is lost.

    Raises:
        Refused: nobody is there to ask, or the answer is no.
    """
    if yes:
        return
    _need_somebody("--yes")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
        raise Refused("Nothing was changed.", hint="Answer y, or give --yes.")


def confirm_by_name(name: str, warning: str, *, yes: bool) -> str:
    """Have a name typed before something great is changed; what was typed."""
    if yes:
        return name
    _need_somebody("--yes")
    sys.stderr.write(f"{warning}\nType the name of the backup to confirm ({name}): ")
    sys.stderr.flush()
    return sys.stdin.readline().rstrip("\n")


def table(headings: list[str], rows: list[list[str]], *, right: tuple[int, ...] = ()) -> None:
    """Print a table; on a terminal it fits the width."""
    from rich.console import Console as Terminal
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        shown.add_column(heading, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(_escaped(cell) for cell in row))
    # Somebody who pipes a table to a file wants all of it.
    Terminal(width=None if sys.stdout.isatty() else 200, highlight=False).print(shown)


def _escaped(cell: str) -> str:
    from rich.markup import escape

    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cell))


def _need_somebody(option: str) -> None:
    if not sys.stdin.isatty():
        raise Refused("This wants a confirmation, but nobody is there to ask.", hint=f"Give {option} if you mean it.")


class _Lines(logging.Handler):
    """What the engine logs, as single lines on stderr; a traceback is nothing for a terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{record.levelname.capitalize()}: {record.getMessage()}\n")


def _end_like_a_keyboard_interrupt() -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # not the main thread: somebody runs us inside a test
        signal.signal(signal.SIGTERM, interrupt)
