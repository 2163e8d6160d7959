"""Who sends this request. Every route asks, unless it is marked as public."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request

from rxbackup import wiring
from rxbackup.access.actor import Actor, Door
from rxbackup.errors import NotSignedIn
from rxbackup.operations import sign_in
from rxbackup.operations.services import Services
from rxbackup.serving.cookies import session_token

_Route = TypeVar("_Route", bound=Callable[..., Any])
_MARK: Final = "__rxbackup_public__"


def public(route: _Route) -> _Route:
    """Say aloud that a route asks nobody who they are. Stands below the route's own decorator."""
    setattr(route, _MARK, True)
    return route


def is_public(route: object) -> bool:
    """Whether the function of a route is marked so."""
    return getattr(route, _MARK, False) is True


def services() -> Services:
    """The live objects of this process."""
    return wiring.current()


OpenServices = Annotated[Services, Depends(services)]


def guard(request: Request) -> None:
    """Let a request in only if its route is `public` or its session is alive; runs before every route.

    Raises:
        NotSignedIn: neither.
    """
    if is_public(request.scope["endpoint"]):
        return
    actor = sign_in.identify(wiring.current(), session_token(request.headers.get("cookie")))
    if actor is None:
        raise NotSignedIn
    door = Door.API if request.url.path.startswith("/api/") else Door.BROWSER
    request.state.actor = dataclasses.replace(actor, door=door)


def who(request: Request) -> Actor:
    """The actor that `guard` has found."""
    actor: Actor = request.state.actor
    return actor


Who = Annotated[Actor, Depends(who)]
