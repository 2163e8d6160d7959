"""Keep one worker process running beside the web app."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process

from rxbackup.settings import Settings

_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
_STEADY_SECONDS = 60.0
_STOP_SECONDS = 8.0

_logger = logging.getLogger(__name__)


class WorkerProcess:
    """One worker, started again whenever it dies, more slowly each time until it holds for a minute.

    Its standard input is a pipe from us. When we are gone, however we went, the pipe ends and the worker stops.
    """

    def __init__(self, settings: Settings) -> None:
        self._environment = child_environment(settings)
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process number, while there is one."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def start(self) -> None:
        """Start it, and keep it running."""
        self._task = asyncio.create_task(self._keep_running(), name="worker supervision")

    async def stop(self) -> None:
        """Stop it: gracefully, and after some seconds in any case."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            _logger.warning("The worker did not stop in time and was killed")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep_running(self) -> None:
        clock = asyncio.get_running_loop().time
        delay = _FIRST_DELAY_SECONDS
        while True:
            started = clock()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "rxbackup.worker", "--attached", stdin=PIPE, env=self._environment
            )
            code = await self._process.wait()
            if clock() - started > _STEADY_SECONDS:
                delay = _FIRST_DELAY_SECONDS
            _logger.warning("The worker ended with %s; it is started again in %.1f s", code, delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment in which a child process reads the same settings as we have."""
    environment = dict(os.environ)
    for name in Settings.model_fields:
        value = getattr(settings, name)
        variable = f"RXBACKUP_{name.upper()}"
        if value is None:
            environment.pop(variable, None)
        else:
            plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
            environment[variable] = str(plain)
    return environment
