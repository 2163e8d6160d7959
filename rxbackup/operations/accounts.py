"""Accounts of people."""

from __future__ import annotations

from sqlmodel import col, select

from rxbackup import audit
from rxbackup.access.actor import CONSOLE_EMAIL, Actor
from rxbackup.access.roles import Permission, Role
from rxbackup.errors import UsageError
from rxbackup.operations._people import clean_email, hash_new_password, write_admin
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import AccountView
from rxbackup.tables.system import Account

__all__ = ["AccountView", "create_admin", "first_admin_email", "require_account"]


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


@requires(Permission.ADMINISTER)
def require_account(services: Services, actor: Actor, email: str) -> str:
    """The email, as it is kept, of an active account; or the console's own name, which needs none.

    Who works on the host may do everything in any case. But a name in the audit trail shall be somebody's.

    Raises:
        UsageError: it is no email, or there is no such account.
    """
    if email.strip().lower() == CONSOLE_EMAIL:
        return CONSOLE_EMAIL
    address = clean_email(email)
    with services.system.session(actor.identity) as session:
        known = session.exec(select(Account.id).where(col(Account.email) == address, col(Account.active))).first()
    if known is None:
        raise UsageError(
            f"There is no account {address}.",
            hint=f"Name an account with --as or RXBACKUP_ACTOR, or {CONSOLE_EMAIL}, or give neither.",
        )
    return address
