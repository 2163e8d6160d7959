"""Channels and alerts over HTTP: what is sent reaches the operations, and secrets come back nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.api.app import create_api
from rxbackup.errors import NotDelivered
from rxbackup.operations import activity, channels, sign_in
from rxbackup.operations.views.activity import ActivityLine, ActivityPage, ActivityQuery
from rxbackup.operations.views.channels import ChannelChange, ChannelView, NewChannel
from tests.support.asgi_client import client_of

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HEADERS = {"cookie": "rxb_session=good", "x-rxb": "1"}
VIEW = ChannelView("1", "hook", "webhook", "https://example.org", ("failure",), True, "ada@b.org", NOW, None, "")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    monkeypatch.setattr(wiring, "current", SimpleNamespace)
    ada = Actor("ada@example.com", "admin", session_id="s1")
    monkeypatch.setattr(sign_in, "identify", lambda s, token, touch=True: ada if token == "good" else None)
    return client_of(create_api())


def test_a_channel_is_added(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[NewChannel] = []
    monkeypatch.setattr(channels, "add_channel", lambda s, a, new: asked.append(new) or VIEW)
    wanted: dict[str, Any] = {
        "name": "hook",
        "kind": "webhook",
        "url": "https://example.org/s3cret",
        "signing_key": "k3y",
    }
    answer = client.post("/api/v1/channels", json=wanted, headers=HEADERS)
    assert answer.status_code == 201
    assert "s3cret" not in answer.text + repr(asked)
    (new,) = asked
    assert new.events is None
    assert new.url is not None
    assert new.url.get_secret_value() == "https://example.org/s3cret"


def test_a_secret_is_not_repeated_where_the_rest_is_wrong(client: httpx.Client) -> None:
    wanted = {"name": "hook", "kind": "pigeon", "url": "https://example.org/s3cret", "password": 5}
    answer = client.post("/api/v1/channels", json=wanted, headers=HEADERS)
    assert answer.status_code == 400
    assert "s3cret" not in answer.text


def test_a_test_that_fails_says_why(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> ChannelView:
        raise NotDelivered("https://example.org answered 404 Not Found.")

    monkeypatch.setattr(channels, "try_channel", refuse)
    answer = client.post("/api/v1/channels/hook/test", headers=HEADERS)
    assert answer.status_code == 502
    assert answer.json()["detail"] == "https://example.org answered 404 Not Found."
    assert answer.json()["type"] == "urn:rxbackup:problem:not-delivered"


def test_a_channel_is_changed(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ChannelChange] = []
    monkeypatch.setattr(channels, "change_channel", lambda s, a, name, change: asked.append(change) or VIEW)
    assert client.patch("/api/v1/channels/hook", json={"active": False}, headers=HEADERS).status_code == 200
    assert client.patch("/api/v1/channels/hook", json={"events": ["undo"]}, headers=HEADERS).status_code == 200
    way = {"to": ["bob@example.org"], "port": 0, "password": "s3cret"}
    assert client.patch("/api/v1/channels/hook", json=way, headers=HEADERS).status_code == 200
    assert asked[:2] == [ChannelChange(active=False), ChannelChange(events=("undo",))]
    assert (asked[2].to, asked[2].port, asked[2].url) == (("bob@example.org",), 0, None)
    assert "s3cret" not in repr(asked)


def test_activity_is_asked_for_in_pages(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ActivityQuery] = []
    line = ActivityLine("act 1", NOW, "ada@b.org", "signed_in", "person", "done", "Signed in")
    found = ActivityPage((line,), 1, 1, 1, NOW)
    monkeypatch.setattr(activity, "list_activity", lambda s, a, query: asked.append(query) or found)
    wanted: dict[str, Any] = {"kind": "person", "until": NOW.isoformat(), "page": 2}
    answer = client.get("/api/v1/activity", params=wanted, headers=HEADERS).json()
    assert (answer["items"][0]["title"], datetime.fromisoformat(answer["until"])) == ("Signed in", NOW)
    assert asked == [ActivityQuery(kind="person", until=NOW, page=2)]
    for wrong in ({"outcome": "great"}, {"until": "2026-11-23T03:00:00"}, {"page": 0}):
        assert client.get("/api/v1/activity", params=wrong, headers=HEADERS).status_code == 400
