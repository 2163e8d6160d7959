"""The wall around every request: whose page may act, what answers must say about themselves.

It stands outside everything that Reflex and the API serve, so that a new route is inside by itself.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any

from rxbackup.serving.origins import may_change

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CLOSED = ("/_upload", "/_all_routes", "/auth-codespace")
"""Endpoints that Reflex could open one day and that nothing here needs."""
MOST_BODY_BYTES = 1024 * 1024
UPLOADS = frozenset({("PUT", "/api/v1/imports")})
"""Routes that take files: they stream the body to the disk and bound it themselves."""

PAGE_POLICY = (
    "default-src 'self'; "
    # Inline scripts (colour mode before the first paint, React Router's start) are allowed by their hashes only.
    # 'unsafe-eval' cannot go: Reflex runs toasts and scripts that the server sends by eval().
    "script-src 'self' 'unsafe-eval'{hashes}; "
    # Emotion and Radix write styles while the page runs.
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Wall:
    """ASGI middleware around the whole app.

    Args:
        app: what is served.
        own: addresses that are ours beside the Host header's: RXBACKUP_PUBLIC_URL, the page of `reflex run`.
        script_hashes: hashes of the inline scripts of the built page, "'sha256-…'".
        pages: paths of the pages that are files, "/sign-in".
    """

    def __init__(
        self,
        app: Application,
        *,
        own: Iterable[str] = (),
        script_hashes: Iterable[str] = (),
        pages: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._own = tuple(own)
        self._pages = frozenset(pages)
        self._page_policy = PAGE_POLICY.format(hashes="".join(f" {one}" for one in script_hashes))
        self._hsts = any(address.startswith("https://") for address in self._own)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] == "websocket":
            if not may_change(_headers(scope), own=self._own):
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": "origin"})
                return
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, self._finish(scope, send))
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = _headers(scope), str(scope["path"])
        if any(path == closed or path.startswith(f"{closed}/") for closed in CLOSED):
            await _refuse(send, 404, "Not found", "There is nothing at this address.")
        elif scope["method"] in SAFE_METHODS:
            if path in self._pages:
                # Pages are folders; the file server would redirect to "…/", with the scheme that it sees: behind
                # a TLS proxy the wrong one.
                scope = {**scope, "path": f"{path}/", "raw_path": f"{path}/".encode()}
            await self._app(scope, receive, send)
        elif not may_change(headers, own=self._own):
            await _refuse(
                send,
                403,
                "Refused",
                "This request does not come from rxbackup's own page. Programs send the header X-Rxb: 1. Behind a "
                "proxy that changes the Host header, set RXBACKUP_PUBLIC_URL to the address people use.",
            )
        elif (scope["method"], path) in UPLOADS:
            await self._app(scope, receive, send)
        elif _announced_bytes(headers) > MOST_BODY_BYTES:
            await _refuse(send, 413, "Too large", f"A request may carry {MOST_BODY_BYTES} bytes at most.")
        else:
            await self._app(scope, _bounded(receive), send)

    def _finish(self, scope: Scope, send: Send) -> Send:
        """Add the headers that every answer carries, unless the route has set them itself."""
        path = str(scope["path"])

        async def finished(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower(): value for name, value in message.get("headers", [])}
                wanted = dict(ALWAYS)
                is_page = present.get(b"content-type", b"").startswith(b"text/html")
                # "Not modified" has no type of its own, and its headers replace those of the copy in the browser:
                # without a policy the copy keeps the one it came with.
                if message["status"] != HTTPStatus.NOT_MODIFIED:
                    wanted["content-security-policy"] = self._page_policy if is_page else DATA_POLICY
                wanted["cache-control"] = _cache_rule(path, int(message["status"]))
                if self._hsts:
                    wanted["strict-transport-security"] = "max-age=31536000"
                added = [(k.encode(), v.encode()) for k, v in wanted.items() if k.encode() not in present]
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        return finished


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _cache_rule(path: str, status: int) -> str:
    """How long browsers may keep an answer; only the bundler's files carry a hash in their names."""
    if path.startswith("/assets/") and status in {200, 206, 304}:
        return "public, max-age=31536000, immutable"
    return "no-cache" if status in {200, 206, 304} else "no-store"


def _announced_bytes(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() else MOST_BODY_BYTES + 1


def _bounded(receive: Receive) -> Receive:
    """Cut a body that is longer than it may be; the route then sees a client that went away."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        return message if received <= MOST_BODY_BYTES else {"type": "http.disconnect"}

    return bounded


async def _refuse(send: Send, status: int, title: str, detail: str) -> None:
    body = json.dumps({"type": "about:blank", "status": status, "title": title, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
