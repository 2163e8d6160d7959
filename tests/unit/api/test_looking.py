"""Rows and comparisons over HTTP: what is asked reaches the operations, and nothing unbounded does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.api.app import create_api
from rxbackup.operations import comparisons, rows, sign_in
from rxbackup.operations.views import Download
from tests.support.asgi_client import client_of

ADA = Actor("ada@example.com", "admin", session_id="s1")
COOKIE = {"cookie": "rxb_session=good"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    services = SimpleNamespace(settings=SimpleNamespace(public_url=None))
    monkeypatch.setattr(wiring, "current", lambda: services)
    monkeypatch.setattr(sign_in, "identify", lambda s, token, touch=True: ADA if token == "good" else None)
    return client_of(create_api())


def test_conditions_reach_the_operation(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def open_rows(services: Any, actor: Actor, *what: str, **how: Any) -> Download:
        asked.append((what, how))
        return Download("First-orders.csv", "text/csv; charset=utf-8", iter([b"id\r\n", b"1\r\n"]))

    monkeypatch.setattr(rows, "open_rows", open_rows)
    answer = client.get("/api/v1/backups/abc/rows/file?table=orders&where=a=1&where=b~x%26y&format=csv", headers=COOKIE)
    assert answer.content == b"id\r\n1\r\n"
    assert answer.headers["content-disposition"].startswith('attachment; filename="First-orders.csv"')
    assert answer.headers["cache-control"] == "no-store"
    assert asked == [(("abc", "orders"), {"where": ["a=1", "b~x&y"], "format_name": "csv"})]


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/backups/abc/rows",
        "/api/v1/backups/abc/rows?table=x&limit=1001",
        "/api/v1/backups/abc/rows?table=x&nonsense=1",
        "/api/v1/backups/abc/rows/file?table=x&format=xlsx",
        "/api/v1/backups/abc/rows?table=x" + "&where=a=1" * 21,
        "/api/v1/comparisons/rows?before=a&table=x&change=moved",
        "/api/v1/comparisons/rows?before=a&table=x&skip=-1",
    ],
)
def test_what_makes_no_sense_is_refused(client: httpx.Client, address: str) -> None:
    assert client.get(address, headers=COOKIE).status_code == 400


def test_rows_that_differ_are_no_run(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "show_comparison", lambda *a: pytest.fail("the address of rows is no run's id"))
    monkeypatch.setattr(comparisons, "compare_rows", lambda s, a, *what, **how: asked.append((what, how)))
    asked: list[Any] = []
    client.get("/api/v1/comparisons/rows?before=a&table=x", headers=COOKIE)
    assert asked == [(("a", "now", "x"), {"change": None, "skip": 0, "limit": 50})]
