"""Accounts of people."""

from __future__ import annotations

from sqlmodel import col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission, Role
from rxbackup.operations._people import clean_email, hash_new_password, write_admin
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import AccountView
from rxbackup.tables.system import Account

__all__ = ["AccountView", "create_admin", "first_admin_email"]


@requires(Permission.ADMINISTER)
def create_admin(services: Services, actor: Actor, email: str, password: str) -> AccountView:
    """Create an admin, or give an existing account a new password and make it an active admin again.

    In the bundled application the email also becomes an active user with role admin. Its sessions end.

    Raises:
        UsageError: email or password does not do.
    """
    address = clean_email(email)
    hashed = hash_new_password(address, password)
    with services.system.session(actor.identity) as session:
        known = session.exec(select(Account.id).where(col(Account.email) == address)).first() is not None
        account = write_admin(services, session, address, hashed)
        view = AccountView(address, account.role, account.active, account.created_at, account.last_sign_in_at)
        audit.append(
            session,
            actor=actor.email,
            action="account.changed" if known else "account.created",
            object_type="account",
            object_id=address,
            details={"role": Role.ADMIN, "door": actor.door},
        )
    return view


@requires(Permission.ADMINISTER)
def first_admin_email(services: Services, actor: Actor) -> str | None:
    """The email of the oldest active admin account: in whose name the console acts if nobody says otherwise."""
    statement = (
        select(Account.email)
        .where(col(Account.role) == Role.ADMIN.value, col(Account.active))
        .order_by(col(Account.created_at), col(Account.id))
        .limit(1)
    )
    with services.system.session(actor.identity) as session:
        return session.exec(statement).first()
