"""Stores over HTTP: credentials go in, and nothing of them comes out, not even where they are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.api.app import create_api
from rxbackup.errors import Refused
from rxbackup.operations import copies, sign_in, stores
from rxbackup.operations.views import NewStore, StoreView
from tests.support.asgi_client import client_of

ADA = Actor("ada@example.com", "admin", session_id="s1")
SIGNED = {"cookie": "rxb_session=good", "x-rxb": "1"}
SECRET = "hunter2-hunter2"
BUCKET = {"name": "offsite", "kind": "s3", "bucket": "b", "access_key": "AK", "secret_key": SECRET}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    monkeypatch.setattr(wiring, "current", lambda: SimpleNamespace(settings=SimpleNamespace(public_url=None)))
    monkeypatch.setattr(sign_in, "identify", lambda s, token, touch=True: ADA if token == "good" else None)
    return client_of(create_api())


def test_a_store_is_added_and_its_credentials_stay_inside(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[NewStore] = []

    def add(services: Any, actor: Actor, new: NewStore) -> StoreView:
        asked.append(new)
        return StoreView(new.name, new.kind, "bucket b", same_server=False, note="", backups=0, stored_bytes=0)

    monkeypatch.setattr(stores, "add_store", add)
    answer = client.post("/api/v1/stores", json=BUCKET, headers=SIGNED)
    assert answer.status_code == 201
    assert SECRET not in answer.text
    assert asked[0].secret_key is not None
    assert asked[0].secret_key.get_secret_value() == SECRET
    assert SECRET not in repr(asked[0])
    for wrong in ({**BUCKET, "kind": "ftp"}, {**BUCKET, "style": "odd"}, {**BUCKET, "unknown": SECRET}):
        answer = client.post("/api/v1/stores", json=wrong, headers=SIGNED)
        assert answer.status_code in (400, 422)
        assert SECRET not in answer.text


def test_every_route_needs_somebody(client: httpx.Client) -> None:
    header = {"x-rxb": "1"}
    for method, path in (
        ("GET", "/stores"), ("POST", "/stores"), ("POST", "/stores/probe"), ("POST", "/stores/a/test"),
        ("POST", "/stores/a/rebuild"), ("DELETE", "/stores/a"), ("GET", "/backups/a/copies"),
        ("POST", "/backups/a/copies"), ("DELETE", "/backups/a/copies/b"),
    ):  # fmt: skip
        assert client.request(method, f"/api/v1{path}", headers=header).status_code == 401


def test_refusals_are_problems(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise Refused("There is a copy already.", hint="Nothing to do.")

    monkeypatch.setattr(copies, "request_copy", refuse)
    answer = client.post("/api/v1/backups/x/copies", json={"store": "offsite"}, headers=SIGNED)
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
