"""Real minutes: the scheduler beside a mail server that takes the call and never says a word."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from rxbackup.notify.letter import Said
from rxbackup.operations import channels
from rxbackup.operations._telling.announcing import announce
from rxbackup.operations.views.channels import NewChannel
from rxbackup.worker.scheduler import start_scheduler
from tests.support.installation import CONSOLE, Installation
from tests.support.receivers import WebServer, web_server

__all__ = ["web_server"]


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield int(listener.getsockname()[1])


def _within(seconds: float, is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.2)
    return False


@pytest.mark.slow
def test_a_silent_mail_server_delays_neither_duties_nor_other_channels(
    installation: Installation, web_server: WebServer, silent_port: int
) -> None:
    services = installation.services
    mail = NewChannel("a", "email", to=("ada@example.org",), host="127.0.0.1", port=silent_port, security="none")
    channels.add_channel(services, CONSOLE, mail)
    channels.add_channel(services, CONSOLE, NewChannel("b", "webhook", url=SecretStr(web_server.url)))
    with services.system.session("system") as session:
        announce(services, session, "failure", Said("Failed: Nightly", "The disk is full.", "bad"), once="run 1")

    scheduler = start_scheduler(services)
    try:
        beat = "SELECT count(*) FROM rxbackup.settings WHERE key = 'scheduler_heartbeat'"
        assert _within(60, lambda: installation.system_sql(beat) == [(1,)])
        assert _within(90, lambda: len(web_server.calls) == 1)
        waiting = "SELECT count(*) FROM rxbackup.messages WHERE state = 'waiting' AND problem IS NOT NULL"
        assert _within(60, lambda: installation.system_sql(waiting) == [(1,)])
    finally:
        scheduler.shutdown(wait=True)
