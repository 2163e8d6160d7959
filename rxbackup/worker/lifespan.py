"""Start and stop scheduler and worker together with the web app."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def worker_lifespan() -> AsyncIterator[None]:
    """Run the scheduler and one supervised worker process while the app runs; for `app.register_lifespan_task`.

    Builds `wiring.services()` in a thread if the launcher has not done so.
    """
    raise NotImplementedError
    yield
