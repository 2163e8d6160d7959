"""Runs of operations: what runs, what ran, and how to stop it."""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import JobView, ErrorView


@requires(Permission.VIEW)
def active_jobs(services: Services, actor: Actor) -> tuple[JobView, ...]:
    """What is queued or running, oldest first."""
    raise NotImplementedError


@requires(Permission.VIEW)
def recent_jobs(services: Services, actor: Actor, *, limit: int = 20) -> tuple[JobView, ...]:
    """The latest runs, newest first, whatever became of them."""
    raise NotImplementedError


@requires(Permission.VIEW)
def show_job(services: Services, actor: Actor, job_id: str) -> JobView:
    """One run.

    Raises:
        JobNotFound: there is no such run.
    """
    raise NotImplementedError


@requires(Permission.BACK_UP)
def cancel_job(services: Services, actor: Actor, job_id: str) -> JobView:
    """Stop a run: at once if it still waits, at its next step if it runs. A finished run stays as it is."""
    raise NotImplementedError


@requires(Permission.ADMINISTER)
def reap_dead_jobs(services: Services, actor: Actor) -> tuple[str, ...]:
    """Tell the truth about runs whose worker died: ids of those that were found dead."""
    raise NotImplementedError
