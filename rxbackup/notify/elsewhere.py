"""More than a hundred services, by the addresses of Apprise: `slack://…`, `tgram://…`, `ntfy://…`."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import unquote

from rxbackup.errors import NotDelivered, UsageError
from rxbackup.notify.letter import Letter

_HOST_ONLY = frozenset({"dbus", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
"""They speak to the machine that the server runs on: no way to tell a person."""
_SHORTEST_SECRET = 4


def _apprise() -> Any:
    """Apprise, which takes a third of a second to import: only who sends waits for it."""
    import apprise

    # What it says is told to who asked. It may quote addresses, which are secrets, so no log gets it.
    own = logging.getLogger("apprise")
    own.propagate = False
    if not own.handlers:
        own.addHandler(logging.NullHandler())
    return apprise


def service_of(url: str) -> str:
    """Which service an address is for, by its own name: all that may be shown of it.

    Raises:
        UsageError: Apprise does not know it, or it would tell nobody.
    """
    apprise = _apprise()
    scheme = url.partition("://")[0].strip().lower()
    if scheme in _HOST_ONLY:
        raise UsageError(f"{scheme} speaks to the server's own desktop, where nobody sits.", hint="Choose a service.")
    service = apprise.Apprise.instantiate(url, suppress_exceptions=True) if "://" in url else None
    if service is None:
        raise UsageError(
            "Apprise does not understand this address.",
            hint="It looks like slack://TokenA/TokenB/TokenC or ntfy://topic; Apprise's pages list every service.",
        )
    return str(service.service_name)


def send_elsewhere(url: str, letter: Letter) -> None:
    """Send a letter to the service of an address.

    Raises:
        NotDelivered: the service did not take it; says what it answered, without the address.
    """
    apprise = _apprise()
    try:
        service = service_of(url)
    except UsageError as error:
        raise NotDelivered(error.message, hint="Change the address of the channel.") from None
    sender = apprise.Apprise(asset=apprise.AppriseAsset(app_id="rxbackup", app_desc="rxbackup", async_mode=False))
    sender.add(url)
    with apprise.LogCapture(level=apprise.logging.WARNING, fmt="%(message)s") as said:
        done = sender.notify(
            title=letter.subject,
            body=letter.body,
            body_format=apprise.NotifyFormat.TEXT,
        )
        words = said.getvalue()
    if not done:
        reason = without_secrets(words.strip().splitlines()[-1] if words.strip() else "", url)
        raise NotDelivered(f"{service} did not take it. {reason}".strip(), hint="Check the address of the channel.")


def without_secrets(words: str, url: str) -> str:
    """The words with every part of the address gone that may be a secret, cut to a line."""
    rest = url.partition("://")[2]
    for mark in "/@:?&=,":
        rest = rest.replace(mark, "\n")
    parts = {part for piece in rest.split() for part in (piece, unquote(piece)) if len(part) >= _SHORTEST_SECRET}
    for part in sorted(parts, key=len, reverse=True):
        words = words.replace(part, "…")
    return " ".join(words.split())[:300]
