"""A program that speaks the page's websocket and was never invited."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

import socketio

_T = TypeVar("_T")

NAMESPACE = "/_event"


def every_handler() -> list[str]:
    """Every event handler that the app has registered, by the name that a browser sends."""
    from rxbackup.rxbackup import app  # registers all pages and states

    return sorted(app._registration_context.event_handlers)


JUNK: tuple[dict[str, Any], ...] = (
    {},
    {"value": "x", "name": "x", "id": "x", "backup_id": "x", "job_id": "x", "form": {}, "data": {"name": "x"}},
    {"var_name": "email", "value": "mallory@example.com"},
    {"vars": {"email": "mallory@example.com"}, "hashes": []},
)
"""Payloads that fit nothing, something, and what an attacker would try."""


def run_apart(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine in a thread of its own: the browser's driver occupies the loop of this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class Uninvited:
    """One websocket; keeps every update that the server sends."""

    def __init__(self, url: str, cookie: str | None = None) -> None:
        self.updates: list[dict[str, Any]] = []
        self._url = url
        self._cookie = cookie
        self._token = str(uuid.uuid4())
        self._client = socketio.AsyncClient(reconnection=False)
        self._client.on("event", self._received, namespace=NAMESPACE)

    async def _received(self, update: dict[str, Any]) -> None:
        self.updates.append(update)

    async def __aenter__(self) -> Self:
        headers = {"Origin": self._url} | ({"Cookie": self._cookie} if self._cookie else {})
        await self._client.connect(
            f"{self._url}?token={self._token}",
            headers=headers,
            socketio_path="_event",
            namespaces=[NAMESPACE],
            transports=["websocket"],
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()

    async def call(self, name: str, payload: dict[str, Any], path: str = "/backups") -> None:
        """Send one event, as the page does."""
        router = {"pathname": path, "asPath": path, "query": {}}
        await self._client.emit("event", {"name": name, "payload": payload, "router_data": router}, namespace=NAMESPACE)

    async def settle(self, seconds: float = 1.0) -> None:
        """Wait until nothing has come for a while."""
        seen = -1
        while seen != len(self.updates):
            seen = len(self.updates)
            await asyncio.sleep(seconds)
