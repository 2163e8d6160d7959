"""The people of the bundled application whose rows a restore may change: who asks for it, and who is signed in.

In that application an admin is an active row of `public.users` with role admin. The row of the person who restores
stays as it is now, unless she says otherwise. Others whose row was changed or removed have to sign in again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor, Door
from rxbackup.access.sessions import end_sessions_of
from rxbackup.operations._people import is_bundled
from rxbackup.operations._restores.lockout import USERS, is_admin_in
from rxbackup.operations.services import Services
from rxbackup.operations.views import NewRestore
from rxbackup.postgres.connecting import connect, translated
from rxbackup.restore.plan import KeptRow
from rxbackup.tables.system import UserSession
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault


def own_row(
    services: Services, actor: Actor, new: NewRestore, targets: Sequence[str], vault: Vault, manifest: Manifest
) -> KeptRow | None:
    """The row to keep, or None where there is none, or it would not be touched, or shall not be kept.

    At the terminal of the host nobody is ever locked out. There the row is kept only if the backup would take it away,
    or its rights, so that a restore of everything else is exact.
    """
    if USERS not in targets or new.replace_own_account or new.mode == "missing" or actor.door == Door.SYSTEM:
        return None
    with services.system.session("system") as session:
        if not is_bundled(session):
            return None
    if not _rows_of(services, [actor.email]):
        return None
    if actor.door == Door.CONSOLE and is_admin_in(manifest, vault, actor.email):
        return None
    return KeptRow(USERS, "email", actor.email)


def people_signed_in(services: Services, targets: Sequence[str]) -> Mapping[str, str]:
    """The rows of everybody who has a session, by email; empty where a restore of these tables cannot touch them."""
    if USERS not in targets:
        return {}
    with services.system.session("system") as session:
        if not is_bundled(session):
            return {}
        statement = select(UserSession.email).where(col(UserSession.revoked_at).is_(None)).distinct()
        emails = list(session.exec(statement))
    return _rows_of(services, emails) if emails else {}


def end_sessions_of_changed(services: Services, actor: Actor, before: Mapping[str, str]) -> int:
    """End the sessions of everybody whose row is not what it was `before`; how many sessions those were.

    Who restored stays signed in, unless the row is gone.
    """
    if not before:
        return 0
    after = _rows_of(services, list(before))
    changed = [email for email, row in before.items() if after.get(email) != row]
    with services.system.session("system") as session:
        return sum(_end(services, session, email) for email in changed if email != actor.email or email not in after)


def _end(services: Services, session: Session, email: str) -> int:
    return end_sessions_of(session, email, now=services.clock())


def _rows_of(services: Services, emails: Sequence[str]) -> dict[str, str]:
    """What the application's users of these emails are now, each as one text."""
    with connect(services.source_url, application_name="rxbackup") as conn, translated("looking at the users"):
        rows = conn.execute(
            "SELECT pg_catalog.lower(email), pg_catalog.md5(u::text) FROM public.users u "
            "WHERE pg_catalog.lower(email) = ANY (%s)",
            (list(emails),),
        )
        return {str(email): str(row) for email, row in rows}
