"""Somebody who never signed in, or whose session is over, calls every event handler there is.

The list of handlers is the app's own, so a new handler is covered by itself.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from rxbackup.postgres.embedded import EmbeddedServer
from tests.e2e.conftest import Admin
from tests.support.running_app import RunningApp
from tests.support.uninvited import JUNK, Uninvited, every_handler, run_apart

MAY_BE_SENT = {
    *("first_start_rx_state_", "is_hydrated_rx_state_"),
    # Whether a setup link still works: the same words that POST /auth/setup has for everybody.
    *("link_looked_at_rx_state_", "link_problem_rx_state_", "link_hint_rx_state_"),
}


def defaults() -> dict[str, dict[str, Any]]:
    """What a tab knows that nobody has loaded anything into, as the browser would see it."""
    from reflex.state import State
    from reflex.utils.format import json_dumps

    from rxbackup.rxbackup import app

    with app.set_contexts():
        empty = State(_reflex_internal_init=True).dict(initial=True)  # type: ignore[call-arg]
    return json.loads(json_dumps(empty))  # type: ignore[no-any-return]


def leads_to_entry(event: dict[str, Any]) -> bool:
    """Whether it is nothing but the way to a page of ours."""
    return event["name"] == "_redirect" and event["payload"]["path"].startswith(("/sign-in", "/overview"))


def told(updates: list[dict[str, Any]]) -> list[str]:
    """Everything in the updates that is more than an empty page and the way to the sign-in page."""
    empty = defaults()
    found = []
    for update in updates:
        found += [f"event {event}" for event in update.get("events") or [] if not leads_to_entry(event)]
        for state, variables in (update.get("delta") or {}).items():
            for name, value in variables.items():
                about_the_tab = name.startswith("rx_router") or name in MAY_BE_SENT
                if not about_the_tab and value != empty[state][name]:
                    found.append(f"{state}.{name} = {value!r}")
    return found


def rows(app: RunningApp) -> dict[str, int]:
    """How many rows every table of the app holds."""
    with (
        EmbeddedServer.ensure(app.data_dir) as server,
        psycopg.connect(server.superuser_url, dbname="rxbackup") as connection,
    ):
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('rxbackup', 'public')"
        ).fetchall()
        # The clock ticks and writes while we look, and the app prunes by itself.
        by_people = {"rxbackup.jobs": " WHERE actor <> 'system'"}
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}{by_people.get(name, '')}").fetchone()[0]  # type: ignore[index,misc]
            for (name,) in tables
            if name != "rxbackup.audit"
        }


async def call_everything(app: RunningApp, cookie: str | None) -> list[dict[str, Any]]:
    async with Uninvited(app.url, cookie) as client:
        for name in every_handler():
            for payload in JUNK:
                await client.call(name, payload)
        await client.settle()
        return client.updates


def revoked(app: RunningApp, admin: Admin) -> str:
    answer = app.post("/auth/sign-in", {"email": admin.email, "password": admin.password})
    cookie = f"rxb_session={answer.cookies['rxb_session']}"
    assert app.post("/auth/sign-out", {}, cookie=cookie).status_code == 204
    return cookie


@pytest.mark.parametrize("who", ["nobody", "a made-up session", "a session that is over"])
def test_whoever_is_not_signed_in_does_nothing_and_learns_nothing(app: RunningApp, admin: Admin, who: str) -> None:
    cookie = {"nobody": None, "a made-up session": "rxb_session=" + "A" * 43}.get(who, "")
    before = rows(app)
    updates = run_apart(call_everything(app, revoked(app, admin) if cookie == "" else cookie))
    assert len(every_handler()) > 30
    assert updates, "nothing was answered at all: the test did not reach the app"
    assert told(updates) == []
    after = rows(app)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"rxbackup.sessions", "rxbackup.settings"}, changed


def test_a_tab_that_somebody_signed_in_has_used_gives_nothing_to_the_next(app: RunningApp, admin: Admin) -> None:
    """The tab's token is no credential: taking it over without the cookie shows an empty page."""

    async def take_over() -> list[dict[str, Any]]:
        answer = app.post("/auth/sign-in", {"email": admin.email, "password": admin.password})
        cookie = f"rxb_session={answer.cookies['rxb_session']}"
        async with Uninvited(app.url, cookie) as owner:
            await owner.call(_named("State.hydrate"), {})
            await owner.call(_named("SessionState.load"), {})
            await owner.settle()
            assert any(admin.email in json.dumps(update) for update in owner.updates)
            token = owner._token
        thief = Uninvited(app.url)
        thief._token = token
        async with thief:
            for name in every_handler():
                await thief.call(name, {})
            await thief.settle()
        return thief.updates

    updates = run_apart(take_over())
    assert admin.email not in json.dumps(updates)


def test_no_answer_ever_holds_the_cookie(app: RunningApp, admin: Admin) -> None:
    async def look() -> tuple[str, list[dict[str, Any]]]:
        answer = app.post("/auth/sign-in", {"email": admin.email, "password": admin.password})
        token = answer.cookies["rxb_session"]
        async with Uninvited(app.url, f"rxb_session={token}") as client:
            await client.call(_named("State.hydrate"), {})
            await client.call(_named("SessionState.load"), {})
            await client.call("no.such.handler", {"password": "c4n4ry"})
            await client.settle()
        return token, client.updates

    token, updates = run_apart(look())
    assert token not in json.dumps(updates)
    assert token not in app.output
    assert "c4n4ry" not in app.output


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_cannot_open_the_websocket(app: RunningApp, origin: str) -> None:
    import socketio

    async def knock() -> None:
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(
            app.url,
            headers={"Origin": origin},
            socketio_path="_event",
            namespaces=["/_event"],
            transports=["websocket"],
        )
        await client.disconnect()

    with pytest.raises(socketio.exceptions.ConnectionError):
        run_apart(knock())


def _named(end: str) -> str:
    """The full name of a handler by its state's and its own short name."""
    state, _, handler = end.partition(".")
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in state).lstrip("_")
    (found,) = [n for n in every_handler() if n.endswith(f"____{snake}.{handler}")]
    return found
