"""Can this instance do its work?"""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import open_to_all, requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import Check, Readiness


@open_to_all
def readiness(services: Services) -> Readiness:
    """Database reached, schema current, scheduler alive."""
    raise NotImplementedError


@requires(Permission.ADMINISTER)
def record_heartbeat(services: Services, actor: Actor) -> None:
    """Write down that the scheduler's tick ran."""
    raise NotImplementedError
