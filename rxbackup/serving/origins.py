"""Whose page sent this request? Pure rules over header values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def _host_and_port(origin: str) -> tuple[str, str, int] | None:
    """(scheme, host, port) of an origin, None if it is none ("null" included)."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        return None
    return parts.scheme, parts.hostname.lower(), port or _DEFAULT_PORTS[parts.scheme]


def is_own(origin: str, *, host: str, own: Iterable[str] = ()) -> bool:
    """Whether a request with this Origin comes from our own page.

    Args:
        origin: the Origin header.
        host: the Host header of the same request: what the browser believes it is talking to.
        own: further addresses that are ours, e.g. RXBACKUP_PUBLIC_URL behind a proxy that rewrites Host.
    """
    asked = _host_and_port(origin)
    if asked is None:
        return False
    if any(asked == _host_and_port(address) for address in own):
        return True
    # Host leaves out the default port of the scheme the browser used; a TLS proxy hides that scheme from us.
    here = _host_and_port(f"{asked[0]}://{host}")
    return here is not None and here[1:] == asked[1:]


def may_change(headers: Mapping[str, str], *, own: Iterable[str] = ()) -> bool:
    """Whether a request that changes something, or opens the websocket, may go on.

    Browsers always send Origin with those. What is no browser sends none, and must show by the header
    `X-Rxb: 1` that it is no form on a foreign page: no form can set a header.

    Args:
        headers: lower-case names.
        own: as in `is_own`.
    """
    origin = headers.get("origin")
    if origin is not None and any(_host_and_port(origin) == _host_and_port(address) for address in own):
        return _host_and_port(origin) is not None
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    if origin is None:
        return headers.get("x-rxb") == "1"
    return is_own(origin, host=headers.get("host", ""))


def is_secure(headers: Mapping[str, str], *, scheme: str, own: Iterable[str] = ()) -> bool:
    """Whether the browser reached us over TLS, as far as its own Origin and the request say."""
    if scheme in {"https", "wss"}:
        return True
    origin = headers.get("origin", "")
    return origin.startswith("https://") and is_own(origin, host=headers.get("host", ""), own=own)
