"""Groups and how many rows they hold right now."""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import GroupCount


@requires(Permission.VIEW)
def count_groups(services: Services, actor: Actor) -> tuple[GroupCount, ...]:
    """Live counts: exact below a million rows a table, PostgreSQL's estimate above. Remembered for some seconds."""
    raise NotImplementedError
