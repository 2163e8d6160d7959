"""What somebody says about a channel, new or changed, checked before anything is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from rxbackup.errors import UsageError
from rxbackup.notify.elsewhere import service_of
from rxbackup.notify.hook import host_of
from rxbackup.notify.mail import SECURITIES
from rxbackup.notify.sending import KINDS
from rxbackup.operations._people import clean_email
from rxbackup.operations._telling.announcing import EVENTS, USUAL_EVENTS
from rxbackup.operations.views.channels import USUAL_PORTS, ChannelChange, NewChannel
from rxbackup.tables.system import Channel

_LONGEST_NAME = 63
_MOST_READERS = 50
_HOST_MARKS = frozenset("-.:_")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRETS = {"email": {"password"}, "webhook": {"url", "signing_key"}, "apprise": {"url"}, "heartbeat": {"url"}}


@dataclass(frozen=True, slots=True)
class CheckedChannel:
    """A channel that can be kept: settings that may be shown, secrets that may not."""

    name: str
    kind: str
    settings: dict[str, Any]
    secrets: dict[str, str] = field(repr=False)
    events: tuple[str, ...]


def check_new_channel(new: NewChannel) -> CheckedChannel:
    """Refuse what cannot be meant.

    Raises:
        UsageError: says what and why, and nothing secret.
    """
    name = check_name(new.name)
    if new.kind not in KINDS:
        kinds = ", ".join(KINDS)
        raise UsageError(f"There is no channel of the kind {new.kind!r}.", hint=f"Choose one of {kinds}.", field="kind")
    settings, secrets = _email(new) if new.kind == "email" else _address(new)
    events = check_events(new.kind, new.events)
    return CheckedChannel(name, new.kind, settings, secrets, events)


def check_name(given: str) -> str:
    """The name as it is kept.

    Raises:
        UsageError: it is none.
    """
    name = given.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(
            f"A channel's name has 1 to {_LONGEST_NAME} characters.", hint="For example: on-call.", field="name"
        )
    return name


def needs_secrets(channel: Channel, change: ChannelChange) -> bool:
    """Whether a change leaves secrets as they are, so that they have to be opened to be sealed again."""
    return any(getattr(change, name) is None for name in _SECRETS[channel.kind])


def check_changed_channel(channel: Channel, secrets: Mapping[str, str], change: ChannelChange) -> CheckedChannel:
    """A channel's settings and secrets as they would be after a change; what it hears of is not looked at.

    Args:
        channel: as it is.
        secrets: those that the change leaves as they are.
        change: what to change.

    Raises:
        UsageError: as `check_new_channel`, or a password would go to another server unasked.
    """
    kept = channel.settings

    def secret(name: str) -> SecretStr | None:
        given = getattr(change, name)
        return given if given is not None else SecretStr(secrets[name]) if secrets.get(name) else None

    host = str(kept.get("host", "")) if change.host is None else change.host.strip()
    username = str(kept.get("username", "")) if change.username is None else change.username.strip()
    password = secret("password") if username or change.password is not None else None
    if password and change.password is None and host != kept.get("host"):
        raise UsageError(
            "The password that is kept goes to no other mail server by itself.", hint="Type it again.", field="password"
        )
    new = NewChannel(
        name=channel.name,
        kind=channel.kind,
        to=tuple(kept.get("to", ())) if change.to is None else change.to,
        sender=str(kept.get("sender", "")) if change.sender is None else change.sender,
        host=host,
        port=kept.get("port") if change.port is None else change.port,
        security=str(kept.get("security", "starttls")) if change.security is None else change.security,
        username=username,
        password=password,
        url=secret("url"),
        signing_key=secret("signing_key"),
    )
    return check_new_channel(new)


def check_events(kind: str, events: Iterable[str] | None) -> tuple[str, ...]:
    """The events that a channel hears of; None is the usual ones of its kind.

    Raises:
        UsageError: one is unknown, or a heartbeat should hear of something else than success.
    """
    if kind == "heartbeat":
        if events is not None and set(events) != {"success"}:
            raise UsageError(
                "A heartbeat is called after each good backup, for nothing else.",
                hint="Leave events out.",
                field="events",
            )
        return ("success",)
    if events is None:
        return USUAL_EVENTS
    wanted = {each.strip() for each in events if each.strip()}
    unknown = sorted(wanted - set(EVENTS))
    if unknown or not wanted:
        what = f"There is no event {unknown[0][:80]!r}." if unknown else "No event is chosen."
        raise UsageError(what, hint=f"The events are: {', '.join(EVENTS)}.", field="events")
    return tuple(each for each in EVENTS if each in wanted)


def _email(new: NewChannel) -> tuple[dict[str, Any], dict[str, str]]:
    host = new.host.strip()
    if not host or not all(c.isalnum() or c in _HOST_MARKS for c in host):
        raise UsageError(
            "The mail server is missing, or is no host name.", hint="For example mail.example.org.", field="host"
        )
    if new.security not in SECURITIES:
        ways = ", ".join(SECURITIES)
        raise UsageError(
            f"A mail server is not secured by {new.security!r}.", hint=f"Choose one of {ways}.", field="security"
        )
    port = new.port or USUAL_PORTS[new.security]
    if not 0 < port < 1 << 16:
        raise UsageError(f"There is no port {port}.", hint="Ports go from 1 to 65535.", field="port")
    if not new.to or len(new.to) > _MOST_READERS:
        raise UsageError(f"Mail needs 1 to {_MOST_READERS} readers.", hint="For example ada@example.org.", field="to")
    readers = [_address_of("to", one) for one in new.to]
    password = new.password.get_secret_value() if new.password else ""
    if password and new.security == "none" and host not in _LOOPBACK:
        raise UsageError(
            "The password would cross the network for everybody to read.",
            hint="Secure it: starttls or tls.",
            field="security",
        )
    if password and not new.username.strip():
        raise UsageError("There is a password, but no user name.", hint="Give both, or none.", field="username")
    settings = {
        "host": host,
        "port": port,
        "security": new.security,
        "username": new.username.strip(),
        "sender": _address_of("sender", new.sender or readers[0]),
        "to": readers,
        "where": f"{', '.join(readers)} by {host}:{port}",
    }
    return settings, {"password": password}


def _address_of(field: str, email: str) -> str:
    try:
        return clean_email(email)
    except UsageError as error:
        raise UsageError(f"{error.message[:-1]}: {email.strip()[:80]!r}.", hint=error.hint, field=field) from None


def _address(new: NewChannel) -> tuple[dict[str, Any], dict[str, str]]:
    url = new.url.get_secret_value().strip() if new.url else ""
    if not url:
        raise UsageError("The address is missing.", hint="Give its URL.", field="url")
    if not url.isprintable() or " " in url:
        raise UsageError("The address holds blanks or control characters.", hint="Copy it again.", field="url")
    if new.kind == "apprise":
        try:
            return {"where": service_of(url)}, {"url": url}
        except UsageError as error:
            raise UsageError(error.message, hint=error.hint, field="url") from None
    try:
        parts = urlsplit(url)
        is_web = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_web = False
    if not is_web:
        raise UsageError("This is no web address.", hint="It looks like https://example.org/hook/abc.", field="url")
    signing_key = new.signing_key.get_secret_value() if new.signing_key else ""
    return {"where": host_of(url), "signed": bool(signing_key)}, {"url": url, "signing_key": signing_key}
