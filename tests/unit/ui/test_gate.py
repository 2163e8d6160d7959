"""The gate alone, with Reflex's own event processor around it and nobody's browser before it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from reflex.istate.manager.memory import StateManagerMemory
from reflex_base.event import Event
from reflex_base.event.processor.base_state_processor import BaseStateEventProcessor

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.errors import DatabaseUnavailable
from rxbackup.operations import sign_in
from rxbackup.rxbackup import app
from rxbackup.ui import gate
from tests.support.uninvited import JUNK, every_handler

ADA = Actor("ada@example.com", "admin", session_id="s1")


class Wire:
    """What would go to the browser."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def emit_update(self, update: Any, token: str) -> None:
        del token
        self.sent.append(update)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Actor]]:
    """Session token → who; everything else of an installation is missing."""
    known: dict[str, Actor] = {}
    monkeypatch.setattr(wiring, "current", lambda: None)
    monkeypatch.setattr(sign_in, "identify", lambda services, token, touch=True: known.get(token))
    monkeypatch.setattr(sign_in, "setup_pending", lambda services: False)
    monkeypatch.setattr(sign_in, "check_setup_token", lambda services, token: None)
    return known


def send(names: list[str], cookie: str = "", payloads: tuple[dict[str, Any], ...] = ({},)) -> list[Any]:
    """Put events through the app's own processor; every update it sends."""
    wire = Wire()

    async def main() -> None:
        processor = BaseStateEventProcessor(middleware=app, backend_exception_handler=app.backend_exception_handler)
        async with processor.configure(state_manager=StateManagerMemory(), event_namespace=wire):
            for name in names:
                for payload in payloads:
                    router = {"pathname": "/backups", "headers": {"cookie": cookie}, "query": {}, "token": "t"}
                    await processor.enqueue("tab", Event(name=name, payload=dict(payload), router_data=router))
            await processor.join()
            while processor._tasks or processor._token_queues:  # noqa: ASYNC110 - it has no event for that
                await asyncio.sleep(0.005)

    with app.set_contexts():
        asyncio.run(main())
    return wire.sent


def events_of(updates: list[Any]) -> set[str]:
    return {event.name for update in updates for event in update.events}


def test_every_handler_is_closed_unless_it_is_named_here() -> None:
    with app.set_contexts():
        public = {name.rpartition("____")[2] for name in every_handler() if gate.is_public(name)}
    assert public == {
        "state.hydrate",
        "state.hydrate_and_load",
        "state.set_is_hydrated",
        "on_load_internal_state.on_load_internal",
        "on_load_internal_state.set_is_hydrated",
        "session_state.load",
        "session_state.end",
        "entry_state.look",
        "entry_state.look_at_link",
    }


def test_nobody_gets_anything_but_the_way_in(people: dict[str, Actor]) -> None:
    names = [name for name in every_handler() if name not in gate.SENDS_EVERYTHING]
    updates = send(names, payloads=JUNK)
    assert events_of(updates) == {"_redirect"}


def test_a_session_store_that_fails_lets_nobody_in(people: dict[str, Actor], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(services: object, token: str | None, *, touch: bool = True) -> Actor | None:
        raise DatabaseUnavailable

    monkeypatch.setattr(sign_in, "identify", away)
    closed = [name for name in every_handler() if name.endswith("session_state.sign_out")]
    assert events_of(send(closed, cookie="rxb_session=x")) == {"_redirect"}


def test_who_is_signed_in_passes(people: dict[str, Actor]) -> None:
    people["good"] = ADA
    closed = [name for name in every_handler() if name.endswith("session_state.sign_out")]
    assert "_call_script" in events_of(send(closed, cookie="rxb_session=good"))


@pytest.mark.parametrize("payload", [{"surplus": 1}, {"self": 1}])
def test_a_payload_that_does_not_fit_is_dropped(people: dict[str, Actor], payload: dict[str, Any]) -> None:
    people["good"] = ADA
    closed = [name for name in every_handler() if name.endswith("session_state.sign_out")]
    assert "_call_script" not in events_of(send(closed, cookie="rxb_session=good", payloads=(payload,)))


def test_setvar_is_nobodys(people: dict[str, Actor]) -> None:
    people["good"] = ADA
    names = [name for name in every_handler() if name.endswith(".setvar")]
    assert names
    payload = {"var_name": "email", "value": "mallory@example.com"}
    assert "mallory" not in repr(send(names, cookie="rxb_session=good", payloads=(payload,)))
