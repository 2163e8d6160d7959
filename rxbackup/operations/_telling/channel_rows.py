"""Channels and messages in their tables: found by name, shown as values, written down in the audit."""

from __future__ import annotations

from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import NotFound, Refused
from rxbackup.operations.views.channels import ChannelView, MessageView
from rxbackup.tables.system import Channel, Message


def refuse_taken(session: Session, name: str) -> None:
    """Raise `Refused` where a channel of that name is there already."""
    if find_channel(session, name) is not None:
        raise Refused(f"There is a channel named {name} already.", hint="Choose another name.")


def find_channel(session: Session, name: str) -> Channel | None:
    """The channel of a name; None if there is none."""
    return session.exec(select(Channel).where(col(Channel.name) == name.strip())).first()


def one_channel(session: Session, name: str) -> Channel:
    """The channel of a name. Raises `NotFound`."""
    channel = find_channel(session, name)
    if channel is None:
        raise NotFound(f"There is no channel named {name[:80]!r}.", hint="`rxbackup channel list` shows them all.")
    return channel


def view_of(channel: Channel, waiting: int = 0) -> ChannelView:
    """A channel as it is shown: nothing of its secrets."""
    settings = channel.settings
    problem, _, hint = (channel.last_problem or "").partition("\n")
    return ChannelView(
        id=str(channel.id),
        name=channel.name,
        kind=channel.kind,
        where=str(settings.get("where", "")),
        events=tuple(channel.events),
        active=channel.active,
        created_by=channel.created_by,
        created_at=channel.created_at,
        last_sent_at=channel.last_sent_at,
        problem=problem,
        problem_hint=hint,
        waiting=waiting,
        to=tuple(settings.get("to", ())),
        sender=str(settings.get("sender", "")),
        host=str(settings.get("host", "")),
        port=int(settings.get("port", 0)),
        security=str(settings.get("security", "")),
        username=str(settings.get("username", "")),
        has_password=channel.kind == "email" and channel.secrets is not None,
        has_signing_key=bool(settings.get("signed", False)),
    )


def message_view(message: Message, channel: str) -> MessageView:
    """A message as it is shown."""
    return MessageView(
        id=str(message.id),
        channel=channel,
        event=message.event,
        subject=message.subject,
        body=message.body,
        state=message.state,
        attempts=message.attempts,
        created_at=message.created_at,
        sent_at=message.sent_at,
        next_try_at=message.next_try_at if message.state == "waiting" else None,
        problem=message.problem or "",
    )


def audit_channel(session: Session, actor: Actor, action: str, channel: Channel) -> None:
    """Write down what was done to a channel, in the caller's transaction."""
    audit.append(
        session,
        actor=actor.email,
        action=action,
        object_type="channel",
        object_id=str(channel.id),
        details={
            "name": channel.name,
            "kind": channel.kind,
            "where": str(channel.settings.get("where", "")),
            "events": list(channel.events),
            "active": channel.active,
            "door": actor.door,
        },
    )
