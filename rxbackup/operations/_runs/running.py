"""The envelope around every long operation: one row in `jobs`, its progress, its heartbeat and its end.

Whoever performs a job owns its row as long as the row says *running*. Every write asks for that again, so that a
process which was believed dead cannot finish what somebody else has already called interrupted.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import Cancelled, Interrupted, RxbackupError, StatementCancelled, WorkerLost
from rxbackup.operations._runs.claiming import SILENCE_SECONDS, claim_job
from rxbackup.operations._runs.failures import describe_error, state_after
from rxbackup.operations.services import Services
from rxbackup.postgres.cancelling import Statements, cancellable
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.tables.system import Job

_R = TypeVar("_R")

HEARTBEAT_SECONDS = 5.0
_FENCE_SECONDS = SILENCE_SECONDS - 5.0
_WRITE_EVERY_SECONDS = 0.5

stopping = threading.Event()
"""Set when this process was told to end: running jobs stop at their next step and become interrupted."""

_logger = logging.getLogger(__name__)

OnFailure = Callable[[Session, str, Mapping[str, str]], None]
"""(session, job id, error as plain values) → write what else the failure means."""


class Run:
    """A running job, as the code that performs it sees it."""

    def __init__(self, services: Services, actor: Actor, job_id: UUID, on_progress: ProgressSink) -> None:
        self.id = str(job_id)
        self.services = services
        self.actor = actor
        self.started = time.monotonic()
        self._uuid = job_id
        self._watch = on_progress
        self._percent = 0.0
        self._last = Progress("Starting")
        self._written_at = 0.0
        self._alive_at = time.monotonic()
        self._cancelled = False
        self._lost = False
        self._heeded = False
        self._writing = threading.Lock()

    def sink(self, low: float = 0.0, high: float = 100.0) -> ProgressSink:
        """A progress sink for one stage, which fills the bar from `low` to `high` percent."""

        def on_progress(progress: Progress) -> None:
            self.check()
            self._watch(progress)
            share = _share(progress)
            self._percent = max(self._percent, low + (high - low) * share)
            self._last = progress
            if time.monotonic() - self._written_at >= _WRITE_EVERY_SECONDS:
                self.write(progress)

        return on_progress

    def check(self) -> None:
        """Raise if this job has to stop.

        Raises:
            Cancelled: somebody asked for it.
            WorkerLost: others believe this process is dead, or it has lost the database for too long.
            Interrupted: this process was told to end.
        """
        reason = self._reason_to_stop()
        if reason is not None:
            self._heeded = True
            raise reason

    def _reason_to_stop(self) -> Interrupted | None:
        if self._cancelled:
            return Cancelled(f"Cancelled by request of {self.actor.email} or another admin.")
        if self._lost or time.monotonic() - self._alive_at > _FENCE_SECONDS:
            return WorkerLost("This process could not report for so long that the run was given up.")
        if stopping.is_set():
            return Interrupted("The app was stopped while this ran.")
        return None

    def write(self, progress: Progress) -> None:
        """Write progress to the row, and learn whether to go on."""
        self._written_at = time.monotonic()
        self._touch(self._document(progress))
        self.check()

    def beat(self, statements: Statements) -> None:
        """Say that this process lives, and end what the run waits for if it has to stop; for a thread of its own.

        Statements are ended once: what a run that knows of it does then is clearing up.
        """
        self._touch(None)
        if not self._heeded and self._reason_to_stop() is not None:
            self._heeded = statements.cancel() > 0

    def note_commit(self, xid: str, result: Mapping[str, Any]) -> None:
        """Remember the transaction that is about to commit, before it does: who finds this job dead can ask for it.

        `result` is what is known of its result by then.
        """
        with self.services.system.session("system") as session:
            self.require_running(session, unless_cancelled=True)
            values = {"commit_xid": xid, "result": dict(result)}
            session.exec(update(Job).where(col(Job.id) == self._uuid).values(**values))
        # A COMMIT is not cancelled: its answer would be in doubt.
        self._heeded = True

    def require_running(self, session: Session, *, unless_cancelled: bool = False) -> None:
        """Lock the row and make sure that it still says *running*.

        Raises:
            WorkerLost: it says something else.
            Cancelled: a cancellation was accepted meanwhile, and may still be heeded (`unless_cancelled`).
        """
        row = session.exec(
            select(Job.state, Job.cancel_requested).where(col(Job.id) == self._uuid).with_for_update()
        ).first()
        if row is None or row[0] != "running":
            self._lost = True
            raise WorkerLost(f"The run is {row[0] if row else 'gone'} already: nothing more is done for it.")
        if unless_cancelled and row[1]:
            self._cancelled = True
            self.check()

    def succeed(
        self,
        session: Session,
        result: Mapping[str, Any],
        *,
        action: str,
        object_id: str | None,
        is_final: bool = False,
    ) -> None:
        """End the job well, in the caller's transaction, so that the job and what it made become true together.

        Args:
            session: the caller's transaction.
            result: what the operation reports.
            action: for the audit trail.
            object_id: what it was done to.
            is_final: whether it is done beyond recall, so that a cancellation comes too late.
        """
        self.require_running(session, unless_cancelled=not is_final)
        now = func.clock_timestamp()
        session.exec(
            update(Job)
            .where(col(Job.id) == self._uuid)
            .values(
                state="succeeded",
                finished_at=now,
                heartbeat_at=now,
                progress=self._document(self._last),
                result=dict(result),
                error=None,
            )
        )
        self._audit(session, action, object_id, {"job": self.id})

    def _document(self, progress: Progress) -> dict[str, Any]:
        return {**dataclasses.asdict(progress), "percent": round(min(self._percent, 100.0), 1)}

    def _audit(self, session: Session, action: str, object_id: str | None, details: Mapping[str, Any]) -> None:
        audit.append(
            session,
            actor=self.actor.email,
            action=action,
            object_type=action.partition(".")[0],
            object_id=object_id,
            details={**details, "door": self.actor.door},
        )

    def fail(self, error: BaseException, kind: str, object_id: str | None, on_failure: OnFailure | None) -> None:
        """End the job badly."""
        shown = describe_error(error, self.id)
        state = state_after(error)
        with self.services.system.session("system") as session:
            self.require_running(session)
            now = func.clock_timestamp()
            session.exec(
                update(Job).where(col(Job.id) == self._uuid).values(state=state, finished_at=now, error=dict(shown))
            )
            if on_failure is not None:
                on_failure(session, self.id, shown)
            self._audit(session, f"{kind}.{state}", object_id, {"job": self.id, "error": shown["code"]})

    def _touch(self, progress: Mapping[str, Any] | None) -> None:
        values: dict[str, Any] = {"heartbeat_at": func.clock_timestamp()}
        if progress is not None:
            values["progress"] = dict(progress)
        statement = (
            update(Job)
            .where(col(Job.id) == self._uuid, col(Job.state) == "running")
            .values(**values)
            .returning(col(Job.cancel_requested))
        )
        with self._writing:
            try:
                with self.services.system.session("system") as session:
                    row = session.exec(statement).first()
            except (RxbackupError, SQLAlchemyError):
                # One missed beat is no death; `check` counts the seconds.
                _logger.warning("Job %s could not report", self.id, exc_info=True)
                return
            if row is None:
                # Also after a good end, when the last beat crosses it: then nobody asks any more.
                self._lost = True
                return
            self._alive_at = time.monotonic()
            self._cancelled = bool(row[0])


def run_job(
    services: Services,
    actor: Actor,
    kind: str,
    parameters: Mapping[str, Any],
    work: Callable[[Run], _R],
    *,
    job_id: str | None = None,
    on_progress: ProgressSink | None = None,
    on_failure: OnFailure | None = None,
) -> _R:
    """Perform `work` as a job, new or queued, and leave a row that tells the truth whatever happens.

    Args:
        services: the installation.
        actor: on whose behalf.
        kind: backup, restore or verify.
        parameters: what was asked, as plain values; kept in the row.
        work: does it. Calls `run.succeed` in its last transaction.
        job_id: the queued job to perform; None makes a new one.
        on_progress: also told of progress: the terminal's bar.
        on_failure: called in the transaction that ends the job badly.

    Raises:
        Busy: the queued job was taken or cancelled by somebody else; or an exclusive kind runs already.
    """
    run = Run(services, actor, claim_job(services, actor, kind, parameters, job_id), on_progress or ignore_progress)
    object_id = parameters.get("backup_id")
    try:
        with cancellable() as statements, _beating(run, statements):
            try:
                return work(run)
            except StatementCancelled:
                run.check()
                raise
    except BaseException as error:
        _record_failure(run, error, kind, object_id, on_failure)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted("Stopped from the keyboard.") from error
        raise


@contextmanager
def _beating(run: Run, statements: Statements) -> Iterator[None]:
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            run.beat(statements)

    thread = threading.Thread(target=beat, name=f"heartbeat {run.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=HEARTBEAT_SECONDS)


def _record_failure(
    run: Run, error: BaseException, kind: str, object_id: str | None, on_failure: OnFailure | None
) -> None:
    if not isinstance(error, RxbackupError | KeyboardInterrupt):
        _logger.error("Job %s failed", run.id, exc_info=error)
    try:
        run.fail(error, kind, object_id, on_failure)
    except RxbackupError:
        # The database is away or the row was taken over: whoever reaps dead jobs will say what became of it.
        _logger.warning("The end of job %s could not be written", run.id, exc_info=True)


def _share(progress: Progress) -> float:
    for done, total in (
        (progress.bytes_done, progress.bytes_total),
        (progress.rows_done, progress.rows_total),
        (progress.tables_done, progress.tables_total),
    ):
        if total > 0:
            return min(done / total, 1.0)
    return 0.0
