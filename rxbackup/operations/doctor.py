"""What is wrong with this installation, and what to do about it."""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import Finding


@requires(Permission.ADMINISTER)
def diagnose(services: Services, actor: Actor) -> list[Finding]:
    """Look at everything that commonly goes wrong; findings in the order in which to read them."""
    raise NotImplementedError
