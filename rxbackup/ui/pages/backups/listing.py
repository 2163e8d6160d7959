"""The table of backups: which ones, in which order. The address holds the choice, so it outlives a reload."""

# mypy: disable-error-code="no-any-return"
# Toasts and scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.errors import RxbackupError
from rxbackup.operations import backups
from rxbackup.operations.views import BackupQuery
from rxbackup.ui.pages.backups.rows import BackupRow, backup_row
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.session import actor_of

_PER_PAGE = 50
_LONGEST_FILTER = 200
SORTS = ("when", "name", "rows", "size", "state", "by")
STATES = ("complete", "failed", "interrupted")
"""What can be filtered by; running ones stand above the table in any case."""
_DOWNWARDS = frozenset({"when", "rows", "size"})
"""Columns that begin with the newest or largest."""


@dataclass(frozen=True)
class Listing:
    """One page of the table, and the question it answers."""

    query: BackupQuery
    page: int
    rows: list[BackupRow]
    total: int
    pages: int


async def fetch(actor: Actor, query: BackupQuery) -> Listing:
    """Ask for one page."""
    found = await asyncio.to_thread(backups.list_backups, wiring.current(), actor, query)
    return Listing(query, found.page, [backup_row(view) for view in found.items], found.total, found.pages)


class BackupsState(rx.State):
    """The table of backups: one page of it, filtered and sorted on the server."""

    rows: list[BackupRow] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    total: int = 0
    page: int = 1
    pages: int = 1
    filter_text: str = ""
    state_filter: str = ""
    store_filter: str = ""
    sort: str = "when"
    descending: bool = True
    failure: str = ""
    failure_hint: str = ""
    going: list[str] = []  # noqa: RUF012 - ids that fade while they are being deleted

    def _query(self) -> BackupQuery:
        return BackupQuery(
            text=self.filter_text,
            state=self.state_filter or None,
            store=self.store_filter or None,
            sort=self.sort,
            descending=self.descending,
            page=self.page,
            per_page=_PER_PAGE,
        )

    def _take(self, listing: Listing) -> None:
        if listing.query != self._query():
            return  # the question changed while this was answered
        # Running backups stand above the table with their progress.
        rows = [row for row in listing.rows if row.state != "running"]
        if self.rows != rows:
            self.rows = rows
        self.page, self.total, self.pages = listing.page, listing.total, listing.pages
        if self.going:
            self.going = [row.id for row in rows if row.id in self.going]

    async def _list(self) -> None:
        try:
            self._take(await fetch(await actor_of(self), self._query()))
        except RxbackupError as error:
            self.failure, self.failure_hint = error.message, error.hint

    async def _choose(self) -> EventSpec:
        """List by another filter or order, from its first page, and write it into the address."""
        self.page = 1
        await self._list()
        chosen = {"q": self.filter_text, "state": self.state_filter, "store": self.store_filter}
        if (self.sort, self.descending) != ("when", True):
            chosen |= {"sort": self.sort, "order": "down" if self.descending else "up"}
        query = urlencode({name: value for name, value in chosen.items() if value})
        # With the router's own state kept, so that going back still works.
        address = json.dumps(f"?{query}" if query else "")
        return rx.call_script(f"history.replaceState(history.state, '', location.pathname + {address})")

    @rx.event
    def arrive(self) -> None:
        """Take filter and order from the address, which can be passed on."""
        asked = self.router.url.query_parameters
        self.filter_text = str(asked.get("q", ""))[:_LONGEST_FILTER]
        self.state_filter = _one_of(asked.get("state"), STATES, "")
        self.store_filter = str(asked.get("store", ""))[:_LONGEST_FILTER]
        self.sort = _one_of(asked.get("sort"), SORTS, "when")
        self.descending = asked.get("order", "down") != "up"

    @rx.event
    async def set_filter(self, text: str) -> EventSpec:
        """Show only backups whose name, description or author contains this."""
        self.filter_text = str(text)[:_LONGEST_FILTER]
        return await self._choose()

    @rx.event
    async def set_state_filter(self, state: str) -> EventSpec:
        """Show only backups in this state; "" for all."""
        self.state_filter = _one_of(state, STATES, "")
        return await self._choose()

    @rx.event
    async def set_store_filter(self, store: str) -> EventSpec:
        """Show only backups of this store; "" for all."""
        self.store_filter = str(store)[:_LONGEST_FILTER]
        return await self._choose()

    @rx.event
    async def clear_filters(self) -> EventSpec:
        """Show all again."""
        self.filter_text = self.state_filter = self.store_filter = ""
        return await self._choose()

    @rx.event
    async def sort_by(self, column: str) -> EventSpec:
        """Sort by a column; by the same one again turns the order round."""
        wanted = _one_of(column, SORTS, "when")
        self.descending = not self.descending if wanted == self.sort else wanted in _DOWNWARDS
        self.sort = wanted
        return await self._choose()

    @rx.event
    async def turn_page(self, by: int) -> None:
        """One page on or back."""
        step = by if isinstance(by, int) and by in {-1, 1} else 0
        self.page = max(1, min(self.pages, self.page + step))
        await self._list()

    @rx.event
    async def relist(self) -> None:
        """Fetch the page anew, after something was changed from here."""
        WATCH.forget()
        await self._list()

    @rx.event
    def dismiss_failure(self) -> None:
        """Take a failure off the page once it was read."""
        self.failure = self.failure_hint = ""

    @rx.event
    async def toggle_pin(self, backup_id: str, pinned: bool) -> EventSpec | None:  # noqa: FBT001 - Reflex passes it by position
        """Pin a backup, or let it go again."""
        try:
            view = await asyncio.to_thread(
                backups.set_pinned, wiring.current(), await actor_of(self), str(backup_id), pinned=pinned is True
            )
        except RxbackupError as error:
            self.failure, self.failure_hint = error.message, error.hint
            return None
        self.rows = [backup_row(view) if row.id == view.id else row for row in self.rows]
        return rx.toast.success(f"{'Pinned' if view.pinned else 'Unpinned'} “{view.name}”.")


def _one_of(value: object, known: tuple[str, ...], otherwise: str) -> str:
    """What came from a browser, if it is a word that is known."""
    return value if isinstance(value, str) and value in known else otherwise
