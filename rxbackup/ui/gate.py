"""The gate before every event: nobody does anything, and sees nothing, without a session.

A browser may name any handler of any state with any payload, whatever page it shows. So the question "who is
this?" is asked here, for every event that comes in or follows from another, and the answer is no by default.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Callable

import reflex as rx
from reflex.state import (
    BaseState,
    FrontendEventExceptionState,
    OnLoadInternalState,
    State,
    StateUpdate,
    UpdateVarsInternalState,
)
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from rxbackup.access.actor import Actor
from rxbackup.ui.session import SessionState, identify, way_in

logger = logging.getLogger(__name__)


SENDS_EVERYTHING = frozenset(f"{State.get_full_name()}.{name}" for name in ("hydrate", "hydrate_and_load"))
"""The events that answer with the whole state of the tab."""

FRAMEWORK = SENDS_EVERYTHING | {
    f"{State.get_full_name()}.set_is_hydrated",
    f"{OnLoadInternalState.get_full_name()}.on_load_internal",
    f"{OnLoadInternalState.get_full_name()}.set_is_hydrated",
}
"""Reflex's own handlers without which not even the sign-in page comes up."""

SILENT = frozenset(
    {
        f"{UpdateVarsInternalState.get_full_name()}.update_vars_internal",
        f"{FrontendEventExceptionState.get_full_name()}.handle_frontend_exception",
    }
)
"""Reflex's own handlers that the browser calls by itself: refusing them must not move the page."""


class AuthGate(rx.Middleware):
    """Lets an event through only if its handler is public or its session is alive."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """Decide about one event; None lets it through. Runs under the tab's lock."""
        del app
        actor = await asyncio.to_thread(identify, state.router.headers.cookie, touch=True)
        session = await state.get_state(SessionState)
        if event.name in SENDS_EVERYTHING:
            if _belongs_to_another(session, actor):
                # What this tab has loaded belonged to somebody who is gone: nothing of it may be sent.
                state._get_root_state().reset()  # type: ignore[no-untyped-call]  # noqa: SLF001 - no public name
            if actor is None:
                event.payload.pop("vars", None)
        if not _fits(event):
            # setvar among them: nothing here uses it.
            logger.warning("An event was dropped: %s does not take %s", event.name, sorted(event.payload))
            return StateUpdate()
        if is_public(event.name):
            return None
        if actor is None or _belongs_to_another(session, actor):
            return StateUpdate() if event.name in SILENT else await _refuse(session)
        return None


def _fits(event: Event) -> bool:
    """Whether a payload has the handler's parameters; the values are the handler's to check."""
    if event.name.endswith(".setvar"):
        return False
    handler = RegistrationContext.get().event_handlers[event.name].handler
    try:
        _signature(handler.fn).bind(None, **event.payload)
    except TypeError:
        return False
    return True


@functools.cache
def _signature(function: Callable[..., object]) -> inspect.Signature:
    return inspect.signature(function)


def is_public(name: str) -> bool:
    """Whether a handler may run for people who are not signed in.

    A state names those of its own handlers in `PUBLIC: ClassVar[frozenset[str]]`; substates do not inherit it.
    """
    if name in FRAMEWORK:
        return True
    return name.rpartition(".")[2] in vars(Event(name=name).state_cls).get("PUBLIC", frozenset())


def _belongs_to_another(session: SessionState, actor: Actor | None) -> bool:
    """Whether the tab's data was loaded under another session than the one that asks now."""
    return bool(session._session_id) and (actor is None or actor.session_id != session._session_id)  # noqa: SLF001


async def _refuse(session: SessionState) -> StateUpdate:
    """Say that the session ended, or lead to the sign-in page somebody who never had one."""
    if not session._session_id:  # noqa: SLF001 - the gate and the session are one thing in two files
        return StateUpdate(events=Event.from_event_type(rx.redirect(way_in(session), replace=True)))
    session.ended = True
    name = session.get_full_name()
    delta = await session._get_root_state()._get_resolved_delta()  # noqa: SLF001 - as chain_updates does it
    session._clean()  # type: ignore[no-untyped-call]  # noqa: SLF001 - `ended` is on its way
    return StateUpdate(delta={name: delta[name]} if name in delta else {})
