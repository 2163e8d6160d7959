"""The processes that copy, led from here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection as Line
from multiprocessing.connection import wait
from types import TracebackType
from typing import Self

from rxbackup import errors
from rxbackup.backup.copier import CopierSetup, SegmentCopied, SegmentTask

_AHEAD = 2
"""Tasks a copier holds at a time: one to work on, one to go on with while its answer travels."""

_KEEPING_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
"""For glibc's allocator; others do not look. A copier takes and frees the same few megabytes for every chunk: to give
them back to the kernel each time, which zeroes and maps them again, cost a sixth of its processor time.
"""


class Crew:
    """A few copier processes that see the same instant. Leaving the context ends them, whatever they do.

    Args:
        setup: what they need to begin.
        processes: how many, at least 1.
    """

    def __init__(self, setup: CopierSetup, processes: int) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lines: list[Line] = []
        try:
            for _ in range(processes):
                self._hire(setup)
        except BaseException:
            self.dismiss()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dismiss()

    def _hire(self, setup: CopierSetup) -> None:
        ours, theirs = Pipe()
        with theirs:
            self._processes.append(
                subprocess.Popen(  # noqa: S603 - our own interpreter and module, nothing from outside
                    [sys.executable, "-m", "rxbackup.backup", str(theirs.fileno()), str(os.getpid())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env=_KEEPING_MEMORY | os.environ,
                )
            )
        self._lines.append(ours)
        ours.send(setup)

    def copy(self, tasks: Iterable[SegmentTask], *, beat_seconds: float = 0.5) -> Iterator[SegmentCopied | None]:
        """Yield results as they come, and None at least every `beat_seconds` so that the caller can look around.

        Raises:
            errors.RxbackupError: what a copier met; errors.WorkerLost if one died.
        """
        left = deque(tasks)
        open_tasks = dict.fromkeys(self._lines, 1)  # each first says that it is ready
        while any(open_tasks.values()):
            answered = wait([line for line, count in open_tasks.items() if count], timeout=beat_seconds)
            if not answered:
                yield None
            for line in answered:
                assert isinstance(line, Line)  # noqa: S101 - wait() returns what it was given
                answer = self._hear(line)
                open_tasks[line] -= 1
                while left and open_tasks[line] < _AHEAD:
                    self._tell(line, left.popleft())
                    open_tasks[line] += 1
                if answer is not None:
                    yield answer

    def _hear(self, line: Line) -> SegmentCopied | None:
        try:
            answer: SegmentCopied | errors.RxbackupError | None = line.recv()
        except (EOFError, ConnectionResetError) as error:
            raise self._lost() from error
        if isinstance(answer, errors.RxbackupError):
            raise answer
        return answer

    def _tell(self, line: Line, task: SegmentTask) -> None:
        try:
            line.send(task)
        except (BrokenPipeError, ConnectionResetError) as error:
            # It may have said why it ended, and nobody has listened yet.
            while line.poll():
                self._hear(line)
            raise self._lost() from error

    def _lost(self) -> errors.WorkerLost:
        return errors.WorkerLost(
            "A copy process ended unexpectedly.",
            hint="Look for the out-of-memory killer in the system log, then retry.",
        )

    def dismiss(self) -> None:
        """End all processes now."""
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait()
