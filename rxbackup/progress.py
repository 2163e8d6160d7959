"""The value a long operation hands to whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an operation has come, at one moment.

    Attributes:
        stage: what is being done now, as a short phrase for people ("Reading rows").
        rows_done: rows read or written so far.
        rows_total: rows expected; an estimate, 0 while unknown.
        bytes_done: bytes of row text read or written so far.
        bytes_total: bytes expected; an estimate, 0 while unknown.
        tables_done: tables finished.
        tables_total: tables to do, 0 while unknown.
    """

    stage: str
    rows_done: int = 0
    rows_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    tables_done: int = 0
    tables_total: int = 0


ProgressSink = Callable[[Progress], None]
"""Called often and cheaply by the engine. It may raise `rxbackup.errors.Cancelled` to stop it."""


def ignore_progress(progress: Progress) -> None:
    """Watch nothing: the default sink."""
