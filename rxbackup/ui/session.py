"""Who looks at the page. The browser's HttpOnly cookie says it; no script and no state ever holds it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any, ClassVar

import reflex as rx
from reflex.event import EventSpec
from reflex.state import BaseState

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import sign_in
from rxbackup.serving.cookies import session_token
from rxbackup.ui.addresses import HOME, SIGN_IN, SIGN_OUT, sign_in_address

logger = logging.getLogger(__name__)


def identify(cookie_header: str, *, touch: bool) -> Actor | None:
    """Whose session a Cookie header carries; blocking. Any failure to find out counts as nobody's.

    Args:
        cookie_header: as the browser sent it when it opened the websocket.
        touch: whether this is a person's doing, which keeps the session alive; polling is not.
    """
    try:
        return _look_up(cookie_header, touch=touch)
    except RxbackupError as error:
        logger.warning("Nobody is let in while sessions cannot be read: %s", error)
        return None


def _look_up(cookie_header: str, *, touch: bool) -> Actor | None:
    token = session_token(cookie_header)
    return None if token is None else sign_in.identify(wiring.current(), token, touch=touch)


async def actor_of(state: Any) -> Actor:
    """Who asks: for foreground handlers, and for background ones inside or outside their lock.

    Raises:
        NotSignedIn: the session is over.
        RxbackupError: nobody can say now, the database is away for instance; nobody is let in then either.
    """
    actor = await asyncio.to_thread(_look_up, str(state.router.headers.cookie), touch=False)
    if actor is None:
        raise NotSignedIn
    return actor


def way_in(state: BaseState) -> str:
    """The sign-in page, and where to go from there: only to paths of our own, never to another site."""
    path, query = str(state.router.url.path), str(state.router.url.query)
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and path not in {HOME, SIGN_IN}
    return sign_in_address(f"{path}?{query}" if query else path) if inside else SIGN_IN


class SessionState(rx.State):
    """The signed-in person, as the page shows them.

    Attributes:
        email: who is signed in, empty if nobody.
        role: what they may do: admin, operator or viewer.
        ended: a session was there in this tab and is over: the page asks to sign in again.
    """

    PUBLIC: ClassVar[frozenset[str]] = frozenset({"load", "end"})

    email: str = ""
    role: str = ""
    ended: bool = False
    _session_id: str = ""

    @rx.event
    async def load(self) -> EventSpec | None:
        """Find out who looks; lead everybody else to the sign-in page. For `on_load` of every page."""
        actor = await asyncio.to_thread(identify, str(self.router.headers.cookie), touch=True)
        if actor is None:
            if self._session_id:
                self.ended = True
                return None
            return rx.redirect(way_in(self), replace=True)
        self.email, self.role, self.ended = actor.email, str(actor.role), False
        self._session_id = actor.session_id or ""
        return None

    @rx.event
    def end(self) -> None:
        """Show that the session is over; a page that finds out by itself calls it."""
        self.ended = bool(self._session_id)

    @rx.event
    def sign_out(self) -> EventSpec:
        """End the session at the server, forget the tab, show the sign-in page.

        Only an HTTP answer can take a cookie back, so the browser asks for it.
        """
        return rx.call_script(
            f"fetch('{SIGN_OUT}',{{method:'POST',headers:{{'X-Rxb':'1'}}}})"
            f".finally(()=>{{sessionStorage.clear();location.assign('{SIGN_IN}')}})"
        )


def tell(exception: Exception) -> list[EventSpec]:
    """What a page says when a handler failed: `rx.App(backend_exception_handler=tell)`.

    An error of ours is told as it is. Anything else goes to the log under a number that the person can pass on.
    """
    if isinstance(exception, NotSignedIn):
        return [SessionState.end()]  # type: ignore[operator]  # the decorator hides that handlers are called
    if isinstance(exception, RxbackupError):
        return [rx.toast.error(exception.message, description=exception.hint, duration=10_000)]
    number = secrets.token_hex(4)
    logger.error("Unexpected error %s in the page", number, exc_info=exception)
    return [
        rx.toast.error(
            "Something went wrong inside rxbackup.",
            description=f"Nothing was lost. The log of the server has the details under {number}.",
            duration=10_000,
        )
    ]
