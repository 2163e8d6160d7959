"""The places where backups rest."""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import StoreView


@requires(Permission.VIEW)
def list_stores(services: Services, actor: Actor) -> tuple[StoreView, ...]:
    """Every store, with whether it is lost together with the protected database."""
    raise NotImplementedError
