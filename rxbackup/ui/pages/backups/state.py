"""What is true now, and the loop that keeps it true while somebody looks.

Two states on purpose: progress ticks go to `WatchState` and redraw a few words; the table belongs to `BackupsState`
in `listing` and is sent only when it changed.
"""

# mypy: disable-error-code="no-any-return"
# Toasts and scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import jobs
from rxbackup.operations.views import BackupQuery, JobView, StoreView
from rxbackup.ui.pages.activity.rows import ActivityRow, row_of_run
from rxbackup.ui.pages.backups.listing import BackupsState, fetch
from rxbackup.ui.pages.backups.protection import Protection, judge, place_note
from rxbackup.ui.pages.backups.rows import (
    RunRow,
    StoreChoice,
    Tile,
    run_row,
    store_choice,
    tiles,
)
from rxbackup.ui.pages.backups.watching import WATCH, Facts, Revision
from rxbackup.ui.session import SessionState, actor_of

logger = logging.getLogger(__name__)

_UNEXPECTED = ("This page could not be brought up to date.", "The log of the server has the details.")
_BUSY_SECONDS, _IDLE_SECONDS = 1.0, 2.5
_RELIST_EVERY = 4
_SHOWN_ACTIVITIES = 10
_UNTOLD = frozenset({"preview"})
"""What nobody asks about once it is over."""
_STORE_KINDS = frozenset({"prune", "copy", "rebuild"})


class WatchState(rx.State):
    """What is true now: runs, counts per group, what happened, how safe the data is."""

    loaded: bool = False
    counted: bool = False
    away: str = ""
    away_hint: str = ""
    runs: list[RunRow] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    tiles: list[Tile] = []  # noqa: RUF012
    activity: list[ActivityRow] = []  # noqa: RUF012
    store_activity: list[ActivityRow] = []  # noqa: RUF012
    protection: Protection = Protection()
    stores: list[StoreChoice] = []  # noqa: RUF012
    store_note: str = ""
    spoken: str = ""

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
        latest = facts.latest.id if facts.latest else ""
        shown_tiles = self.tiles if facts.counts is None else tiles(facts.counts, facts.before, latest)
        activity = [row_of_run(job) for job in facts.recent if job.kind not in _UNTOLD][:_SHOWN_ACTIVITIES]
        of_stores = [row_of_run(job) for job in facts.recent if job.kind in _STORE_KINDS][:_SHOWN_ACTIVITIES]
        protection = judge(facts, now)
        found = await WATCH.stores.get(wiring.current(), await actor_of(self)) if relist else None
        listing = await fetch(await actor_of(self), await self._wanted()) if relist else None
        async with self:
            # Equal values are not assigned: each assignment would travel to the browser.
            for name, value in (
                ("runs", runs),
                ("tiles", shown_tiles),
                ("activity", activity),
                ("store_activity", of_stores),
                ("protection", protection),
            ):
                if getattr(self, name) != value:
                    setattr(self, name, value)
            if found is not None:
                self._take_stores(found)
            self.store_note = place_note(facts.latest)
            self.away = self.away_hint = ""
            session = await self.get_state(SessionState)
            if session.ended:
                # The gate could not ask while the database was away; now it is known that the session lives.
                session.ended = False
            self._speak(runs, ended)
            if listing:
                table = await self.get_state(BackupsState)
                table._take(listing)  # noqa: SLF001 - public methods of a state can be called by any browser
            self.loaded, self.counted = True, facts.counts is not None

    async def _wanted(self) -> BackupQuery:
        async with self:
            table = await self.get_state(BackupsState)
            return table._query()  # noqa: SLF001 - public methods of a state can be called by any browser

    def _take_stores(self, found: tuple[StoreView, ...]) -> None:
        choices = [store_choice(store) for store in found]
        if self.stores != choices:
            self.stores = choices

    def _speak(self, runs: list[RunRow], ended: list[JobView]) -> None:
        """Words for the live region: stages and ends, not every percent."""
        ended = [job for job in ended if job.kind not in _UNTOLD]
        words = "; ".join(f"{run.title}: {run.stage}" for run in runs)
        if ended:
            row = row_of_run(ended[0])
            words = f"{row.title} {row.name}. {row.message}".strip()
        if words:
            self.spoken = words

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
