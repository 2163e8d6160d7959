"""Who does the work: the leader by itself, or a crew of copiers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rxbackup.backup.copier import CopierSetup, SegmentCopied, SegmentTask, copy_segment, take_over
from rxbackup.backup.crew import Crew
from rxbackup.postgres.connecting import Connection
from rxbackup.vault.vault import Vault

CREW_PAYS_FROM_BYTES = 96 * 1024 * 1024
"""About 1.3 seconds of work for the leader. With less, copiers do not save the half second in which they start."""

_ASKING = 1 / 16
"""To ask whether a segment changed, as a part of reading and storing it. Measured: 2 ms against 35 ms."""

_LEAST_BYTES = 64 * 1024
"""Even an empty segment costs a round trip: half a millisecond, in which so many bytes could be read."""


def copy_all(
    conn: Connection,
    vault: Vault,
    tasks: Sequence[SegmentTask],
    *,
    setup: Callable[[], CopierSetup],
    usual_bytes: int,
    processes: int | None,
) -> Iterator[SegmentCopied | None]:
    """Copy all segments; None now and then, so that the caller can look around.

    The leader asks what changed. As soon as what is left to do is worth it, a crew takes over. So a backup that finds
    nothing changed starts no process, and one that must read everything starts them first.

    Args:
        setup: what copiers need to begin, asked for only if there are any.
        usual_bytes: what a segment probably holds of which nothing is known.
        processes: how many copiers, and them from the beginning; None decides by the work and the cores.
    """
    changed, unknown = _apart(tasks)
    effort = sum(_bytes_of(t, usual_bytes) for t in changed) + sum(_bytes_of(t, usual_bytes) * _ASKING for t in unknown)
    while unknown and processes is None and effort < CREW_PAYS_FROM_BYTES:
        task = unknown.pop()
        effort -= _bytes_of(task, usual_bytes) * _ASKING
        taken_over = take_over(conn, task)
        if taken_over is None:
            effort += _bytes_of(task, usual_bytes)
            changed.append(_to_read(task))
        yield taken_over
    left = changed + unknown[::-1]
    if processes is None and effort < CREW_PAYS_FROM_BYTES:
        for task in left:
            yield copy_segment(conn, vault, task)
        return
    with Crew(setup(), min(processes or os.cpu_count() or 1, len(left) or 1)) as crew:
        yield from crew.copy(left)


def _apart(tasks: Sequence[SegmentTask]) -> tuple[list[SegmentTask], list[SegmentTask]]:
    """Those that must be read, and those that may be unchanged, the first of these last."""
    unknown = [t for t in tasks if t.earlier is not None and t.earlier.horizon is not None]
    return [t for t in tasks if t.earlier is None or t.earlier.horizon is None], unknown[::-1]


def _to_read(task: SegmentTask) -> SegmentTask:
    """The same, with the earlier chunks as anchors only: it was asked already."""
    return task if task.earlier is None else replace(task, earlier=replace(task.earlier, horizon=None))


def _bytes_of(task: SegmentTask, usual_bytes: int) -> int:
    return max(usual_bytes if task.earlier is None else task.earlier.raw_bytes, _LEAST_BYTES)
