"""Who hears of what happens: channels to people and machines, and the outbox that feeds them."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import RxbackupError
from rxbackup.notify.letter import Letter, Said, as_html, as_text, subject_of
from rxbackup.notify.sending import send
from rxbackup.operations._telling.announcing import EVENTS, TEST, USUAL_EVENTS, link_to, place_of
from rxbackup.operations._telling.channel_rows import audit_channel, message_view, one_channel, refuse_taken, view_of
from rxbackup.operations._telling.new_channel import (
    check_changed_channel,
    check_events,
    check_name,
    check_new_channel,
    needs_secrets,
)
from rxbackup.operations._telling.outbox import (
    forget_old,
    kept_problem,
    purpose_of,
    secrets_of,
    send_waiting,
    try_again_now,
    way_of,
)
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views.channels import ChannelChange, ChannelView, EventView, MessageView, NewChannel
from rxbackup.tables.identity import own_identity
from rxbackup.tables.system import Channel, Message
from rxbackup.vault.credentials import seal_secrets
from rxbackup.vault.keyring import load_keyring

__all__ = [
    "ChannelChange",
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
        refuse_taken(session, checked.name)
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
        audit_channel(session, actor, "channel.added", channel)
        return view_of(channel)


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
        return tuple(view_of(row, waiting.get(row.id, 0)) for row in rows)


@requires(Permission.ADMINISTER)
def change_channel(services: Services, actor: Actor, name: str, change: ChannelChange) -> ChannelView:
    """Change what a channel hears of, what it is called or where it goes, or let it rest.

    Where messages go or how was changed: what waits because it did not get there before is tried at once.

    Raises:
        NotFound: there is no channel of that name.
        UsageError: something about it cannot be meant; says what.
        Refused: the new name is taken.
        KeyTrouble: the secrets that stay cannot be opened.
    """
    with services.system.session(actor.identity) as session:
        channel = one_channel(session, name)
        wanted = channel.name if change.name is None else check_name(change.name)
        if wanted != channel.name:
            refuse_taken(session, wanted)
            channel.name = wanted
        if change.events is not None:
            channel.events = list(check_events(channel.kind, change.events))
        if change.active is not None:
            channel.active = change.active
        if change.is_of_the_way:
            _change_way(services, session, channel, change)
        session.add(channel)
        session.flush()
        audit_channel(session, actor, "channel.changed", channel)
        return view_of(channel)


@requires(Permission.ADMINISTER)
def remove_channel(services: Services, actor: Actor, name: str) -> ChannelView:
    """Remove a channel, its secrets, and what still waits for it.

    Raises:
        NotFound: there is no channel of that name.
    """
    with services.system.session(actor.identity) as session:
        channel = one_channel(session, name)
        view = view_of(channel)
        session.delete(channel)
        session.flush()
        audit_channel(session, actor, "channel.removed", channel)
    return view


@requires(Permission.ADMINISTER)
def try_channel(services: Services, actor: Actor, name: str) -> ChannelView:
    """Send something there now, and wait until it is taken or refused: some 15 seconds at most.

    Once it is taken, what waits because it did not get there before is tried at once.

    Raises:
        NotFound: there is no channel of that name.
        NotDelivered: it was not taken; says why.
        KeyTrouble: its secrets cannot be opened.
    """
    with services.system.session(actor.identity) as session:
        channel = one_channel(session, name)
        way = way_of(services, session, channel)
        channel_id = channel.id
    place = place_of(services)
    said = Said(
        f"Test of the channel {name}",
        f"{actor.email} asked rxbackup for a test. If you can read this, the channel works.",
        link=link_to(services, "/"),
    )
    letter = Letter(str(uuid4()), TEST, subject_of(said, place), as_text(said, place), as_html(said, place))
    try:
        send(way, letter)
    except RxbackupError as error:
        _note_test(services, actor, channel_id, letter, kept_problem(error))
        raise
    _note_test(services, actor, channel_id, letter, None)
    with services.system.session(actor.identity) as session:
        return view_of(one_channel(session, name))


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
        return tuple(message_view(message, name) for message, name in session.exec(statement))


@requires(Permission.ADMINISTER)
def send_messages(services: Services, actor: Actor) -> int:
    """Send what waits in the outbox and is due; how many messages were sent. Tried again later where that fails."""
    return send_waiting(services, actor.identity)


@requires(Permission.ADMINISTER)
def forget_old_messages(services: Services, actor: Actor) -> None:
    """Delete messages of more than 30 days ago that no longer wait."""
    forget_old(services, actor.identity)


def _note_test(services: Services, actor: Actor, channel_id: UUID, letter: Letter, problem: str | None) -> None:
    """What came of a test: on its channel, and among the messages."""
    now = services.clock()
    message = Message(
        id=UUID(letter.id),
        channel_id=channel_id,
        event=letter.event,
        subject=letter.subject,
        body=letter.body,
        html=letter.html,
        state="given up" if problem else "sent",
        attempts=1,
        next_try_at=now,
        created_at=now,
        sent_at=None if problem else now,
        problem=problem.partition("\n")[0] if problem else None,
    )
    with services.system.session(actor.identity) as session:
        this = update(Channel).where(col(Channel.id) == channel_id).returning(col(Channel.id))
        told = {"last_problem": problem} | ({} if problem else {"last_sent_at": now})
        if session.exec(this.values(**told)).first() is None:
            return  # removed while it was tried
        session.add(message)
        if not problem:
            try_again_now(session, channel_id, now)


def _change_way(services: Services, session: Session, channel: Channel, change: ChannelChange) -> None:
    secrets = secrets_of(services, session, channel) if needs_secrets(channel, change) else {}
    checked = check_changed_channel(channel, secrets, change)
    channel.settings = checked.settings
    channel.secrets = seal_secrets(
        checked.secrets,
        load_keyring(services.settings),
        installation=own_identity(session),
        purpose=purpose_of(channel.id),
    )
    channel.last_problem = None
    try_again_now(session, channel.id, services.clock())
