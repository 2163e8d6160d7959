"""Restores over HTTP: everything that can be asked for reaches the operations as it was meant."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.api.app import create_api
from rxbackup.errors import PlanRefused
from rxbackup.operations import previews, refreshes, restores, side_schemas, sign_in, undos
from rxbackup.operations.views import JobView, NewRestore, NewSideSchema
from tests.support.asgi_client import client_of

ADA = Actor("ada@example.com", "admin", session_id="s1")
SIGNED = {"cookie": "rxb_session=good", "x-rxb": "1"}
NOW = datetime(2026, 11, 23, tzinfo=UTC)
JOB = JobView(
    "j1", "restore", ADA.email, "queued", "", None, 0, 0, 0, 0, "", None, {}, NOW, None, None, "b", "First"
)  # fmt: skip


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    monkeypatch.setattr(wiring, "current", lambda: SimpleNamespace(settings=SimpleNamespace(public_url=None)))
    monkeypatch.setattr(sign_in, "identify", lambda s, token, touch=True: ADA if token == "good" else None)
    return client_of(create_api())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []

    def queue(services: Any, actor: Actor, what: Any, **held_to: Any) -> JobView:
        found.append((what, held_to) if held_to else what)
        return JOB

    for module, name in (
        (previews, "request_preview"), (restores, "request_restore"), (undos, "request_undo"),
        (refreshes, "request_refresh"), (side_schemas, "request_side_schema"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, queue)
    return found


def test_what_is_wished_reaches_the_operations(client: httpx.Client, asked: list[Any]) -> None:
    choice = {"groups": ["A"], "tables": ["public.a"], "mode": "changed", "set_aside": True, "store": "s"}
    sure = {"confirm_name": "First", "preview": "j0", "safety": False, "trust_foreign": True}
    for path, body in (
        ("/backups/b/preview", choice),
        ("/backups/b/restore", choice | sure | {"maintenance": True, "replace_own_account": True}),
        ("/jobs/j1/undo?preview=j0", None),
        ("/jobs/j1/refresh", None),
        ("/backups/b/side-schemas", {"name": "then", "hours": 3, "skip": ["B"]}),
    ):
        answer = client.post(f"/api/v1{path}", json=body, headers=SIGNED)
        assert (answer.status_code, answer.headers["location"]) == (202, "/api/v1/jobs/j1"), answer.text
    plain = NewRestore("b", groups=("A",), tables=("public.a",), mode="changed", set_aside=True, store="s")
    assert asked == [
        plain,
        NewRestore(
            "b",
            groups=("A",),
            tables=("public.a",),
            mode="changed",
            safety=False,
            confirm_name="First",
            trust_foreign=True,
            store="s",
            set_aside=True,
            replace_own_account=True,
            maintenance=True,
            preview="j0",
        ),
        ("j1", {"preview": "j0"}),
        "j1",
        NewSideSchema("b", "then", skip=("B",), hours=3),
    ]


def test_nonsense_is_refused_before_anything_is_asked(client: httpx.Client, asked: list[Any]) -> None:
    for path, body in (
        ("/backups/b/restore", {}),
        ("/backups/b/restore", {"confirm_name": "First", "mode": "all"}),
        ("/backups/b/preview", {"tables": []}),
        ("/backups/b/preview", {"confirm_name": "First"}),
        ("/backups/b/restore", {"confirm_name": "First", "into": "postgresql://h/d"}),
        ("/backups/b/side-schemas", {"name": "then", "hours": 0}),
    ):
        assert client.post(f"/api/v1{path}", json=body, headers=SIGNED).status_code == 400
    assert asked == []


def test_a_preview_that_is_not_ready_and_a_plan_that_is_refused_are_problems(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "show_preview", lambda *_: None)
    waiting = client.get("/api/v1/jobs/j1/preview", headers=SIGNED)
    assert (waiting.status_code, waiting.json()["hint"]) == (409, "Follow it at /api/v1/jobs/j1.")

    def refuse(*_: Any) -> None:
        raise PlanRefused("More rows would be changed.", hint="Look at the preview again, then restore.")

    monkeypatch.setattr(restores, "request_restore", refuse)
    answer = client.post("/api/v1/backups/b/restore", json={"confirm_name": "First"}, headers=SIGNED)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rxbackup:problem:plan-refused")
