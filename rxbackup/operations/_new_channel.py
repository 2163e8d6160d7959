"""What somebody says about a new channel, checked before anything is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rxbackup.errors import UsageError
from rxbackup.notify.elsewhere import service_of
from rxbackup.notify.hook import host_of
from rxbackup.notify.mail import SECURITIES
from rxbackup.notify.sending import KINDS
from rxbackup.operations._announcing import EVENTS, USUAL_EVENTS
from rxbackup.operations._people import clean_email
from rxbackup.operations.channel_views import NewChannel

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LONGEST_NAME = 63
_MOST_READERS = 50
_HOST_MARKS = frozenset("-.:_")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


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
    name = new.name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(f"A channel's name has 1 to {_LONGEST_NAME} characters.", hint="For example: on-call.")
    if new.kind not in KINDS:
        raise UsageError(f"There is no channel of the kind {new.kind!r}.", hint=f"Choose one of {', '.join(KINDS)}.")
    settings, secrets = _email(new) if new.kind == "email" else _address(new)
    events = check_events(new.kind, new.events)
    return CheckedChannel(name, new.kind, settings, secrets, events)


def check_events(kind: str, events: Iterable[str] | None) -> tuple[str, ...]:
    """The events that a channel hears of; None is the usual ones of its kind.

    Raises:
        UsageError: one is unknown, or a heartbeat should hear of something else than success.
    """
    if kind == "heartbeat":
        if events is not None and set(events) != {"success"}:
            raise UsageError(
                "A heartbeat is called after each good backup, for nothing else.", hint="Leave events out."
            )
        return ("success",)
    if events is None:
        return USUAL_EVENTS
    wanted = {each.strip() for each in events if each.strip()}
    unknown = sorted(wanted - set(EVENTS))
    if unknown or not wanted:
        what = f"There is no event {unknown[0][:80]!r}." if unknown else "No event is chosen."
        raise UsageError(what, hint=f"The events are: {', '.join(EVENTS)}.")
    return tuple(each for each in EVENTS if each in wanted)


def _email(new: NewChannel) -> tuple[dict[str, Any], dict[str, str]]:
    host = new.host.strip()
    if not host or not all(c.isalnum() or c in _HOST_MARKS for c in host):
        raise UsageError(
            "The mail server is missing, or is no host name.", hint="Name it: --smtp-host mail.example.org."
        )
    if new.security not in SECURITIES:
        raise UsageError(
            f"A mail server is not secured by {new.security!r}.", hint=f"Choose one of {', '.join(SECURITIES)}."
        )
    port = new.port or _PORTS[new.security]
    if not 0 < port < 1 << 16:
        raise UsageError(f"There is no port {port}.", hint="Ports go from 1 to 65535.")
    if not new.to or len(new.to) > _MOST_READERS:
        raise UsageError(f"Mail needs 1 to {_MOST_READERS} readers.", hint="Name them: --to ada@example.org.")
    readers = [clean_email(one) for one in new.to]
    password = new.password.get_secret_value() if new.password else ""
    if password and new.security == "none" and host not in _LOOPBACK:
        raise UsageError(
            "The password would cross the network for everybody to read.", hint="Secure it: starttls or tls."
        )
    settings = {
        "host": host,
        "port": port,
        "security": new.security,
        "username": new.username.strip(),
        "sender": clean_email(new.sender or readers[0]),
        "to": readers,
        "where": f"{', '.join(readers)} by {host}:{port}",
    }
    return settings, {"password": password}


def _address(new: NewChannel) -> tuple[dict[str, Any], dict[str, str]]:
    url = new.url.get_secret_value().strip() if new.url else ""
    if not url:
        raise UsageError("The address is missing.", hint="Give its URL: an argument, or a line of stdin.")
    if not url.isprintable() or " " in url:
        raise UsageError("The address holds blanks or control characters.", hint="Copy it again.")
    if new.kind == "apprise":
        return {"where": service_of(url)}, {"url": url}
    try:
        parts = urlsplit(url)
        is_web = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_web = False
    if not is_web:
        raise UsageError("This is no web address.", hint="It looks like https://example.org/hook/abc.")
    signing_key = new.signing_key.get_secret_value() if new.signing_key else ""
    return {"where": host_of(url)}, {"url": url, "signing_key": signing_key}
