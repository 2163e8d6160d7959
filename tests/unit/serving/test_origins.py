from __future__ import annotations

import pytest

from rxbackup.serving.origins import is_own, is_secure, may_change

PUBLIC = ("https://backup.example.com",)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8800", "127.0.0.1:8800"),
        ("http://LOCALHOST:8800", "localhost:8800"),
        ("https://backup.example.com", "backup.example.com"),
        ("https://backup.example.com", "backup.example.com:443"),
        ("http://[::1]:8800", "[::1]:8800"),
        ("https://localhost:9443", "localhost:9443"),
    ],
)
def test_a_page_of_the_same_host_and_port_is_own(origin: str, host: str) -> None:
    assert is_own(origin, host=host)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "http://127.0.0.1:8801",
        "http://127.0.0.1",
        "http://sub.127.0.0.1:8800",
        "http://127.0.0.1:8800.evil.example",
        "http://127.0.0.1:8800@evil.example",
        "http://user@127.0.0.1:8800",
        "file://127.0.0.1:8800",
        "http://127.0.0.1:notaport",
        "http://[::1",
    ],
)
def test_everything_else_is_not_own(origin: str) -> None:
    assert not is_own(origin, host="127.0.0.1:8800")


def test_the_public_address_is_own_whatever_host_the_proxy_sends() -> None:
    assert is_own("https://backup.example.com", host="127.0.0.1:8800", own=PUBLIC)
    assert not is_own("http://backup.example.com", host="127.0.0.1:8800", own=PUBLIC)


def test_without_origin_only_a_header_that_no_form_can_set_is_good_enough() -> None:
    assert not may_change({"host": "a"})
    assert may_change({"host": "a", "x-rxb": "1"})


def test_a_header_does_not_mend_a_foreign_origin() -> None:
    assert not may_change({"host": "a", "x-rxb": "1", "origin": "https://evil.example"})


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_browsers_own_word_about_the_sender_counts(site: str) -> None:
    assert not may_change({"host": "a", "origin": "http://a", "sec-fetch-site": site})
    assert may_change({"host": "a", "origin": "http://a", "sec-fetch-site": "same-origin"})


def test_tls_is_seen_through_a_proxy_by_the_origin_of_our_own_page() -> None:
    assert is_secure({"origin": "https://a:9443", "host": "a:9443"}, scheme="http")
    assert not is_secure({"origin": "https://evil.example", "host": "a:9443"}, scheme="http")
    assert not is_secure({"origin": "http://a:9443", "host": "a:9443"}, scheme="http")
