"""Start and stop scheduler and worker together with the web app."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from rxbackup import wiring
from rxbackup.worker.scheduler import start_scheduler
from rxbackup.worker.supervision import WorkerProcess


@contextlib.asynccontextmanager
async def worker_lifespan() -> AsyncIterator[None]:
    """Run the scheduler and one supervised worker process while the app runs; for `app.register_lifespan_task`.

    Builds `wiring.services()` in a thread if the launcher has not done so, and then also closes it.
    """
    try:
        services, ours = wiring.current(), False
    except RuntimeError:
        services, ours = await asyncio.to_thread(wiring.services), True
    scheduler = start_scheduler(services)
    worker = WorkerProcess(services.settings)
    worker.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
        await worker.stop()
        if ours:
            await asyncio.to_thread(wiring.close)
