"""Accounts of people."""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import AccountView


@requires(Permission.ADMINISTER)
def create_admin(services: Services, actor: Actor, email: str, password: str) -> AccountView:
    """Create an admin, or give an existing account a new password and make it an active admin again."""
    raise NotImplementedError


@requires(Permission.ADMINISTER)
def first_admin_email(services: Services, actor: Actor) -> str | None:
    """The email of the oldest active admin account."""
    raise NotImplementedError
