"""What is opened before the first request and closed after the last."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from rxbackup import wiring
from rxbackup.operations import sign_in
from rxbackup.operations.services import Services
from rxbackup.serving.quiet import hide_secrets_in_logs
from rxbackup.settings import Settings

_greeting: str | None = None


def open_services(settings: Settings, address: str) -> None:
    """Open the databases, the key and the queue, and let the pages and the API find them; blocking.

    The launcher calls it before the server starts, so that what is wrong is told plainly and nothing half starts.

    Args:
        settings: what the environment says.
        address: where the app can be opened on this machine.

    Raises:
        RxbackupError: whatever is wrong with database, key or settings.
    """
    global _greeting  # noqa: PLW0603 - one app a process; the server gives no other way to pass it on
    if _greeting is None:
        _greeting = _greet(wiring.services(settings, tell=_say), address)


def close_services() -> None:
    """Close what `open_services` opened; nothing happens if nothing is open."""
    global _greeting  # noqa: PLW0603 - as above
    _greeting = None
    wiring.close()


@contextlib.asynccontextmanager
async def open_house(address: str) -> AsyncIterator[None]:
    """Reflex lifespan task: services are open while the app serves.

    Args:
        address: where the page is under `reflex run`; the launcher has opened everything already, and knows better.
    """
    hide_secrets_in_logs()
    if _greeting is None:
        await asyncio.to_thread(open_services, Settings(), address)
    try:
        yield
    finally:
        await asyncio.to_thread(close_services)


def say_ready() -> None:
    """Reflex lifespan task, the last: everything runs, people may come."""
    sys.stdout.write(_greeting or "")
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _greet(services: Services, address: str) -> str:
    """The address, and on a first start the link that creates the first admin."""
    address = (services.settings.public_url or address).rstrip("/")
    lines = [f"rxbackup is ready: {address}"]
    if (token := sign_in.issue_setup_token(services)) is not None:
        lines.append(f"Create the first admin (the link works once, for one hour): {address}/setup?token={token}")
    return "".join(f"{line}\n" for line in lines)
