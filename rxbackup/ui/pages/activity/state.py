"""What happened, a page at a time. The address holds the choice, so it outlives a reload."""

# mypy: disable-error-code="no-any-return"
# Scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.access.actor import CONSOLE_EMAIL, SYSTEM_EMAIL, Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import activity
from rxbackup.operations.views.activity import KINDS, OUTCOMES, ActivityPage, ActivityQuery
from rxbackup.ui.pages.activity.rows import ActivityRow, activity_row
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.session import SessionState, actor_of

logger = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 3.0
_RELIST_EVERY = 20
_PER_PAGE = 50
_LONGEST_FILTER = 200


@dataclass(frozen=True)
class Person:
    """Somebody to filter by."""

    name: str


class ActivityState(rx.State):
    """The lines, filtered on the server. Past the first page they stand still while more happens.

    Attributes:
        allowed: whether whoever looks may see them at all.
        people: who may be filtered by, but for rxbackup itself and its terminal.
        away: why the lines could not be asked for just now.
    """

    loaded: bool = False
    allowed: bool = True
    rows: list[ActivityRow] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    total: int = 0
    page: int = 1
    pages: int = 1
    text: str = ""
    kind: str = ""
    outcome: str = ""
    person: str = ""
    people: list[Person] = []  # noqa: RUF012
    away: str = ""
    away_hint: str = ""
    _until: datetime | None = None

    def _query(self) -> ActivityQuery:
        return ActivityQuery(
            text=self.text,
            kind=self.kind or None,
            outcome=self.outcome or None,
            by=self.person or None,
            until=self._until if self.page > 1 else None,
            page=self.page,
            per_page=_PER_PAGE,
        )

    def _take(self, query: ActivityQuery, found: ActivityPage) -> None:
        if query != self._query():
            return  # the question changed while this was answered
        rows = [activity_row(line) for line in found.items]
        if self.rows != rows:
            self.rows = rows
        self.page, self.total, self.pages = found.page, found.total, found.pages
        self._until = found.until
        self.loaded, self.away, self.away_hint = True, "", ""

    @rx.event
    def arrive(self) -> None:
        """Take the choice from the address, which can be passed on."""
        asked = self.router.url.query_parameters
        self.reset()  # type: ignore[no-untyped-call]
        self.text = str(asked.get("q", ""))[:_LONGEST_FILTER]
        self.kind = _one_of(asked.get("kind"), KINDS)
        self.outcome = _one_of(asked.get("outcome"), OUTCOMES)
        self.person = str(asked.get("by", ""))[:_LONGEST_FILTER]

    @rx.event(background=True)
    async def watch(self) -> None:
        """Keep the first page true while somebody looks."""
        seen, turn = -1, 0
        while True:
            try:
                actor = await actor_of(self)
                if not actor.may(Permission.ADMINISTER):
                    # Asking all the same would only fill the audit trail with refusals.
                    async with self:
                        self.allowed, self.loaded = False, True
                    return
                async with self:
                    is_due = not self.loaded or turn % _RELIST_EVERY == 0
                last = await asyncio.to_thread(activity.last_act, wiring.current(), actor)
                if is_due or last != seen:
                    await self._look(actor, with_people=turn % _RELIST_EVERY == 0)
                    seen = last
                turn += 1
                async with self:
                    if not self.loaded:
                        continue  # another choice arrived meanwhile: what was found is not what is wanted
            except NotSignedIn:
                async with self:
                    (await self.get_state(SessionState)).ended = True
                return
            except RxbackupError:
                # WatchState says on this page what is away; this loop goes on.
                logger.debug("The activity could not be listed", exc_info=True)
                seen = -1
            await WATCH.pause(_LOOK_AGAIN_SECONDS)

    async def _look(self, actor: Actor, *, with_people: bool) -> None:
        async with self:
            query = self._query()
        found = await asyncio.to_thread(activity.list_activity, wiring.current(), actor, query)
        names = await asyncio.to_thread(activity.list_people, wiring.current(), actor) if with_people else ()
        async with self:
            self._take(query, found)
            if names:
                others = {*names, self.person} - {SYSTEM_EMAIL, CONSOLE_EMAIL, ""}
                self.people = [Person(name) for name in sorted(others)]

    async def _list(self) -> None:
        query = self._query()
        try:
            found = await asyncio.to_thread(activity.list_activity, wiring.current(), await actor_of(self), query)
        except NotSignedIn:
            raise
        except RxbackupError as error:
            self.away, self.away_hint = error.message, error.hint
            return
        self._take(query, found)

    async def _choose(self) -> EventSpec:
        """List by another choice, from its first page, and write it into the address."""
        self.page = 1
        await self._list()
        chosen = {"q": self.text, "kind": self.kind, "outcome": self.outcome, "by": self.person}
        query = urlencode({name: value for name, value in chosen.items() if value})
        # With the router's own state kept, so that going back still works.
        address = json.dumps(f"?{query}" if query else "")
        return rx.call_script(f"history.replaceState(history.state, '', location.pathname + {address})")

    @rx.event
    async def set_text(self, text: str) -> EventSpec:
        """Show only lines that contain this."""
        self.text = str(text)[:_LONGEST_FILTER]
        return await self._choose()

    @rx.event
    async def set_kind(self, kind: str) -> EventSpec:
        """Show only lines of this kind; "" for all."""
        self.kind = _one_of(kind, KINDS)
        return await self._choose()

    @rx.event
    async def set_outcome(self, outcome: str) -> EventSpec:
        """Show only what ended like this; "" for all."""
        self.outcome = _one_of(outcome, OUTCOMES)
        return await self._choose()

    @rx.event
    async def set_person(self, person: str) -> EventSpec:
        """Show only what this person did; "" for everybody."""
        self.person = str(person)[:_LONGEST_FILTER]
        return await self._choose()

    @rx.event
    async def show_all(self) -> list[EventSpec]:
        """Take every choice back."""
        self.text = self.kind = self.outcome = self.person = ""
        return [rx.set_value("filter", ""), await self._choose()]

    @rx.event
    async def turn_page(self, by: int) -> None:
        """One page on or back."""
        step = by if isinstance(by, int) and by in {-1, 1} else 0
        self.page = max(1, min(self.pages, self.page + step))
        await self._list()


def _one_of(value: object, known: tuple[str, ...]) -> str:
    """What came from a browser, if it is a word that is known."""
    return value if isinstance(value, str) and value in known else ""
