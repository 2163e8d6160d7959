"""Progress on stderr: a bar on a terminal, now and then a line elsewhere, nothing when asked for quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rxbackup.cli import words
from rxbackup.progress import Progress, ProgressSink, ignore_progress

_LINE_EVERY_SECONDS = 5.0


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[ProgressSink]:
    """A sink that shows what it hears."""
    if quiet:
        yield ignore_progress
    elif sys.stderr.isatty():
        with _bar() as sink:
            yield sink
    else:
        yield _Lines()


class _Lines:
    """One line for each stage, and one every few seconds."""

    def __init__(self) -> None:
        self._stage = ""
        self._at = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage == self._stage and now - self._at < _LINE_EVERY_SECONDS:
            return
        self._stage, self._at = progress.stage, now
        parts = [progress.stage]
        if progress.rows_done:
            parts.append(f"{words.number(progress.rows_done)} rows")
        if progress.bytes_done:
            parts.append(words.size(progress.bytes_done))
        sys.stderr.write(", ".join(parts) + "\n")


@contextmanager
def _bar() -> Iterator[ProgressSink]:
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(bar_width=None),
        rich_progress.TaskProgressColumn(),
        rich_progress.TextColumn("{task.fields[rows]}"),
        rich_progress.DownloadColumn(),
        rich_progress.TransferSpeedColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("Starting", total=None, rows="")

        def sink(heard: Progress) -> None:
            shown.update(
                task,
                description=heard.stage,
                completed=heard.bytes_done,
                total=heard.bytes_total or None,
                rows=f"{words.number(heard.rows_done)} rows" if heard.rows_done else "",
            )

        yield sink
