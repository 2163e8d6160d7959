"""Uploads: streamed, bounded, and gone wherever they end badly."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.api import imports as route
from rxbackup.api.app import create_api
from rxbackup.errors import FileCorrupt
from rxbackup.operations import imports, sign_in
from rxbackup.operations.views import JobView
from rxbackup.serving.wall import MOST_BODY_BYTES, Wall
from tests.support.asgi_client import client_of

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
ADA = Actor("ada@example.com", "admin", session_id="s1")
OSCAR = Actor("oscar@example.com", "operator", session_id="s2")
HEADERS = {"cookie": "rxb_session=good", "x-rxb": "1"}
ADDRESS = "/api/v1/imports?file_name=a.rxbackup"
LIMIT = 4 * 1024 * 1024


class Asked:
    """What the operation was asked, and what lay in the spool then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contents: list[bytes] = []
        self.wishes: list[dict[str, Any]] = []

    def left(self) -> list[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Asked:
    found = Asked(tmp_path / "imports")
    settings = SimpleNamespace(public_url=None, data_dir=tmp_path, import_max_bytes=LIMIT)
    services = SimpleNamespace(settings=settings, clock=lambda: NOW, system=None)

    def request(services: Any, actor: Actor, path: Path, file_name: str, **more: Any) -> JobView:
        content = path.read_bytes()
        if content.startswith(b"bad"):
            raise FileCorrupt
        found.contents.append(content)
        found.wishes.append({"file_name": file_name, **more})
        empty = {"message": "", "error": None, "result": {}, "backup_id": None, "backup_name": None, "percent": None}
        counts = dict.fromkeys(("rows_done", "rows_total", "bytes_done", "bytes_total"), 0)
        times = {"created_at": NOW, "started_at": None, "finished_at": None}
        return JobView(id="j1", kind="import", actor=actor.email, state="queued", stage="", **empty, **counts, **times)

    actors = {"good": ADA, "operator": OSCAR}
    monkeypatch.setattr(wiring, "current", lambda: services)
    monkeypatch.setattr(sign_in, "identify", lambda s, token, **more: actors.get(token))
    monkeypatch.setattr(imports, "request_import", request)
    return found


@pytest.fixture
def app(asked: Asked) -> Any:
    return Wall(create_api())


def _put(app: Any, content: Any, headers: dict[str, str] = HEADERS, address: str = ADDRESS) -> Any:
    return client_of(app).put(address, content=content, headers={"host": "here", **headers})


def test_a_file_far_above_other_bodies_is_taken(app: Any, asked: Asked) -> None:
    content = b"x" * (MOST_BODY_BYTES * 3)
    answer = _put(app, content, {**HEADERS, "x-rxb-passphrase": "gr%C3%BC%C3%9Fe%20an%20alle"})
    assert (answer.status_code, answer.headers["location"]) == (202, "/api/v1/jobs/j1")
    assert asked.contents == [content]
    wish = asked.wishes[0]
    assert (wish["file_name"], wish["store"], wish["name"]) == ("a.rxbackup", "database", None)
    assert wish["passphrase"].get_secret_value() == "grüße an alle"
    # A job vouches for it now.
    assert len(asked.left()) == 1


def test_no_length_is_no_way_around_the_limit(app: Any, asked: Asked) -> None:
    def pieces(total: int) -> list[dict[str, Any]]:
        return [
            {"type": "http.request", "body": b"x" * 65536, "more_body": left > 65536}
            for left in range(total, 0, -65536)
        ]

    assert _raw(app, pieces(LIMIT // 2))[0]["status"] == 202
    assert _raw(app, pieces(LIMIT * 2))[0]["status"] == 413
    assert len(asked.contents) == len(asked.left()) == 1


def test_a_length_above_the_limit_is_refused_before_a_byte_is_read(app: Any, asked: Asked) -> None:
    answer = _put(app, b"x" * (LIMIT + 1))
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:rxbackup:problem:too-large")
    assert asked.left() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-rxb": "1"}, 401),
        ({"x-rxb": "1", "cookie": "rxb_session=wrong"}, 401),
        ({"x-rxb": "1", "cookie": "rxb_session=operator"}, 403),
        ({"cookie": "rxb_session=good"}, 403),
        ({**HEADERS, "origin": "https://evil.example"}, 403),
        ({**HEADERS, "origin": "null"}, 403),
        ({**HEADERS, "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_strangers_upload_nothing(
    app: Any, asked: Asked, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], status: int
) -> None:
    from rxbackup.operations import guard

    monkeypatch.setattr(guard, "_remember_refusal", lambda *args: None)
    assert _put(app, b"x" * 100, headers).status_code == status
    assert (asked.contents, asked.left()) == ([], [])


def test_a_file_that_is_refused_is_gone(app: Any, asked: Asked) -> None:
    assert _put(app, b"bad").status_code == 422
    assert asked.left() == []


def test_a_session_that_ends_meanwhile_leaves_no_job(app: Any, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [ADA, None]
    monkeypatch.setattr(sign_in, "identify", lambda s, token, **more: answers.pop(0))
    assert _put(app, b"x" * 100).status_code == 401
    assert (asked.contents, asked.left()) == ([], [])


def _raw(app: Any, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answers to a request whose body comes as these messages."""
    headers = [(k.encode(), v.encode()) for k, v in {**HEADERS, "host": "here"}.items()]
    scope = {
        "type": "http", "method": "PUT", "path": "/api/v1/imports", "raw_path": b"/api/v1/imports",
        "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1",
        "server": ("here", 80), "root_path": "",
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.sleep(3600)
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(app(scope, receive, send), 30))
    return sent


def test_who_goes_away_leaves_nothing(app: Any, asked: Asked) -> None:
    half = {"type": "http.request", "body": b"x" * 2_000_000, "more_body": True}
    _raw(app, [half, {"type": "http.disconnect"}])
    assert (asked.contents, asked.left()) == ([], [])


def test_who_says_nothing_is_cut_off(app: Any, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "_SILENCE_SECONDS", 0.2)
    sent = _raw(app, [{"type": "http.request", "body": b"x", "more_body": True}])
    assert sent[0]["status"] == 400
    assert (asked.contents, asked.left(), route._uploading) == ([], [], {})


def test_one_person_uploads_two_files_at_once(app: Any, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(route._uploading, ADA.email, 2)
    assert _put(app, b"x").status_code == 409
    monkeypatch.setitem(route._uploading, ADA.email, 1)
    assert _put(app, b"x").status_code == 202
