from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rxbackup.serving.wall import MOST_BODY_BYTES, Wall


class Inside:
    """What stands behind the wall; remembers what reached it."""

    def __init__(self, content_type: str = "text/html", status: int = 200) -> None:
        self.reached: list[str] = []
        self._start = {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", content_type.encode())],
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(scope["path"])
        if scope["type"] == "http":
            while (message := await receive()).get("more_body"):
                pass
            self.reached.append(message["type"])
            await send(self._start)
            await send({"type": "http.response.body", "body": b""})


def ask(
    wall: Wall,
    path: str = "/",
    method: str = "GET",
    kind: str = "http",
    body: tuple[bytes, ...] = (b"",),
    **headers: str,
) -> tuple[dict[str, Any], dict[str, str]]:
    """One request; the first message of the answer and its headers."""
    sent: list[Any] = []
    queue = [{"type": "http.request", "body": one, "more_body": i < len(body) - 1} for i, one in enumerate(body)]

    async def receive() -> Any:
        return queue.pop(0) if kind == "http" else {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in {"host": "here", **headers}.items()]
    scope = {"type": kind, "path": path, "method": method, "headers": raw}
    asyncio.run(wall(scope, receive, send))
    first = sent[0] if sent else {}
    return first, {k.decode(): v.decode() for k, v in first.get("headers", [])}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "WHATEVER"])
def test_a_foreign_page_changes_nothing(method: str) -> None:
    inside = Inside()
    first, headers = ask(Wall(inside), method=method, origin="https://evil.example")
    assert first["status"] == 403
    assert headers["content-type"] == "application/problem+json"
    assert inside.reached == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_a_foreign_page_opens_no_websocket(origin: str | None) -> None:
    inside = Inside()
    first, _ = ask(Wall(inside), path="/_event", kind="websocket", **({"origin": origin} if origin else {}))
    assert first["type"] == "websocket.close"
    assert inside.reached == []


def test_our_own_page_may() -> None:
    inside = Inside()
    assert ask(Wall(inside), method="POST", origin="http://here")[0]["status"] == 200
    ask(Wall(inside), path="/_event", kind="websocket", origin="http://here")
    assert inside.reached == ["/", "http.request", "/_event"]


@pytest.mark.parametrize("path", ["/_upload", "/_upload/x", "/_all_routes", "/auth-codespace"])
def test_what_reflex_might_open_stays_closed(path: str) -> None:
    inside = Inside()
    assert ask(Wall(inside), path=path)[0]["status"] == 404
    assert ask(Wall(inside), path=path, method="POST", origin="http://here")[0]["status"] == 404
    assert inside.reached == []


def test_a_page_says_what_it_may_load() -> None:
    _, headers = ask(Wall(Inside(), script_hashes=("'sha256-x'",)))
    policy = headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-eval' 'sha256-x';" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_data_may_load_nothing() -> None:
    _, headers = ask(Wall(Inside("application/json")))
    assert headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("path", "status", "rule"),
    [
        ("/assets/a-1234.js", 200, "public, max-age=31536000, immutable"),
        ("/assets/a-1234.js", 404, "no-store"),
        ("/", 200, "no-cache"),
        ("/favicon.svg", 200, "no-cache"),
        ("/nope", 404, "no-store"),
    ],
)
def test_only_names_that_carry_a_hash_are_kept_for_ever(path: str, status: int, rule: str) -> None:
    assert ask(Wall(Inside(status=status)), path=path)[1]["cache-control"] == rule


def test_transport_security_is_asked_for_where_the_public_address_has_it() -> None:
    assert "strict-transport-security" not in ask(Wall(Inside()))[1]
    assert "strict-transport-security" in ask(Wall(Inside(), own=["https://backup.example.com"]))[1]


def test_a_body_is_bounded_whether_or_not_it_is_announced() -> None:
    inside = Inside()
    announced = str(MOST_BODY_BYTES + 1)
    assert ask(Wall(inside), method="POST", origin="http://here", content_length=announced)[0]["status"] == 413
    assert ask(Wall(inside), method="POST", origin="http://here", content_length="-1")[0]["status"] == 413
    half = b"x" * (MOST_BODY_BYTES // 2 + 1)
    ask(Wall(inside), method="POST", origin="http://here", body=(half, half))
    assert inside.reached == ["/", "http.disconnect"]


def test_pages_that_are_folders_are_served_without_a_redirect() -> None:
    inside = Inside()
    ask(Wall(inside, pages=["/sign-in"]), path="/sign-in")
    assert inside.reached[0] == "/sign-in/"


def test_not_modified_leaves_the_policy_of_the_kept_copy_alone() -> None:
    _, headers = ask(Wall(Inside(status=304), script_hashes=("'sha256-x'",)), path="/sign-in")
    assert "content-security-policy" not in headers
