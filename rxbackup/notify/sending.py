"""From a channel to the way that its letters go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rxbackup.errors import NotDelivered
from rxbackup.notify.elsewhere import send_elsewhere
from rxbackup.notify.hook import ping, post_letter
from rxbackup.notify.letter import Letter
from rxbackup.notify.mail import send_mail

KINDS = ("email", "webhook", "apprise", "heartbeat")


@dataclass(frozen=True, slots=True)
class Way:
    """Where letters go. `secrets` are open: never keep this, never show it."""

    kind: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)


def send(way: Way, letter: Letter) -> None:
    """Send a letter; at most some 15 seconds for each step of it.

    Raises:
        NotDelivered: says why, and nothing secret.
    """
    match way.kind:
        case "email":
            send_mail(way.settings, way.secrets, letter)
        case "webhook":
            post_letter(way.secrets["url"], letter, signing_key=way.secrets.get("signing_key", ""))
        case "apprise":
            send_elsewhere(way.secrets["url"], letter)
        case "heartbeat":
            ping(way.secrets["url"])
        case _:
            raise NotDelivered(f"There is no channel of the kind {way.kind!r}.", hint="Remove it and add it again.")
