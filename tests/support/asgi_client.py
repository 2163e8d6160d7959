"""Requests to an ASGI app without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx


class _Transport(httpx.BaseTransport):
    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            answer = await self._inner.handle_async_request(request)
            body = await answer.aread()
            return httpx.Response(answer.status_code, headers=answer.headers, content=body, request=request)

        return asyncio.run(ask())


def client_of(app: Any) -> httpx.Client:
    """A client whose every request is answered by `app`, in a loop of its own."""
    return httpx.Client(transport=_Transport(app), base_url="http://here")
