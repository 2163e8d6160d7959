"""Addresses on the web: a hook that takes letters as JSON, a heartbeat that wants only to be called."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import urllib.error
import urllib.request
from typing import IO, Any
from urllib.parse import urlsplit

from rxbackup.errors import NotDelivered
from rxbackup.notify.letter import Letter

SIGNATURE = "X-Rxbackup-Signature"
_SECONDS = 15.0
_HOOK_HINT = "Check the address and who listens there, then send a test."


class _StayHere(urllib.request.HTTPRedirectHandler):
    """An address that sends us elsewhere may send us anywhere: the one that was given is called, no other."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        del req, fp, code, msg, headers, newurl


_opener = urllib.request.build_opener(_StayHere)


def post_letter(url: str, letter: Letter, *, signing_key: str = "") -> None:
    """POST a letter as JSON: `id`, `event`, `subject` and `text`, which chat services with a hook show too.

    Args:
        url: where to.
        letter: what to say.
        signing_key: if given, the header `X-Rxbackup-Signature` is `sha256=` and the HMAC of the body under it.

    Raises:
        NotDelivered: nobody answers, or the answer is no 2xx.
    """
    body = json.dumps(
        {"id": letter.id, "event": letter.event, "subject": letter.subject, "text": letter.body}, ensure_ascii=False
    ).encode()
    headers = {"Content-Type": "application/json"}
    if signing_key:
        headers[SIGNATURE] = f"sha256={hmac.new(signing_key.encode(), body, hashlib.sha256).hexdigest()}"
    _call(url, body, headers)


def ping(url: str) -> None:
    """Call a heartbeat. Raises `NotDelivered`, as `post_letter`."""
    _call(url, None, {})


def host_of(url: str) -> str:
    """What may be shown of an address: its path may hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")


def _call(url: str, body: bytes | None, headers: dict[str, str]) -> None:
    shown = host_of(url)
    if not url.lower().startswith(("http://", "https://")):
        raise NotDelivered(f"{shown} is no web address.", hint="It begins with https://.")
    request = urllib.request.Request(url, data=body, headers={"User-Agent": "rxbackup", **headers})  # noqa: S310 - checked above
    try:
        with _opener.open(request, timeout=_SECONDS) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        error.close()
        raise NotDelivered(f"{shown} answered {error.code} {error.reason}.", hint=_HOOK_HINT) from None
    except urllib.error.URLError as error:
        reason = getattr(error.reason, "strerror", None) or str(error.reason)
        raise NotDelivered(f"{shown} cannot be reached: {reason}.", hint=_HOOK_HINT) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Other kinds of words may repeat the address with what is secret in it.
        raise NotDelivered(f"{shown} gave no answer ({type(error).__name__}).", hint=_HOOK_HINT) from None
