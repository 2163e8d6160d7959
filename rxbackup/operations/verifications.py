"""Verifications: does a backup still hold what it promised?"""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import JobView, VerifyView
from rxbackup.progress import ProgressSink


@requires(Permission.VERIFY)
def request_verify(services: Services, actor: Actor, backup: str, *, level: str = "contents") -> JobView:
    """Queue a verification; level is structure or contents."""
    raise NotImplementedError


@requires(Permission.VERIFY)
def perform_verify(
    services: Services,
    actor: Actor,
    backup: str,
    *,
    level: str = "contents",
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> VerifyView:
    """Verify here and now. Damage is reported in the view, not raised."""
    raise NotImplementedError
