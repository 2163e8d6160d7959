"""Who sends this request. Every route asks, unless it is marked as public."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request

from rxbackup import wiring
from rxbackup.access.actor import SYSTEM_EMAIL, Actor, Door
from rxbackup.access.roles import Role
from rxbackup.errors import NotSignedIn
from rxbackup.operations import sign_in
from rxbackup.operations.services import Services
from rxbackup.serving.cookies import session_token

_Route = TypeVar("_Route", bound=Callable[..., Any])
_MARK: Final = "__rxbackup_public__"
_SCRAPED: Final = "__rxbackup_scraped__"


def public(route: _Route) -> _Route:
    """Say aloud that a route asks nobody who they are. Stands below the route's own decorator."""
    setattr(route, _MARK, True)
    return route


def is_public(route: object) -> bool:
    """Whether the function of a route is marked so."""
    return getattr(route, _MARK, False) is True


def scraped(route: _Route) -> _Route:
    """Say of a route that a monitoring may read it with the token of the settings. Stands as `public` does."""
    setattr(route, _SCRAPED, True)
    return route


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
    if getattr(request.scope["endpoint"], _SCRAPED, False) and _has_metrics_token(request):
        # It may look, and nothing else; it sees all that there is to see.
        request.state.actor = Actor(SYSTEM_EMAIL, Role.VIEWER, door=Door.SYSTEM)
        return
    actor = sign_in.identify(wiring.current(), session_token(request.headers.get("cookie")))
    if actor is None:
        raise NotSignedIn
    door = Door.API if request.url.path.startswith("/api/") else Door.BROWSER
    request.state.actor = dataclasses.replace(actor, door=door)


def _has_metrics_token(request: Request) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        return False
    wanted = wiring.current().settings.metrics_token
    return wanted is not None and hmac.compare_digest(given.strip().encode(), wanted.get_secret_value().encode())


def who(request: Request) -> Actor:
    """The actor that `guard` has found."""
    actor: Actor = request.state.actor
    return actor


Who = Annotated[Actor, Depends(who)]
