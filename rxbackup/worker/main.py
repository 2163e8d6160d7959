"""A worker process: takes jobs from the queue and performs them in threads."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.errors import DatabaseUnavailable, RxbackupError
from rxbackup.operations import jobs
from rxbackup.operations.services import Services
from rxbackup.serving.logs import about_run, write_logs
from rxbackup.settings import Settings
from rxbackup.wiring.queue import QUEUE, TASK, ConnectorError, queue_app
from rxbackup.worker.dispatch import perform_job

JOBS_AT_ONCE = 2
"""A verification or a backup beside a restore. More would only fight over two cores and one disk."""
GRACE_SECONDS = 6.0

_logger = logging.getLogger(__name__)


def run_worker(settings: Settings | None = None, *, attached: bool = False) -> int:
    """Work until told to stop (SIGTERM, SIGINT); the process's exit code.

    Args:
        settings: what the environment says, if not given.
        attached: stop also when standard input ends: the app that started us is gone, however it went.
    """
    settings = settings or wiring.read_settings()
    write_logs(settings.log_format)
    services = wiring.services(settings)
    try:
        jobs.reap_dead_jobs(services, Actor.system())
        asyncio.run(_work(services, attached=attached))
    except ConnectorError as error:
        raise DatabaseUnavailable("The queue's database went away.") from error
    finally:
        wiring.close()
    return 0


async def _work(services: Services, *, attached: bool) -> None:
    app = queue_app(services.system_url)

    @app.task(name=TASK, queue=QUEUE)
    def perform(job_id: str, kind: str) -> None:
        with about_run(job_id, kind):
            perform_job(services, job_id, kind)

    async with app.open_async():
        working = asyncio.create_task(
            app.run_worker_async(
                queues=[QUEUE],
                name=f"rxbackup {os.getpid()}",
                concurrency=JOBS_AT_ONCE,
                install_signal_handlers=False,
                listen_notify=True,
                delete_jobs="always",
                fetch_job_polling_interval=5.0,
                shutdown_graceful_timeout=GRACE_SECONDS,
            )
        )

        def stop() -> None:
            jobs.stop_all_here(services, Actor.system())
            working.cancel()

        _stop_on_signals(stop, attached=attached)
        _logger.info("Worker %s is ready", os.getpid())
        try:
            await working
        except asyncio.CancelledError:
            _logger.info("Worker %s has stopped", os.getpid())


def _stop_on_signals(cancel: Callable[[], None], *, attached: bool) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        cancel()
        # A job that hangs in the database past its grace is cut off; its row says so within half a minute.
        timer = threading.Timer(GRACE_SECONDS + 1, os._exit, args=(1,))
        timer.daemon = True
        timer.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if attached:
        threading.Thread(target=_watch_parent, args=(loop, stop), name="parent watch", daemon=True).start()


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    # The pipe ends when its other end is closed: by the app itself, or by the kernel when the app is killed.
    while os.read(0, 1024):
        pass
    loop.call_soon_threadsafe(stop)


def run() -> None:
    """`python -m rxbackup.worker`."""
    try:
        code = run_worker(attached="--attached" in sys.argv[1:])
    except RxbackupError as error:
        sys.stderr.write(f"Error: {error.message}\n  → {error.hint}\n")
        code = error.exit_code
    sys.exit(code)
