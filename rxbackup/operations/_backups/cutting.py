"""Streams end with the session that asked for them."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from uuid import UUID

from sqlmodel import col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotSignedIn
from rxbackup.operations._people import role_of
from rxbackup.operations.services import Services
from rxbackup.tables.system import UserSession

LOOK_EVERY_SECONDS = 2.0


def while_signed_in(services: Services, actor: Actor, pieces: Generator[bytes]) -> Generator[bytes]:
    """The pieces, as long as the actor's session lives and may download; seconds after it ended, no more.

    Raises:
        NotSignedIn: it was revoked, expired, or lost its right. What was sent is not all.
    """
    looked = time.monotonic()
    with closing(pieces):
        for piece in pieces:
            if actor.session_id is not None and time.monotonic() - looked >= LOOK_EVERY_SECONDS:
                _refuse_if_ended(services, actor, actor.session_id)
                looked = time.monotonic()
            yield piece


def _refuse_if_ended(services: Services, actor: Actor, session_id: str) -> None:
    with services.system.session("system") as session:
        lives = session.exec(
            select(UserSession.id).where(
                col(UserSession.id) == UUID(session_id),
                col(UserSession.revoked_at).is_(None),
                col(UserSession.expires_at) > services.clock(),
            )
        ).first()
        role = role_of(services, session, actor.email) if lives else None
    if role is None or not Actor(actor.email, role).may(Permission.DOWNLOAD):
        raise NotSignedIn("The session ended while the download ran.", hint="Sign in and start it again.")
