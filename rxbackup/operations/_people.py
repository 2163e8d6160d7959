"""Accounts: written by setup and by the console, asked at every sign-in and event."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text
from sqlmodel import Session, col, select

from rxbackup.access.passwords import check_acceptable, hash_password
from rxbackup.access.roles import Role
from rxbackup.access.sessions import Lifetimes, end_sessions_of
from rxbackup.errors import DatabaseTrouble, UsageError
from rxbackup.operations.services import Services
from rxbackup.postgres.connecting import connect, translated
from rxbackup.tables.system import Account, Setting

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,190}")


def clean_email(email: str) -> str:
    """The email as it is kept: trimmed, lower case.

    Raises:
        UsageError: it is none.
    """
    wanted = email.strip().lower()
    try:
        wanted.encode()
    except UnicodeEncodeError:
        wanted = ""
    if not _EMAIL.fullmatch(wanted):
        raise UsageError("This is not an email address.", hint="It looks like name@example.org.")
    return wanted


def hash_new_password(email: str, password: str) -> str:
    """The hash of a password that is good enough for this person."""
    local, _, host = email.partition("@")
    check_acceptable(password, context=(local, host.split(".")[0]))
    return hash_password(password)


def write_admin(services: Services, session: Session, email: str, password_hash: str) -> Account:
    """Make the email an active admin with this password; its sessions end."""
    account = session.exec(select(Account).where(col(Account.email) == email).with_for_update()).first()
    if account is None:
        account = Account(id=uuid4(), email=email, password_hash=password_hash)
    account.password_hash = password_hash
    account.role = Role.ADMIN.value
    account.active = True
    account.failed_attempts = 0
    account.locked_until = None
    session.add(account)
    session.flush()
    end_sessions_of(session, email, now=services.clock())
    if is_bundled(session):
        _admit_to_application(services, email)
    return account


def role_of(services: Services, session: Session, email: str) -> str | None:
    """The role an email has now; None if it has no active account.

    An account that says *admin* counts only where `rxbackup.is_admin` agrees, which also asks the bundled application,
    and where the query of the settings agrees, if there is one.
    """
    account = session.exec(select(Account.role).where(col(Account.email) == email, col(Account.active))).first()
    if account is None:
        return None
    if account != Role.ADMIN:
        return account
    agreed = session.connection().execute(text("SELECT rxbackup.is_admin(:email)"), {"email": email}).scalar_one()
    if agreed and services.settings.admin_query:
        agreed = _ask_settings(services, services.settings.admin_query, email)
    return Role.ADMIN.value if agreed else Role.NONE.value


def lifetimes_of(services: Services) -> Lifetimes:
    """How long sessions live, by the settings."""
    return Lifetimes(
        idle=timedelta(minutes=services.settings.session_idle_minutes),
        absolute=timedelta(hours=services.settings.session_hours),
    )


def _ask_settings(services: Services, query: str, email: str) -> bool:
    with connect(services.source_url, application_name="rxbackup") as conn, translated("asking who is an admin"):
        # The query is the installation's own setting; the email is bound, never pasted.
        row = conn.execute(query.encode(), (email,)).fetchone()
    return bool(row and row[0])


def _admit_to_application(services: Services, email: str) -> None:
    """Give the bundled application an active user of this email with role admin."""
    name = email.partition("@")[0]
    with connect(services.source_url, application_name="rxbackup") as conn, translated("admitting the admin"):
        changed = conn.execute(
            "UPDATE public.users SET role = 'admin', active = true WHERE lower(email) = %s", (email,)
        ).rowcount
        if changed == 0:
            conn.execute(
                "INSERT INTO public.users (email, name, role, active) VALUES (%s, %s, 'admin', true)", (email, name)
            )
            return
        if changed > 1:
            raise DatabaseTrouble(f"The application has {changed} users with the email {email}.")


def is_bundled(session: Session) -> bool:
    """Whether the protected database is the bundled application."""
    row = session.get(Setting, "bundled_application")
    return bool(row and row.value)
