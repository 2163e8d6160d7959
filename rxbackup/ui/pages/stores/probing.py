"""Following a test of a store while it runs in its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rxbackup.operations.views import ProbeCheck

_T = TypeVar("_T")

_LOOK_EVERY_SECONDS = 0.15


async def follow(
    work: Callable[[Callable[[ProbeCheck], None]], _T], show: Callable[[tuple[ProbeCheck, ...]], Awaitable[None]]
) -> _T:
    """Run blocking `work` in a thread, and show the checks seen so far whenever there are more.

    Args:
        work: takes a function that it calls with each check, from whatever thread.
        show: draws the checks so far.

    Returns:
        What `work` returns.
    """
    seen: list[ProbeCheck] = []
    task = asyncio.create_task(asyncio.to_thread(work, seen.append))
    shown = 0
    while not task.done() or shown < len(seen):
        await asyncio.wait({task}, timeout=_LOOK_EVERY_SECONDS)
        if shown < len(seen):
            shown = len(seen)
            await show(tuple(seen[:shown]))
    return task.result()
