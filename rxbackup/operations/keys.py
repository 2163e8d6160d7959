"""The key that opens the vaults."""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import KeyView


@requires(Permission.ADMINISTER)
def check_key(services: Services, actor: Actor) -> KeyView:
    """Load the key and open every vault with it.

    Raises:
        KeyTrouble: it is missing, damaged, exposed or the wrong one.
    """
    raise NotImplementedError
