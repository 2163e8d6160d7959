"""What is opened before the first request and closed after the last."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator

from rxbackup import wiring
from rxbackup.operations import sign_in
from rxbackup.operations.services import Services
from rxbackup.serving.quiet import hide_secrets_in_logs
from rxbackup.settings import Settings

logger = logging.getLogger(__name__)

_opened: Services | None = None
_address: str | None = None


def open_services(settings: Settings, address: str | None = None) -> Services:
    """Open the databases, the key and the queue, and let the pages and the API find them.

    Args:
        settings: what the environment says.
        address: where the app can be opened on this machine; None under `reflex run`, which says so itself.
    """
    global _opened, _address  # noqa: PLW0603 - one app a process; the server gives no other way to pass it on
    if _opened is None:
        _opened = wiring.services(settings)
        _address = address
    return _opened


def close_services() -> None:
    """Close what `open_services` opened; nothing happens if nothing is open."""
    global _opened  # noqa: PLW0603 - as above
    if _opened is not None:
        _opened = None
        wiring.close()


@contextlib.asynccontextmanager
async def open_house() -> AsyncIterator[None]:
    """Reflex lifespan task: services are open while the app serves."""
    hide_secrets_in_logs()
    services = await asyncio.to_thread(open_services, _opened.settings if _opened else Settings())
    greeting = await asyncio.to_thread(_greeting, services)
    sys.stdout.write(greeting)
    sys.stdout.flush()
    try:
        yield
    finally:
        await asyncio.to_thread(close_services)


def _greeting(services: Services) -> str:
    """The address, and on a first start the link that creates the first admin."""
    address = (services.settings.public_url or _address or "http://localhost:3000").rstrip("/")
    lines = [f"rxbackup is ready: {address}"] if _address else []
    if (token := sign_in.issue_setup_token(services)) is not None:
        lines.append(f"Create the first admin (the link works once, for one hour): {address}/setup?token={token}")
    return "".join(f"{line}\n" for line in lines)
