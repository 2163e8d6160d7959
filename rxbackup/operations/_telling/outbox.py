"""Sending what waits in the outbox: patient, in order, and never in the way of anything else."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from rxbackup.errors import KeyTrouble, RxbackupError, WrongKey
from rxbackup.notify.letter import Letter
from rxbackup.notify.sending import Way, send
from rxbackup.operations.services import Services
from rxbackup.tables.identity import own_identity
from rxbackup.tables.system import Channel, Message
from rxbackup.vault.credentials import open_secrets
from rxbackup.vault.keyring import load_keyring

_LEASE = timedelta(minutes=5)
"""Who claimed a message and died is given so long; then somebody else sends it."""
_MINUTES = (1, 2, 5, 10, 20, 40, 60, 120, 240)
_PATIENCE = timedelta(days=7)
_HEARTBEAT_PATIENCE = timedelta(hours=1)
"""A heartbeat that comes hours late would say that all was well when it was not."""
_KEPT = timedelta(days=30)
_MOST_AT_ONCE = 100

_logger = logging.getLogger(__name__)


def purpose_of(channel: UUID) -> str:
    """What a channel's secrets are bound to."""
    return f"secrets of the channel {channel}"


def way_of(services: Services, session: Session, channel: Channel) -> Way:
    """How to reach a channel, with its secrets open. Raises `KeyTrouble` as `secrets_of`."""
    return Way(channel.kind, channel.settings, secrets_of(services, session, channel))


def secrets_of(services: Services, session: Session, channel: Channel) -> dict[str, str]:
    """A channel's secrets, open: never keep them, never show them.

    Raises:
        KeyTrouble: they were sealed with another key.
    """
    try:
        return open_secrets(
            channel.secrets,
            load_keyring(services.settings),
            installation=own_identity(session),
            purpose=purpose_of(channel.id),
        )
    except WrongKey:
        raise KeyTrouble(
            f"The secrets of the channel {channel.name} were sealed with another key.",
            hint="Put the right key back, or change the channel and give its secrets anew.",
        ) from None


def kept_problem(error: RxbackupError) -> str:
    """A problem as a channel keeps it: what happened, and in a second line what to do."""
    return f"{' '.join(error.message.split())}\n{' '.join(error.hint.split())}"


def try_again_now(session: Session, channel: UUID, now: datetime) -> None:
    """What did not get there before is tried at once: something about the channel was mended."""
    session.exec(
        update(Message)
        .where(col(Message.channel_id) == channel, col(Message.state) == "waiting", col(Message.problem).is_not(None))
        .values(next_try_at=now)
    )


def send_waiting(services: Services, identity: str) -> int:
    """Send every message whose time has come; how many were. One dead channel does not keep the others waiting."""
    with services.system.session(identity) as session:
        due = (col(Message.state) == "waiting", col(Message.next_try_at) <= services.clock())
        channels = session.exec(
            select(Message.channel_id).join(Channel).where(*due, col(Channel.active)).group_by(col(Message.channel_id))
        ).all()
    return sum(_send_on(services, identity, channel) for channel in channels)


def forget_old(services: Services, identity: str) -> None:
    """Delete messages that were sent, or given up, long ago."""
    old = services.clock() - _KEPT
    with services.system.session(identity) as session:
        session.exec(delete(Message).where(col(Message.state) != "waiting", col(Message.created_at) < old))


def _send_on(services: Services, identity: str, channel_id: UUID) -> int:
    sent = 0
    while sent < _MOST_AT_ONCE:
        with services.system.session(identity) as session:
            claimed = _claim(services, session, channel_id)
            if claimed is None:
                break
            channel, message = claimed
        problem = ""
        try:
            with services.system.session(identity) as session:
                way = way_of(services, session, channel)
            send(way, Letter(str(message.id), message.event, message.subject, message.body, message.html))
        except RxbackupError as error:
            problem = kept_problem(error)
        except Exception as error:
            _logger.exception("Message %s could not be sent on %s", message.id, channel.name)
            problem = f"Something unexpected happened ({type(error).__name__}); the log has the details."
        with services.system.session(identity) as session:
            _note(services, session, channel, message, problem)
        if problem:
            what = problem.partition("\n")[0]
            _logger.warning("Message %s waits for the channel %s: %s", message.id, channel.name, what)
            break
        sent += 1
    return sent


def _claim(services: Services, session: Session, channel_id: UUID) -> tuple[Channel, Message] | None:
    now = services.clock()
    channel = session.get(Channel, channel_id)
    message = session.exec(
        select(Message)
        .where(col(Message.channel_id) == channel_id, col(Message.state) == "waiting", col(Message.next_try_at) <= now)
        .order_by(col(Message.created_at), col(Message.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if channel is None or message is None or not channel.active:
        return None
    message.attempts += 1
    message.next_try_at = now + _LEASE
    session.add(message)
    session.flush()
    session.expunge_all()
    return channel, message


def _note(services: Services, session: Session, channel: Channel, message: Message, problem: str) -> None:
    now = services.clock()
    this = update(Message).where(col(Message.id) == message.id)
    this_channel = update(Channel).where(col(Channel.id) == channel.id)
    if not problem:
        session.exec(this.values(state="sent", sent_at=now, problem=None))
        session.exec(this_channel.values(last_sent_at=now, last_problem=None))
        return
    session.exec(this_channel.values(last_problem=problem))
    problem = problem.partition("\n")[0]
    patience = _HEARTBEAT_PATIENCE if channel.kind == "heartbeat" else _PATIENCE
    again = now + after(message.attempts)
    if again > message.created_at + patience:
        session.exec(this.values(state="given up", problem=problem))
        return
    session.exec(this.values(next_try_at=again, problem=problem))
    _let_wait(session, channel.id, again)


def _let_wait(session: Session, channel: UUID, until: datetime) -> None:
    """What else waits for a channel that is away waits with it."""
    session.exec(
        update(Message)
        .where(col(Message.channel_id) == channel, col(Message.state) == "waiting")
        .values(next_try_at=func.greatest(col(Message.next_try_at), until))
    )


def after(attempts: int) -> timedelta:
    """How long to wait after so many tries: a minute at first, four hours at most."""
    return timedelta(minutes=_MINUTES[min(max(attempts, 1), len(_MINUTES)) - 1])
