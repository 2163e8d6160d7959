"""Every route of the API: closed unless it is on the list, and wrong input is told as a problem document."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from rxbackup import wiring
from rxbackup.access.actor import Actor, Door
from rxbackup.api.app import ROUTERS, create_api
from rxbackup.api.identity import is_public
from rxbackup.errors import BackupNotFound, SignInFailed, TooManyAttempts
from rxbackup.operations import backups, downloads, health, jobs, sign_in
from rxbackup.operations.sign_in import SignedIn
from rxbackup.operations.views import Check, Download, Readiness
from tests.support.asgi_client import client_of

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
ADA = Actor("ada@example.com", "admin", session_id="s1")
COOKIE = {"cookie": "rxb_session=good"}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked of the operations."""
    asked: list[tuple[Any, ...]] = []
    services = SimpleNamespace(settings=SimpleNamespace(public_url=None), clock=lambda: NOW)
    monkeypatch.setattr(wiring, "current", lambda: services)
    monkeypatch.setattr(sign_in, "identify", lambda s, token, touch=True: ADA if token == "good" else None)
    monkeypatch.setattr(sign_in, "sign_out", lambda s, token: asked.append(("sign out", token)))
    return asked


@pytest.fixture
def client(said: list[tuple[Any, ...]]) -> httpx.Client:
    return client_of(create_api())


def routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def is_problem(answer: httpx.Response, status: int) -> bool:
    return answer.status_code == status and answer.headers["content-type"] == "application/problem+json"


def test_the_public_routes_are_these() -> None:
    assert sorted(route.path for route in routes() if is_public(route.endpoint)) == [
        "/api/docs",
        "/api/openapi.json",
        "/api/{rest:path}",
        "/auth/setup",
        "/auth/sign-in",
        "/auth/sign-out",
        "/healthz",
        "/readyz",
    ]


def test_nothing_but_these_routes_is_served() -> None:
    assert len(routes()) >= 14
    assert all(isinstance(route, APIRoute) for router in ROUTERS for route in router.routes)
    # FastAPI keeps included routers whole, or as their routes, depending on its version.
    assert len(create_api().routes) in {len(ROUTERS), len(routes())}


CLOSED = [(method, route.path) for route in routes() if not is_public(route.endpoint) for method in route.methods]


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("cookie", [{}, {"cookie": "rxb_session=wrong"}], ids=["no session", "wrong session"])
def test_every_other_route_refuses_who_is_not_signed_in(
    client: httpx.Client, method: str, path: str, cookie: dict[str, str]
) -> None:
    answer = client.request(method, path.replace("{", "").replace("}", ""), headers=cookie, json={})
    assert is_problem(answer, 401), answer.text


def test_signing_in_sets_a_cookie_and_ends_the_session_before(
    client: httpx.Client, said: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(services: Any, email: str, password: str, **about: Any) -> SignedIn:
        said.append((email, password, about["user_agent"]))
        return SignedIn("fresh", ADA, NOW + timedelta(hours=12))

    monkeypatch.setattr(sign_in, "sign_in", begin)
    body = {"email": "ada@example.com", "password": "pw"}
    answer = client.post("/auth/sign-in", json=body, headers={**COOKIE, "user-agent": "test"})
    assert answer.json() == {"email": "ada@example.com", "role": "admin"}
    assert answer.headers["set-cookie"] == ("rxb_session=fresh; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict")
    assert answer.headers["cache-control"] == "no-store"
    assert said == [("ada@example.com", "pw", "test"), ("sign out", "good")]
    over_tls = client.post("/auth/sign-in", json=body, headers={"origin": "https://here", "host": "here"})
    assert over_tls.headers["set-cookie"].startswith("__Host-rxb_session=fresh;")
    assert "; Secure" in over_tls.headers["set-cookie"]
    as_form = client.post("/auth/sign-in", data=body, follow_redirects=False)
    assert (as_form.status_code, as_form.headers["location"]) == (303, "/")


@pytest.mark.parametrize(("error", "status"), [(SignInFailed(), 401), (TooManyAttempts("Wait 8 seconds."), 429)])
def test_a_refused_sign_in_is_a_problem_and_sets_nothing(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def refuse(*_: Any, **__: Any) -> SignedIn:
        raise error

    monkeypatch.setattr(sign_in, "sign_in", refuse)
    answer = client.post("/auth/sign-in", json={"email": "a", "password": "b"})
    assert is_problem(answer, status)
    assert answer.json()["hint"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"{}", b'{"email": 1, "password": []}'])
def test_nonsense_is_told_without_repeating_it(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/auth/sign-in", content=body, headers={"content-type": "application/json"})
    assert is_problem(answer, 400), answer.text


def test_signing_out_takes_both_cookies_back(client: httpx.Client, said: list[tuple[Any, ...]]) -> None:
    answer = client.post("/auth/sign-out", headers=COOKIE)
    assert answer.status_code == 204
    assert len(answer.headers.get_list("set-cookie")) == 2
    assert said == [("sign out", "good")]


def test_a_download_is_an_attachment_that_nobody_keeps(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_link(services: Any, actor: Actor, token: str) -> Download:
        assert (actor.email, token) == (ADA.email, "abc")
        return Download("Größe.json", "application/json", iter([b"{", b"}"]))

    monkeypatch.setattr(downloads, "open_link", open_link)
    answer = client.get("/dl/abc", headers=COOKIE)
    assert answer.content == b"{}"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert client.head("/dl/abc", headers=COOKIE).status_code == 405


def test_the_api_says_by_which_door_somebody_came(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    doors: list[str] = []

    def recent(services: Any, actor: Actor, *, limit: int) -> tuple[()]:
        doors.append(actor.door)
        return ()

    monkeypatch.setattr(jobs, "recent_jobs", recent)
    assert client.get("/api/v1/jobs", headers=COOKIE).json() == []
    assert doors == [Door.API]


@pytest.mark.parametrize("query", ["page=0", "per_page=100000", "sort=secret", "nonsense=1", "text=" + "x" * 300])
def test_queries_are_bounded(client: httpx.Client, query: str) -> None:
    assert is_problem(client.get(f"/api/v1/backups?{query}", headers=COOKIE), 400)


def test_errors_of_operations_are_problems(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise BackupNotFound

    monkeypatch.setattr(backups, "show_backup", missing)
    answer = client.get("/api/v1/backups/nope", headers=COOKIE)
    assert is_problem(answer, 404)
    assert answer.json()["type"] == "urn:rxbackup:problem:backup-not-found"


def test_what_is_not_foreseen_tells_a_number_and_nothing_else(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def burst(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("s3cret internals")

    monkeypatch.setattr(backups, "show_backup", burst)
    answer = client.get("/api/v1/backups/x", headers=COOKIE)
    assert is_problem(answer, 500)
    assert "s3cret" not in answer.text
    number = answer.json()["detail"].rsplit(" ", 1)[1].rstrip(".")
    assert number in caplog.text


@pytest.mark.parametrize(("ok", "status"), [(True, 200), (False, 503)])
def test_readiness_says_why(client: httpx.Client, monkeypatch: pytest.MonkeyPatch, ok: bool, status: int) -> None:
    monkeypatch.setattr(health, "readiness", lambda services: Readiness(ok, {"scheduler": Check(ok, "tick")}))
    answer = client.get("/readyz")
    assert answer.status_code == status
    assert answer.json() == {"ok": ok, "checks": {"scheduler": {"ok": ok, "text": "tick"}}}


def test_unknown_addresses_of_the_api_are_problems(client: httpx.Client) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert is_problem(client.request(method, "/api/v2/x"), 404)


def test_the_documentation_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/api/docs").text
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "/api/v1/backups" in page
    # A program can be written by it: the fields of bodies, and of what is in them.
    assert "<code>zone</code> (string, default UTC)" in page
    assert "<code>cadence</code> (object, needed)" in page
    assert "<code>kind</code> (daily | weekly | monthly | hourly | cron, needed)" in page
    assert "<code>groups</code> (list of string)" in page
    document = client.get("/api/openapi.json").json()
    assert "/api/v1/jobs/{job}/cancel" in document["paths"]
    assert "Problem" in document["components"]["schemas"]
