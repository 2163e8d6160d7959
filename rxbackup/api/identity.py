"""Who sends this request. Every route asks, unless it stands on the list of public ones."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Final

from fastapi import Depends, Request

from rxbackup import wiring
from rxbackup.access.actor import Actor, Door
from rxbackup.errors import NotSignedIn
from rxbackup.operations import sign_in
from rxbackup.operations.services import Services
from rxbackup.serving.cookies import session_token

PUBLIC: Final = frozenset(
    {
        "/auth/sign-in",
        "/auth/sign-out",
        "/auth/setup",
        "/healthz",
        "/readyz",
        "/api/docs",
        "/api/openapi.json",
        "/api/{rest:path}",  # the answer to what does not exist
    }
)


def services() -> Services:
    """The live objects of this process."""
    return wiring.current()


OpenServices = Annotated[Services, Depends(services)]


def guard(request: Request) -> None:
    """Let a request in only if its route is public or its session is alive; runs before every route.

    Raises:
        NotSignedIn: neither.
    """
    route = request.scope["route"].path
    if route in PUBLIC:
        return
    actor = sign_in.identify(wiring.current(), session_token(request.headers.get("cookie")))
    if actor is None:
        raise NotSignedIn
    door = Door.API if route.startswith("/api/") else Door.BROWSER
    request.state.actor = dataclasses.replace(actor, door=door)


def who(request: Request) -> Actor:
    """The actor that `guard` has found."""
    actor: Actor = request.state.actor
    return actor


Who = Annotated[Actor, Depends(who)]
