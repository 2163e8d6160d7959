"""The session cookie: how it is named, set, read and taken back."""

from __future__ import annotations

from typing import Final

PLAIN_NAME: Final = "rxb_session"
SECURE_NAME: Final = "__Host-rxb_session"
"""Under TLS the prefix makes browsers refuse the cookie from anybody but this very host over TLS."""


def session_token(cookie_header: str | None) -> str | None:
    """The session token in a Cookie header, None if there is none.

    The secure name wins: a neighbour on a plain port of the same host could have planted the other one.
    """
    found: dict[str, str] = {}
    for pair in (cookie_header or "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name in {PLAIN_NAME, SECURE_NAME} and value:
            found.setdefault(name, value.strip('"'))
    return found.get(SECURE_NAME) or found.get(PLAIN_NAME)


def give(token: str, *, secure: bool, seconds: int) -> str:
    """The Set-Cookie header that hands a session to the browser.

    HttpOnly: no script reads it. SameSite=Strict: no other site's request carries it.
    """
    name = SECURE_NAME if secure else PLAIN_NAME
    return f"{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{'; Secure' if secure else ''}"


def take_back() -> list[str]:
    """The Set-Cookie headers that end the session in the browser, under either name."""
    gone = "Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    return [f"{PLAIN_NAME}=; {gone}", f"{SECURE_NAME}=; {gone}; Secure"]
