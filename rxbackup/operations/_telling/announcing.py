"""From something that happened to rows of the outbox: one for each channel that wants to hear of it."""

from __future__ import annotations

from platform import node
from types import MappingProxyType
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from rxbackup.notify.letter import Said, as_html, as_text, subject_of
from rxbackup.operations.services import Services
from rxbackup.tables.system import Channel, Message

EVENTS = MappingProxyType(
    {
        "failure": "A backup, a copy or a prune failed.",
        "recovered": "It works again, after a failure or a silence.",
        "first-success": "The first backup of a schedule is safe.",
        "success": "A backup is safe: every one of them.",
        "overdue": "A schedule has brought no good backup for too long.",
        "paused": "A schedule was paused by itself.",
        "restore": "A restore is done, or failed.",
        "undo": "A restore was taken back, or that failed.",
        "verification-failed": "A backup is damaged, or could not be verified.",
        "store-nearly-full": "A store has little room left.",
        "suspicious-change": "Rows are gone or changed as never before.",
    }
)
"""What can be told, and what it means."""
TEST = "test"
"""What a message is about that somebody sent to try a channel out."""
USUAL_EVENTS = tuple(name for name in EVENTS if name != "success")


def announce(services: Services, session: Session, event: str, said: Said, *, once: str) -> int:
    """Write what happened into the outbox, for every channel that wants to hear of it; how many new rows.

    Args:
        services: the installation.
        session: the caller's transaction, which must act as `system` or as an admin.
        event: one of `EVENTS`.
        said: the words.
        once: names the happening. A channel is told of it once, whatever events it hears of.
    """
    place, now, written = place_of(services), services.clock(), 0
    listeners = session.exec(select(Channel.id).where(col(Channel.active), col(Channel.events).contains([event])))
    for channel in listeners.all():
        statement = (
            insert(Message)
            .values(
                id=uuid4(),
                channel_id=channel,
                event=event,
                once=once,
                subject=subject_of(said, place),
                body=as_text(said, place),
                html=as_html(said, place),
                next_try_at=now,
                created_at=now,
            )
            .on_conflict_do_nothing(index_elements=["channel_id", "once"])
            .returning(col(Message.id))
        )
        written += session.connection().execute(statement).first() is not None
    return written


def place_of(services: Services) -> str:
    """Which installation speaks: the host that people know, else the protected database's name or this machine's."""
    known = urlsplit(services.settings.public_url or "").hostname
    if services.embedded:
        # Its database is called rxbackup everywhere.
        known = known or node()
    return known or urlsplit(services.source_url).path.lstrip("/") or "this installation"


def link_to(services: Services, path: str) -> str:
    """Where to look, if the address that people use is known."""
    base = services.settings.public_url
    return f"{base.rstrip('/')}{path}" if base else ""
