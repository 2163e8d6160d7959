"""Who hears of what happens: channels to people and machines, and the outbox that feeds them."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotFound, Refused, RxbackupError
from rxbackup.notify.letter import Letter, Said, as_html, as_text, subject_of
from rxbackup.notify.sending import send
from rxbackup.operations._announcing import EVENTS, USUAL_EVENTS, link_to, place_of
from rxbackup.operations._new_channel import check_events, check_new_channel
from rxbackup.operations._outbox import forget_old, purpose_of, send_waiting, way_of
from rxbackup.operations.channel_views import ChannelView, EventView, MessageView, NewChannel
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.tables.identity import own_identity
from rxbackup.tables.system import Channel, Message
from rxbackup.vault.credentials import seal_secrets
from rxbackup.vault.keyring import load_keyring

__all__ = [
    "ChannelView",
    "EventView",
    "MessageView",
    "NewChannel",
    "add_channel",
    "change_channel",
    "forget_old_messages",
    "list_channels",
    "list_events",
    "recent_messages",
    "remove_channel",
    "send_messages",
    "try_channel",
]


@requires(Permission.ADMINISTER)
def list_events(services: Services, actor: Actor) -> tuple[EventView, ...]:
    """What can be told, and what is told unless somebody chooses otherwise."""
    del services, actor
    return tuple(EventView(name, meaning, name in USUAL_EVENTS) for name, meaning in EVENTS.items())


@requires(Permission.ADMINISTER)
def add_channel(services: Services, actor: Actor, new: NewChannel) -> ChannelView:
    """Add a channel. Its secrets are sealed with the key; `try_channel` sends something there.

    Raises:
        UsageError: something about it cannot be meant; says what.
        Refused: the name is taken.
        KeyTrouble: there is no key to seal its secrets with.
    """
    checked = check_new_channel(new)
    keyring = load_keyring(services.settings)
    channel_id = uuid4()
    with services.system.session(actor.identity) as session:
        if _find(session, checked.name) is not None:
            raise Refused(f"There is a channel named {checked.name} already.", hint="Choose another name.")
        sealed = seal_secrets(
            checked.secrets, keyring, installation=own_identity(session), purpose=purpose_of(channel_id)
        )
        channel = Channel(
            id=channel_id,
            name=checked.name,
            kind=checked.kind,
            settings=checked.settings,
            secrets=sealed,
            events=list(checked.events),
            created_by=actor.email,
            created_at=services.clock(),
        )
        session.add(channel)
        session.flush()
        _audit(session, actor, "channel.added", channel)
        return _view(channel)


@requires(Permission.ADMINISTER)
def list_channels(services: Services, actor: Actor) -> tuple[ChannelView, ...]:
    """Every channel, with what it hears of and how it fares."""
    with services.system.session(actor.identity) as session:
        waiting = dict(
            session.exec(
                select(Message.channel_id, func.count())
                .where(col(Message.state) == "waiting")
                .group_by(col(Message.channel_id))
            ).all()
        )
        rows = session.exec(select(Channel).order_by(func.lower(col(Channel.name)))).all()
        return tuple(_view(row, waiting.get(row.id, 0)) for row in rows)


@requires(Permission.ADMINISTER)
def change_channel(
    services: Services,
    actor: Actor,
    name: str,
    *,
    events: tuple[str, ...] | None = None,
    active: bool | None = None,
) -> ChannelView:
    """Choose anew what a channel hears of, or let it rest; None leaves it as it is.

    Raises:
        NotFound: there is no channel of that name.
        UsageError: there is no such event.
    """
    with services.system.session(actor.identity) as session:
        channel = _one(session, name)
        if events is not None:
            channel.events = list(check_events(channel.kind, events))
        if active is not None:
            channel.active = active
        session.add(channel)
        session.flush()
        _audit(session, actor, "channel.changed", channel)
        return _view(channel)


@requires(Permission.ADMINISTER)
def remove_channel(services: Services, actor: Actor, name: str) -> ChannelView:
    """Remove a channel, its secrets, and what still waits for it.

    Raises:
        NotFound: there is no channel of that name.
    """
    with services.system.session(actor.identity) as session:
        channel = _one(session, name)
        view = _view(channel)
        session.delete(channel)
        session.flush()
        _audit(session, actor, "channel.removed", channel)
    return view


@requires(Permission.ADMINISTER)
def try_channel(services: Services, actor: Actor, name: str) -> ChannelView:
    """Send something there now, and wait until it is taken or refused: some 15 seconds at most.

    Raises:
        NotFound: there is no channel of that name.
        NotDelivered: it was not taken; says why.
        KeyTrouble: its secrets cannot be opened.
    """
    with services.system.session(actor.identity) as session:
        channel = _one(session, name)
        way = way_of(services, session, channel)
        channel_id = channel.id
    place = place_of(services)
    said = Said(
        f"Test of the channel {name}",
        f"{actor.email} asked rxbackup for a test. If you can read this, the channel works.",
        link=link_to(services, "/"),
    )
    letter = Letter(str(uuid4()), "test", subject_of(said, place), as_text(said, place), as_html(said, place))
    problem: str | None = None
    try:
        send(way, letter)
    except RxbackupError as error:
        problem = error.message
        raise
    finally:
        told = {"last_problem": problem} | ({} if problem else {"last_sent_at": services.clock()})
        with services.system.session(actor.identity) as session:
            session.exec(update(Channel).where(col(Channel.id) == channel_id).values(**told))
    with services.system.session(actor.identity) as session:
        return _view(_one(session, name))


@requires(Permission.ADMINISTER)
def recent_messages(services: Services, actor: Actor, *, limit: int = 50) -> tuple[MessageView, ...]:
    """The latest messages, newest first: what was sent, what waits, what was given up, and why."""
    statement = (
        select(Message, Channel.name)
        .join(Channel)
        .order_by(col(Message.created_at).desc(), col(Message.id))
        .limit(max(1, min(limit, 500)))
    )
    with services.system.session(actor.identity) as session:
        return tuple(_message_view(message, name) for message, name in session.exec(statement))


@requires(Permission.ADMINISTER)
def send_messages(services: Services, actor: Actor) -> int:
    """Send what waits in the outbox and is due; how many messages were sent. Tried again later where that fails."""
    return send_waiting(services, actor.identity)


@requires(Permission.ADMINISTER)
def forget_old_messages(services: Services, actor: Actor) -> None:
    """Delete messages of more than 30 days ago that no longer wait."""
    forget_old(services, actor.identity)


def _find(session: Session, name: str) -> Channel | None:
    return session.exec(select(Channel).where(col(Channel.name) == name.strip())).first()


def _one(session: Session, name: str) -> Channel:
    channel = _find(session, name)
    if channel is None:
        raise NotFound(f"There is no channel named {name[:80]!r}.", hint="`rxbackup channel list` shows them all.")
    return channel


def _view(channel: Channel, waiting: int = 0) -> ChannelView:
    return ChannelView(
        id=str(channel.id),
        name=channel.name,
        kind=channel.kind,
        where=str(channel.settings.get("where", "")),
        events=tuple(channel.events),
        active=channel.active,
        created_by=channel.created_by,
        created_at=channel.created_at,
        last_sent_at=channel.last_sent_at,
        problem=channel.last_problem or "",
        waiting=waiting,
    )


def _message_view(message: Message, channel: str) -> MessageView:
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


def _audit(session: Session, actor: Actor, action: str, channel: Channel) -> None:
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
