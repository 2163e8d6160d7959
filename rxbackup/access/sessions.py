"""Sessions: 256 random bits in the cookie, their SHA-256 in the table."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, update
from sqlmodel import Session, col, delete, select

from rxbackup.tables.system import UserSession

MOST_PER_ACCOUNT = 10
_TOUCH_EVERY = timedelta(seconds=30)
_LONGEST_TOKEN = 200
_LONGEST_AGENT = 400


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lives without a click (`idle`), and in any case (`absolute`)."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class Found:
    """A live session."""

    id: str
    email: str


def new_token() -> str:
    """A token that nobody guesses: for sessions, setup and download links."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is kept of a token. A plain hash is enough: nobody can try out 2²⁵⁶ tokens."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def begin_session(
    session: Session, email: str, *, now: datetime, lifetimes: Lifetimes, ip: str | None, user_agent: str | None
) -> tuple[str, UUID, datetime]:
    """Begin a session, ending the oldest of this account if it has too many: (token, id, expires at)."""
    token = new_token()
    row = UserSession(
        token_hash=hash_token(token),
        email=email,
        created_at=now,
        last_seen_at=now,
        expires_at=now + lifetimes.absolute,
        ip=ip,
        user_agent=user_agent[:_LONGEST_AGENT] if user_agent else None,
    )
    session.add(row)
    session.flush()
    kept = (
        select(UserSession.id)
        .where(col(UserSession.email) == email, col(UserSession.revoked_at).is_(None))
        .order_by(col(UserSession.created_at).desc(), col(UserSession.id))
        .limit(MOST_PER_ACCOUNT)
    )
    session.exec(
        update(UserSession)
        .where(
            col(UserSession.email) == email,
            col(UserSession.revoked_at).is_(None),
            col(UserSession.id) != row.id,
            col(UserSession.id).not_in(kept),
        )
        .values(revoked_at=now)
    )
    return token, row.id, row.expires_at


def find_session(session: Session, token: str, *, now: datetime, lifetimes: Lifetimes, touch: bool) -> Found | None:
    """The live session of a token, or None. `touch` counts this as a sign of life of its person."""
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    row = session.exec(
        select(UserSession).where(
            col(UserSession.token_hash) == hash_token(token), col(UserSession.revoked_at).is_(None)
        )
    ).first()
    if row is None or row.expires_at <= now or row.last_seen_at + lifetimes.idle <= now:
        return None
    if touch and now - row.last_seen_at > _TOUCH_EVERY:
        session.exec(update(UserSession).where(col(UserSession.id) == row.id).values(last_seen_at=now))
    return Found(str(row.id), row.email)


def end_session(session: Session, token: str, *, now: datetime) -> str | None:
    """End the session of a token; its email, or None if there was nothing to end."""
    row = session.exec(
        update(UserSession)
        .where(col(UserSession.token_hash) == hash_token(token), col(UserSession.revoked_at).is_(None))
        .values(revoked_at=now)
        .returning(col(UserSession.email))
    ).first()
    return row[0] if row else None


def end_sessions_of(session: Session, email: str, *, now: datetime) -> int:
    """End every session of an account, because its password or its role changed; how many that were."""
    ended = session.exec(
        update(UserSession)
        .where(col(UserSession.email) == email, col(UserSession.revoked_at).is_(None))
        .values(revoked_at=now)
    )
    return int(ended.rowcount)


def remove_ended(session: Session, *, now: datetime, lifetimes: Lifetimes) -> int:
    """Delete the rows of sessions that ended; how many."""
    gone = session.exec(
        delete(UserSession).where(
            or_(
                col(UserSession.expires_at) <= now,
                col(UserSession.revoked_at).is_not(None),
                col(UserSession.last_seen_at) <= now - lifetimes.idle,
            )
        )
    )
    return int(gone.rowcount)
