"""The overview's own facts, kept true while somebody looks: alerts, schedules, numbers, first steps.

What other pages show too (the judgement, counts, runs, what happened) is `WatchState`'s.
"""

# mypy: disable-error-code="no-any-return"
# Toasts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import alerts
from rxbackup.operations.services import Services
from rxbackup.ui import wording
from rxbackup.ui.pages.backups.watching import PERIODS, WATCH
from rxbackup.ui.pages.overview.history import Lately, lately
from rxbackup.ui.pages.overview.lines import (
    AlertLine,
    FirstSteps,
    ScheduleLight,
    alert_lines,
    first_steps,
    schedule_lights,
)
from rxbackup.ui.session import SessionState, actor_of

logger = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 4.0
_FEW_ALERTS = 4
_KEEP_FOCUS = (
    "setTimeout(()=>document.activeElement===document.body"
    "&&document.getElementById('main').focus({preventScroll:true}),60)"
)
"""The button that was pressed is gone with its line; who walks by keyboard goes on from the page, not from its top."""


class OverviewState(rx.State):
    """What the overview says beside `WatchState`.

    Attributes:
        alerts: those that are shown: all, or the worst few. total_alerts: how many are open.
        going: ids that fade while somebody says that they were expected.
        lights: the schedules that are worst off. schedules: how many there are.
        period: how many days the charts look back.
        hidden: not "" where somebody put the first steps away, in this browser.
    """

    loaded: bool = False
    alerts: list[AlertLine] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    total_alerts: int = 0
    every_alert: bool = False
    going: list[str] = []  # noqa: RUF012
    spoken: str = ""
    lights: list[ScheduleLight] = []  # noqa: RUF012
    schedules: int = 0
    steps: FirstSteps = FirstSteps()
    period: int = PERIODS[0]
    lately: Lately = Lately()
    hidden: str = rx.LocalStorage("", name="rx-first-steps")
    error: str = ""
    hint: str = ""

    @rx.event(background=True)
    async def watch(self) -> None:
        """Keep the page true until it is left."""
        while True:
            try:
                await self._look(wiring.current(), await actor_of(self))
            except NotSignedIn:
                async with self:
                    (await self.get_state(SessionState)).ended = True
                return
            except RxbackupError:
                # WatchState says on this page what is away; this loop goes on.
                logger.debug("The overview could not be brought up to date", exc_info=True)
            await WATCH.pause(_LOOK_AGAIN_SECONDS)

    async def _look(self, services: Services, actor: Actor) -> None:
        async with self:
            period = self.period
        now = datetime.now(UTC)
        open_alerts = alert_lines(await WATCH.alerts.get(services, actor))
        found = await WATCH.schedules.get(services, actor)
        fresh = await WATCH.fresh.get(services, actor)
        channels = await WATCH.channels.get(services, actor) if actor.may(Permission.ADMINISTER) else None
        holding = {
            store.name: store.stored_bytes + store.waiting_bytes for store in await WATCH.stores.get(services, actor)
        }
        numbers = lately(await WATCH.history(services, actor, period), period, now.date(), holding)
        steps = first_steps(fresh[0], len(found), channels)
        async with self:
            # Equal values are not assigned: each assignment would travel to the browser.
            for name, value in (
                ("alerts", open_alerts if self.every_alert else open_alerts[:_FEW_ALERTS]),
                ("total_alerts", len(open_alerts)),
                ("lights", schedule_lights(found, now)),
                ("schedules", len(found)),
                ("steps", steps),
            ):
                if getattr(self, name) != value:
                    setattr(self, name, value)
            self.spoken = _spoken(len(open_alerts))
            if self.period == period and self.lately != numbers:
                self.lately = numbers
            self.loaded = True

    @rx.event
    def choose_period(self, days: int) -> None:
        """Look so many days back."""
        self.period = days if days in PERIODS else PERIODS[0]
        WATCH.forget()

    @rx.event
    def show_every_alert(self) -> None:
        """List all that is open, not only the worst."""
        self.every_alert = True
        WATCH.forget()

    @rx.event
    async def expect(self, alert_id: str) -> AsyncIterator[EventSpec | None]:
        """Say that it was expected, or is dealt with. The line fades at once and returns with the reason on failure."""
        alert_id, self.error, self.hint = str(alert_id), "", ""
        title = next((line.title for line in self.alerts if line.id == alert_id), "")
        self.going = [*self.going, alert_id]
        yield None
        try:
            await asyncio.to_thread(alerts.expect_alert, wiring.current(), await actor_of(self), alert_id)
        except RxbackupError as error:
            self.error, self.hint = f"“{title}” stays on the list: {error.message}", error.hint
            return
        finally:
            self.going = [one for one in self.going if one != alert_id]
        self.alerts = [line for line in self.alerts if line.id != alert_id]
        self.total_alerts = max(0, self.total_alerts - 1)
        WATCH.forget()
        yield rx.toast.success(f"Over: {title}.", id="alert")
        yield rx.call_script(_KEEP_FOCUS)

    @rx.event
    def dismiss(self) -> None:
        """Take a failure off the page once it was read."""
        self.error = self.hint = ""

    @rx.event
    def hide_steps(self) -> None:
        """Put the first steps away in this browser."""
        self.hidden = "yes"


def _spoken(alerts_open: int) -> str:
    """For the live region: how much wants a person."""
    return f"{wording.plural(alerts_open, 'open alert')}." if alerts_open else ""
