"""The values that tell about channels and messages; doors take them from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from pydantic import SecretStr

USUAL_PORTS = MappingProxyType({"starttls": 587, "tls": 465, "none": 25})
"""Of mail servers, by how they are secured."""


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A way to tell people, as somebody wants it.

    Attributes:
        kind: email, webhook, apprise or heartbeat.
        events: which happenings are told there; None is the usual ones.
        to, sender, host, port, security, username, password: of an email channel; security is starttls, tls or none.
        url: of the others; sealed before it is kept, and never shown again.
        signing_key: of a webhook; its requests are signed with it.
    """

    name: str
    kind: str
    events: tuple[str, ...] | None = None
    to: tuple[str, ...] = ()
    sender: str = ""
    host: str = ""
    port: int | None = None
    security: str = "starttls"
    username: str = ""
    password: SecretStr | None = field(default=None, repr=False)
    url: SecretStr | None = field(default=None, repr=False)
    signing_key: SecretStr | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """What to change of a channel. None leaves it as it is; the kind always stays.

    Attributes:
        active: False lets it rest, with everything that it knows.
        port: 0 is the usual one.
        password, signing_key: an empty one takes away the one that is kept.
        name, events, to, sender, host, security, username, url: as of `NewChannel`.
    """

    name: str | None = None
    events: tuple[str, ...] | None = None
    active: bool | None = None
    to: tuple[str, ...] | None = None
    sender: str | None = None
    host: str | None = None
    port: int | None = None
    security: str | None = None
    username: str | None = None
    password: SecretStr | None = field(default=None, repr=False)
    url: SecretStr | None = field(default=None, repr=False)
    signing_key: SecretStr | None = field(default=None, repr=False)

    @property
    def is_of_the_way(self) -> bool:
        """Whether it changes where messages go, or how."""
        way = (self.to, self.sender, self.host, self.port, self.security, self.username)
        return any(each is not None for each in (*way, self.password, self.url, self.signing_key))


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that can be told. `is_usual` says whether channels hear of it unless told otherwise."""

    name: str
    meaning: str
    is_usual: bool


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A way to tell people.

    Attributes:
        where: where its messages go, without what is secret in it.
        problem: why the last message did not get there; empty once one did. problem_hint: what to do about that.
        waiting: messages that are still to be sent.
        to, sender, host, port, security, username: of an email channel, as of `NewChannel`.
        has_password, has_signing_key: whether one is kept; it is never shown again.
    """

    id: str
    name: str
    kind: str
    where: str
    events: tuple[str, ...]
    active: bool
    created_by: str
    created_at: datetime
    last_sent_at: datetime | None
    problem: str
    waiting: int = 0
    problem_hint: str = ""
    to: tuple[str, ...] = ()
    sender: str = ""
    host: str = ""
    port: int = 0
    security: str = ""
    username: str = ""
    has_password: bool = False
    has_signing_key: bool = False


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message of the outbox. `state` is waiting, sent or given up; `event` is test where somebody tried it out."""

    id: str
    channel: str
    event: str
    subject: str
    body: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    next_try_at: datetime | None
    problem: str
