"""Errors become exit codes and words, in one place."""

from __future__ import annotations

import json
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir

from rxbackup.errors import Interrupted, RxbackupError, UsageError

DONE = 0
FAILED = 1
USAGE = 2
REFUSED = 3
NOT_FOUND = 4
CORRUPT = 5
INTERRUPTED = 6


def tell_error(error: BaseException, *, as_json: bool) -> int:
    """Print an error for people (stderr) or for machines (stdout); the exit code it stands for."""
    known = _known(error)
    shown = {"code": known.code, "message": known.message, "hint": known.hint}
    if as_json:
        sys.stdout.write(json.dumps({"error": shown}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"Error: {known.message}\n")
        if known.hint:
            sys.stderr.write(f"  → {known.hint}\n")
    return known.exit_code


def _known(error: BaseException) -> RxbackupError:
    if isinstance(error, RxbackupError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("Stopped from the keyboard.", hint="Nothing is half done: start it again when you like.")
    if isinstance(error, MemoryError):
        return RxbackupError(
            "The machine ran out of memory.", hint="Set RXBACKUP_PROCESSES=1 or give the machine more memory."
        )
    where = _write_down(error)
    return Unexpected(
        f"Something unexpected happened ({type(error).__name__}).",
        hint=f"The details are in {where}. Please report them; they may name tables and paths, but hold no rows.",
    )


class Unexpected(RxbackupError):
    """Something happened that nobody thought of."""


class BadCommand(UsageError):
    """The command line makes no sense."""

    default_hint = "Add --help to see what is possible."

    @property
    def code(self) -> str:
        """The same code as any other usage error."""
        return "usage-error"


def _write_down(error: BaseException) -> Path | str:
    """Append the traceback to a log file of this user, in a place that is always writable."""
    text = "".join(traceback.format_exception(error))
    path = Path(gettempdir()) / f"rxbackup-{_user()}.log"
    try:
        # The folder is everybody's: never follow a link that somebody else put there.
        with open(path, "a", encoding="utf-8", opener=_open_own) as file:
            file.write(f"── {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC ── {' '.join(sys.argv[1:3])}\n{text}\n")
    except OSError:
        sys.stderr.write(text)
        return "the text above"
    return path


def _open_own(path: str, flags: int) -> int:
    import os

    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _user() -> str:
    import os

    return str(os.getuid()) if hasattr(os, "getuid") else "user"
