"""What the list shows, and the loop that keeps it true while somebody looks.

Two states on purpose: progress ticks go to `WatchState` and redraw a few words; the table belongs to `BackupsState`
and is sent only when it changed.
"""

# mypy: disable-error-code="no-any-return"
# Toasts and scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import backups, jobs, stores
from rxbackup.operations.views import BackupQuery, JobView
from rxbackup.ui.pages.backups.protection import Protection, judge
from rxbackup.ui.pages.backups.rows import (
    ActivityRow,
    BackupRow,
    ChangeRow,
    RunRow,
    Tile,
    activity_row,
    backup_row,
    change_rows,
    run_row,
    tiles,
)
from rxbackup.ui.pages.backups.watching import WATCH, Facts, Revision
from rxbackup.ui.session import SessionState, actor_of

logger = logging.getLogger(__name__)

_UNEXPECTED = ("This page could not be brought up to date.", "The log of the server has the details.")
_PER_PAGE = 50
_LONGEST_FILTER = 200
_BUSY_SECONDS, _IDLE_SECONDS = 1.0, 2.5
_RELIST_EVERY = 4
_SHOWN_ACTIVITIES = 10


class WatchState(rx.State):
    """What is true now: runs, counts per group, what happened, how safe the data is."""

    loaded: bool = False
    counted: bool = False
    away: str = ""
    away_hint: str = ""
    runs: list[RunRow] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    tiles: list[Tile] = []  # noqa: RUF012
    activity: list[ActivityRow] = []  # noqa: RUF012
    protection: Protection = Protection()
    store_note: str = ""
    spoken: str = ""
    result_id: str = ""
    result_backup: str = ""
    result_name: str = ""
    result_summary: str = ""
    result_at: str = ""
    result_seconds: str = ""
    result_note: str = ""
    result_safety: str = ""
    result_rows: list[ChangeRow] = []  # noqa: RUF012

    @rx.event(background=True)
    async def watch(self) -> None:
        """Keep the page true until it is left; Reflex ends this when the tab goes or loses its connection."""
        revision: Revision | None = None
        turn = 0
        while True:
            busy = False
            try:
                facts = await WATCH.facts(wiring.current(), await actor_of(self))
                busy = bool(facts.active)
                ended = _newly_ended(revision, facts)
                relist = facts.revision != revision or turn % _RELIST_EVERY == 0
                revision = facts.revision
                await self._show(facts, ended, relist=relist)
            except NotSignedIn:
                async with self:
                    (await self.get_state(SessionState)).ended = True
                return
            except RxbackupError as error:
                turn = -1
                async with self:
                    self.away, self.away_hint = error.message, error.hint
            except Exception:
                # A loop that died would leave a page that looks alive and is not.
                logger.exception("The page could not be brought up to date")
                turn = -1
                async with self:
                    self.away, self.away_hint = _UNEXPECTED
            turn += 1
            await WATCH.pause(_BUSY_SECONDS if busy else _IDLE_SECONDS)

    async def _show(self, facts: Facts, ended: list[JobView], *, relist: bool) -> None:
        now = datetime.now(UTC)
        runs = [run_row(job, now) for job in facts.active]
        shown_tiles = self.tiles if facts.counts is None else tiles(facts.counts, facts.before)
        activity = [activity_row(job) for job in facts.recent[:_SHOWN_ACTIVITIES]]
        protection = judge(facts, now)
        note = "" if self.loaded else await self._ask_store_note()
        listing = await _fetch(await actor_of(self), *await self._wanted()) if relist else None
        async with self:
            # Equal values are not assigned: each assignment would travel to the browser.
            for name, value in (
                ("runs", runs),
                ("tiles", shown_tiles),
                ("activity", activity),
                ("protection", protection),
            ):
                if getattr(self, name) != value:
                    setattr(self, name, value)
            self.store_note = self.store_note or note
            self.away = self.away_hint = ""
            session = await self.get_state(SessionState)
            if session.ended:
                # The gate could not ask while the database was away; now it is known that the session lives.
                session.ended = False
            self._speak(runs, ended)
            self._open_finished_restore(ended)
            if listing:
                table = await self.get_state(BackupsState)
                table._take(listing)  # noqa: SLF001 - public methods of a state can be called by any browser
            self.loaded, self.counted = True, facts.counts is not None

    async def _wanted(self) -> tuple[str, int]:
        async with self:
            table = await self.get_state(BackupsState)
            return table.filter_text, table.page

    async def _ask_store_note(self) -> str:
        found = await asyncio.to_thread(stores.list_stores, wiring.current(), await actor_of(self))
        return next((store.note for store in found if store.name == "database"), "")

    def _speak(self, runs: list[RunRow], ended: list[JobView]) -> None:
        """Words for the live region: stages and ends, not every percent."""
        words = "; ".join(f"{run.title}: {run.stage}" for run in runs)
        if ended:
            row = activity_row(ended[0])
            words = f"{row.title} {row.name}. {row.message}".strip()
        if words:
            self.spoken = words

    def _open_finished_restore(self, ended: list[JobView]) -> None:
        for job in ended:
            if job.kind == "restore" and job.state == "succeeded":
                self._fill_result(job)

    def _fill_result(self, job: JobView) -> None:
        changes = dict(job.result.get("tables", {}))
        self.result_id = job.id
        self.result_backup, self.result_name = job.backup_id or "", job.backup_name or ""
        self.result_at = (job.finished_at or job.created_at).isoformat()
        self.result_seconds = activity_row(job).took
        self.result_note = str(job.result.get("note") or "")
        self.result_safety = str(job.result.get("safety_backup") or "")
        self.result_rows, self.result_summary = change_rows(changes)

    @rx.event
    async def show_result(self, job_id: str) -> EventSpec | None:
        """Open the lasting result of a restore again."""
        try:
            job = await asyncio.to_thread(jobs.show_job, wiring.current(), await actor_of(self), str(job_id))
        except RxbackupError as error:
            return rx.toast.error(error.message, description=error.hint)
        self._fill_result(job)
        return rx.call_script("setTimeout(() => document.getElementById('result')?.focus(), 80)")

    @rx.event
    def hide_result(self) -> None:
        """Close the result panel; it can be opened again from what happened lately."""
        self.result_id = ""

    @rx.event
    async def cancel(self, job_id: str) -> EventSpec | None:
        """Stop what is running."""
        try:
            await asyncio.to_thread(jobs.cancel_job, wiring.current(), await actor_of(self), str(job_id))
        except RxbackupError as error:
            return rx.toast.error(error.message, description=error.hint)
        WATCH.forget()
        return None


def _newly_ended(before: Revision | None, facts: Facts) -> list[JobView]:
    """Runs that have ended since the last look; a quick one may never have been seen running."""
    if before is None:
        return []
    had_ended = {job_id for job_id, state in before if state not in {"queued", "running"}}
    return [job for job in facts.recent if job.id not in had_ended]


@dataclass(frozen=True)
class Listing:
    """One page of the table, and the filter it answers."""

    text: str
    page: int
    rows: list[BackupRow]
    total: int
    pages: int


async def _fetch(actor: Actor, text: str, page: int) -> Listing:
    query = BackupQuery(text=text, page=page, per_page=_PER_PAGE)
    found = await asyncio.to_thread(backups.list_backups, wiring.current(), actor, query)
    return Listing(text, found.page, [backup_row(view) for view in found.items], found.total, found.pages)


class BackupsState(rx.State):
    """The table of backups: one page of it, filtered on the server."""

    rows: list[BackupRow] = []  # noqa: RUF012
    total: int = 0
    page: int = 1
    pages: int = 1
    filter_text: str = ""
    failure: str = ""
    failure_hint: str = ""
    going: list[str] = []  # noqa: RUF012 - ids that fade while they are being deleted

    def _take(self, listing: Listing) -> None:
        if listing.text != self.filter_text:
            return  # the filter moved on while this was fetched
        # Running backups stand above the table with their progress.
        rows = [row for row in listing.rows if row.state != "running"]
        if self.rows != rows:
            self.rows = rows
        self.page, self.total, self.pages = listing.page, listing.total, listing.pages
        if self.going:
            self.going = [row.id for row in rows if row.id in self.going]

    async def _list(self) -> None:
        try:
            self._take(await _fetch(await actor_of(self), self.filter_text, self.page))
        except RxbackupError as error:
            self.failure, self.failure_hint = error.message, error.hint

    @rx.event
    def arrive(self) -> None:
        """Take the filter from the address, which outlives a reload and can be passed on."""
        self.filter_text = str(self.router.url.query_parameters.get("q", ""))[:_LONGEST_FILTER]

    @rx.event
    async def set_filter(self, text: str) -> EventSpec:
        """Show only backups whose name, description or author contains this."""
        self.filter_text = str(text)[:_LONGEST_FILTER]
        self.page = 1
        await self._list()
        query = f"?{urlencode({'q': self.filter_text})}" if self.filter_text else ""
        # With the router's own state kept, so that going back still works.
        return rx.call_script(f"history.replaceState(history.state, '', location.pathname + {json.dumps(query)})")

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
