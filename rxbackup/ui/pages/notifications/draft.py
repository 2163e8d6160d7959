"""The form of a channel: what stands in it when it opens, and the channel or the change that it describes.

Secrets only ever pass through: they come with the form that is sent, and go to the operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from rxbackup.errors import UsageError
from rxbackup.operations.views.channels import USUAL_PORTS, ChannelChange, ChannelView, NewChannel

KINDS = ("email", "webhook", "heartbeat", "apprise")
FIELDS = ("name", "to", "sender", "host", "port", "security", "username", "password", "url", "signing_key", "events")
"""What a refused value may be about; each has its place in the form."""
EVENT = "event:"
NO_MORE = "unsigned"

_LONGEST_NUMBER = 9


@dataclass(frozen=True)
class Filled:
    """What stands in the form when it opens. Of secrets only whether they are kept; `port` "" is the usual one."""

    name: str = ""
    readers: str = ""
    sender: str = ""
    host: str = ""
    port: str = ""
    security: str = "starttls"
    username: str = ""
    events: tuple[str, ...] = ()
    has_password: bool = False
    has_signing_key: bool = False


def filled_from(view: ChannelView) -> Filled:
    """The form of a channel that there is."""
    return Filled(
        name=view.name,
        readers=", ".join(view.to),
        sender=view.sender,
        host=view.host,
        port=str(view.port) if view.port not in {0, USUAL_PORTS.get(view.security)} else "",
        security=view.security or "starttls",
        username=view.username,
        events=view.events,
        has_password=view.has_password,
        has_signing_key=view.has_signing_key,
    )


def read_new(form: object, kind: str) -> NewChannel:
    """The channel that a form describes.

    Args:
        form: flat names and texts, from a browser: anything may be missing or strange.
        kind: of the channel; fields of other kinds are not read.

    Raises:
        UsageError: a value makes no sense; its `field` says which.
    """
    given = _Given(form)
    events = None if kind == "heartbeat" else given.events()
    if kind != "email":
        signing_key = given.secret("signing_key") if kind == "webhook" else None
        return NewChannel(given.text("name"), kind, events=events, url=given.secret("url"), signing_key=signing_key)
    return NewChannel(
        given.text("name"),
        kind,
        events=events,
        to=given.list("to"),
        sender=given.text("sender"),
        host=given.text("host"),
        port=given.port() or None,
        security=given.text("security") or "starttls",
        username=given.text("username"),
        password=given.secret("password"),
    )


def read_change(form: object, kind: str, before: Filled) -> ChannelChange:
    """What a form changes of a channel: only what is not as it stood there. An empty secret stays.

    Raises:
        UsageError: as `read_new`.
    """
    given = _Given(form)

    def text(name: str, was: str) -> str | None:
        return None if given.text(name) == was else given.text(name)

    name = text("name", before.name)
    events = None if kind == "heartbeat" or set(given.events()) == set(before.events) else given.events()
    if kind != "email":
        signing_key = given.secret("signing_key") if kind == "webhook" else None
        if signing_key is None and given.ticked(NO_MORE):
            signing_key = SecretStr("")
        return ChannelChange(name=name, events=events, url=given.secret("url"), signing_key=signing_key)
    security = text("security", before.security)
    # The usual port is another one where the connection is secured in another way.
    same_port = given.text("port") == before.port and (before.port or security is None)
    return ChannelChange(
        name=name,
        events=events,
        to=None if given.text("to") == before.readers else given.list("to"),
        sender=text("sender", before.sender),
        host=text("host", before.host),
        port=None if same_port else given.port(),
        security=security,
        username=text("username", before.username),
        password=given.secret("password"),
    )


class _Given:
    """The fields of a form as they were sent."""

    def __init__(self, form: object) -> None:
        self._fields: Mapping[object, object] = form if isinstance(form, Mapping) else {}

    def text(self, name: str) -> str:
        value = self._fields.get(name)
        return value.strip() if isinstance(value, str) else ""

    def secret(self, name: str) -> SecretStr | None:
        return SecretStr(self.text(name)) if self.text(name) else None

    def list(self, name: str) -> tuple[str, ...]:
        return tuple(each.strip() for each in self.text(name).replace(";", ",").split(",") if each.strip())

    def ticked(self, name: str) -> bool:
        return bool(self._fields.get(name))

    def events(self) -> tuple[str, ...]:
        names = (name for name, value in self._fields.items() if isinstance(name, str) and value)
        return tuple(name.removeprefix(EVENT) for name in names if name.startswith(EVENT))

    def port(self) -> int:
        text = self.text("port")
        if not text:
            return 0
        if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_NUMBER or int(text) == 0:
            raise UsageError(f"There is no port {text[:20]!r}.", hint="Ports go from 1 to 65535.", field="port")
        return int(text)
