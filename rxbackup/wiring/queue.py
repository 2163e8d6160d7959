"""The queue: procrastinate on the system database, in a schema of its own."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from rxbackup.errors import DatabaseUnavailable

if TYPE_CHECKING:
    import procrastinate

QUEUE = "rxbackup"
TASK = "perform"
_SEARCH_PATH = "-c search_path=rxbackup_queue"


def queue_app(system_url: str) -> procrastinate.App:
    """The procrastinate app: no connection is made before it is opened."""
    import procrastinate

    connector = procrastinate.PsycopgConnector(
        conninfo=system_url,
        kwargs={"options": _SEARCH_PATH, "connect_timeout": 10, "application_name": "rxbackup queue"},
        min_size=1,
        max_size=4,
        timeout=10.0,
    )
    return procrastinate.App(connector=connector)


def __getattr__(name: str) -> type[Exception]:
    """`ConnectorError`, what the queue raises when its database goes away; imported only where it is asked for."""
    if name == "ConnectorError":
        from procrastinate.exceptions import ConnectorException

        return ConnectorException
    raise AttributeError(name)


class JobQueue:
    """Hands jobs to workers; connects when the first job is handed over."""

    def __init__(self, system_url: str) -> None:
        self._system_url = system_url
        self._lock = threading.Lock()
        self._app: procrastinate.App | None = None

    def put(self, job_id: str, kind: str) -> int | None:
        """Queue a job and wake a worker. A job that waits in the queue already is not queued twice.

        Raises:
            DatabaseUnavailable: the queue's database does not answer.
        """
        # Imported late: most commands of the terminal queue nothing, and it takes its time.
        from procrastinate import exceptions

        try:
            deferrer = self._opened().configure_task(
                TASK, allow_unknown=True, queue=QUEUE, queueing_lock=job_id, lock=job_id
            )
            return int(deferrer.defer(job_id=job_id, kind=kind))
        except exceptions.AlreadyEnqueued:
            return None
        except exceptions.ConnectorException as error:
            raise DatabaseUnavailable("The queue's database does not answer.") from error

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock, contextlib.suppress(Exception):
            app, self._app = self._app, None
            if app is not None:
                app.close()

    def _opened(self) -> procrastinate.App:
        with self._lock:
            if self._app is None:
                import procrastinate

                app = procrastinate.App(
                    connector=procrastinate.SyncPsycopgConnector(
                        conninfo=self._system_url,
                        kwargs={"options": _SEARCH_PATH, "connect_timeout": 10, "application_name": "rxbackup queue"},
                        min_size=1,
                        max_size=2,
                        timeout=10.0,
                    )
                )
                try:
                    app.open()
                except Exception as error:
                    # The pool's own errors are psycopg's, which this room does not know by name.
                    raise DatabaseUnavailable("The queue's database does not answer.") from error
                self._app = app
            return self._app
