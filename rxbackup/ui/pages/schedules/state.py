"""The schedules as they are now, their runs, and what is done to one of them at a press."""

# mypy: disable-error-code="no-any-return"
# Toasts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import occurrences, schedules
from rxbackup.operations.services import Services
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.schedules.rows import OccurrenceLine, ScheduleCard, occurrence_line, schedule_card
from rxbackup.ui.session import SessionState, actor_of

logger = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 3.0
_SHOWN_RUNS = 20


class SchedulesState(rx.State):
    """The cards. `opened` is the schedule whose runs are listed."""

    loaded: bool = False
    cards: list[ScheduleCard] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    opened: str = ""
    runs: list[OccurrenceLine] = []  # noqa: RUF012
    runs_loaded: bool = False
    error: str = ""
    hint: str = ""

    @rx.event(background=True)
    async def watch(self) -> None:
        """Keep the cards true while somebody looks."""
        while True:
            try:
                actor = await actor_of(self)
                found = await WATCH.schedules.get(wiring.current(), actor)
                now = datetime.now(UTC)
                cards = [schedule_card(view, fresh, now) for view, fresh in found]
                async with self:
                    if self.cards != cards:
                        self.cards = cards
                    self.loaded = True
                    opened = self.opened
                if opened:
                    await self._list_runs(actor, opened)
            except NotSignedIn:
                async with self:
                    (await self.get_state(SessionState)).ended = True
                return
            except RxbackupError:
                # WatchState says on this page what is away; this loop goes on.
                logger.debug("The schedules could not be listed", exc_info=True)
            await WATCH.pause(_LOOK_AGAIN_SECONDS)

    async def _list_runs(self, actor: Actor, schedule_id: str) -> None:
        found = await asyncio.to_thread(
            occurrences.list_occurrences, wiring.current(), actor, schedule_id, limit=_SHOWN_RUNS
        )
        lines = [occurrence_line(view) for view in found]
        async with self:
            if self.opened == schedule_id and (self.runs != lines or not self.runs_loaded):
                self.runs, self.runs_loaded = lines, True

    @rx.event
    def toggle_runs(self, schedule_id: str) -> None:
        """List the runs of a schedule, or fold them away again."""
        known = {card.id for card in self.cards}
        self.opened = str(schedule_id) if schedule_id in known and schedule_id != self.opened else ""
        self.runs, self.runs_loaded = [], False
        WATCH.forget()

    @rx.event
    async def pause(self, schedule_id: str) -> EventSpec | None:
        """Let a schedule rest; its settings stay."""
        return await self._do(schedules.pause_schedule, schedule_id, "Paused “{}”. Nothing is due until it goes on.")

    @rx.event
    async def resume(self, schedule_id: str) -> EventSpec | None:
        """Let a schedule go on."""
        return await self._do(schedules.resume_schedule, schedule_id, "“{}” goes on.")

    @rx.event
    async def run(self, schedule_id: str) -> EventSpec | None:
        """Take a schedule's backup now; its progress stands on the page."""
        return await self._do(schedules.run_schedule, schedule_id, "Backing up for “{}”.")

    async def _do(
        self, deed: Callable[[Services, Actor, str], Any], schedule_id: object, told: str
    ) -> EventSpec | None:
        wanted = str(schedule_id)
        name = next((card.name for card in self.cards if card.id == wanted), wanted)
        self.error = self.hint = ""
        try:
            await asyncio.to_thread(deed, wiring.current(), await actor_of(self), wanted)
        except RxbackupError as error:
            self.error, self.hint = f"“{name}”: {error.message}", error.hint
            return None
        WATCH.forget()
        return rx.toast.success(told.format(name), id="schedule")

    @rx.event
    def dismiss(self) -> None:
        """Take a failure off the page once it was read."""
        self.error = self.hint = ""
