"""The FastAPI app that stands before Reflex: its routes win, everything else is the page."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI

from rxbackup import __version__
from rxbackup.api import (
    activity,
    auth,
    docs,
    downloads,
    health,
    imports,
    looking,
    metrics,
    monitoring,
    restores,
    schedules,
    stores,
    v1,
)
from rxbackup.api.identity import guard, public
from rxbackup.api.problems import answer_with_problems
from rxbackup.errors import NotFound

ABOUT = (
    "Backups of a PostgreSQL application's data. Sign in with POST /auth/sign-in and send the cookie along. "
    "Requests that change something need the page's own Origin, or the header `X-Rxb: 1`. "
    "Errors are problem documents (RFC 9457)."
)

_unknown = APIRouter(include_in_schema=False)


@_unknown.api_route("/api/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@public
def nothing_here(rest: str) -> None:
    """Answer what does not exist as a problem document; the page's own 404 is for people."""
    raise NotFound(f"There is nothing at /api/{rest[:100]}.", hint="/api/docs lists what there is.")


ROUTERS = (
    activity.router,
    auth.router,
    downloads.router,
    health.router,
    imports.router,
    metrics.router,
    monitoring.router,
    looking.router,
    restores.router,
    schedules.router,
    stores.router,
    v1.router,
    docs.router,
    _unknown,
)


def create_api() -> FastAPI:
    """The API with every route behind the guard."""
    api = FastAPI(
        title="rxbackup",
        version=__version__,
        description=ABOUT,
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # its redirects name the scheme that this process sees, not the reader's
        dependencies=[Depends(guard)],
    )
    answer_with_problems(api)
    for router in ROUTERS:
        api.include_router(router)
    return api
