from __future__ import annotations

import pytest

from rxbackup.serving.cookies import give, session_token, take_back


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("", None),
        ("theme=dark", None),
        ("rxb_session=", None),
        ("theme=dark; rxb_session=abc; x=y", "abc"),
        ("rxb_session=planted; __Host-rxb_session=true", "true"),
        ("rxb_session=first; rxb_session=second", "first"),
        ('rxb_session="abc"', "abc"),
        ("xrxb_session=abc", None),
    ],
)
def test_session_token_is_found_in_a_cookie_header(header: str | None, token: str | None) -> None:
    assert session_token(header) == token


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() -> None:
    plain, secure = give("t", secure=False, seconds=60), give("t", secure=True, seconds=60)
    for header in (plain, secure):
        assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=60"} <= set(header.split("; "))
        assert "Domain" not in header
    assert secure.startswith("__Host-rxb_session=t;")
    assert secure.endswith("; Secure")


def test_both_names_are_taken_back() -> None:
    assert {header.partition("=")[0] for header in take_back()} == {"rxb_session", "__Host-rxb_session"}
    assert all("Max-Age=0" in header for header in take_back())
