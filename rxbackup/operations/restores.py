"""Restores: preview, ask, perform."""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import (
    GroupPreview,
    JobView,
    NewRestore,
    ProblemView,
    RestorePreview,
    RestoreView,
    TableChange,
    TablePreview,
)
from rxbackup.progress import ProgressSink


@requires(Permission.RESTORE)
def preview_restore(services: Services, actor: Actor, new: NewRestore) -> RestorePreview:
    """What a restore would do: nothing is changed. May take seconds: call it in a thread."""
    raise NotImplementedError


@requires(Permission.RESTORE)
def request_restore(services: Services, actor: Actor, new: NewRestore) -> JobView:
    """Queue a restore. `new.confirm_name` must be the backup's name."""
    raise NotImplementedError


@requires(Permission.RESTORE)
def perform_restore(
    services: Services,
    actor: Actor,
    new: NewRestore,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> RestoreView:
    """Restore here and now: plan → safety backup → one transaction → report."""
    raise NotImplementedError
