from __future__ import annotations

import socket

import pytest

from rxbackup.errors import Busy, UsageError
from rxbackup.serving import launcher
from rxbackup.serving.launcher import Address


@pytest.mark.parametrize(
    ("host", "url", "local"),
    [
        ("127.0.0.1", "http://127.0.0.1:8800", True),
        ("localhost", "http://localhost:8800", True),
        ("0.0.0.0", "http://localhost:8800", False),
        ("::", "http://localhost:8800", False),
        ("::1", "http://[::1]:8800", True),
        ("192.0.2.7", "http://192.0.2.7:8800", False),
        ("backup.example.com", "http://backup.example.com:8800", False),
    ],
)
def test_an_address_says_how_to_open_it_and_who_can(host: str, url: str, local: bool) -> None:
    assert Address(host, 8800).url == url
    assert Address(host, 8800).is_local is local


def test_a_port_in_use_is_refused_by_name() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Busy, match="listens on"):
            launcher._ensure_free(Address("127.0.0.1", taken.getsockname()[1]))


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 8800), ("192.0.2.1", 8800), ("127.0.0.1", 70000)])
def test_an_address_that_is_not_ours_is_refused(host: str, port: int) -> None:
    with pytest.raises(UsageError):
        launcher._ensure_free(Address(host, port))
