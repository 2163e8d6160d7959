"""Add and edit a schedule: the dialog's state. While one chooses, it says what the schedule would do."""

# mypy: disable-error-code="no-any-return"
# Toasts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.cadence.due import zone_of
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import retentions, schedules
from rxbackup.operations.views import NewSchedule, RetentionView
from rxbackup.ui import wording
from rxbackup.ui.pages.backups.state import WatchState
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.schedules.draft import Filled, filled_from, read_form, suggested
from rxbackup.ui.pages.schedules.outlook import in_a_year
from rxbackup.ui.pages.schedules.rows import SHOWN, Judged, judged
from rxbackup.ui.session import SessionState, actor_of

_LARGEST_FORM = 2000


@dataclass(frozen=True)
class Told:
    """What the schedule in the form would do, or why it cannot be: `problem`.

    Attributes:
        runs: ISO, its next due moments.
        year: what it will hold in a year, in words.
    """

    sentence: str = ""
    runs: tuple[str, ...] = ()
    zone: str = ""
    year: str = ""
    problem: str = ""
    hint: str = ""


class EditState(rx.State):
    """The form when it opens, and what is said about it. `schedule` is the id of the one that is changed, if any."""

    is_open: bool = False
    schedule: str = ""
    name: str = ""
    filled: Filled = Filled()
    store: str = ""
    told: Told = Told()
    simulated: Judged = Judged()
    show_each: bool = False
    sending: bool = False
    error: str = ""
    hint: str = ""
    _view: RetentionView | None = None

    @rx.event
    async def add(self) -> None:
        """Open an empty form, but for what most people want."""
        await self._open_new(name="")

    @rx.event
    async def suggest(self) -> None:
        """Open the form with a sensible first schedule in it."""
        await self._open_new(name="Nightly")

    async def _open_new(self, *, name: str) -> None:
        known = (await self.get_state(WatchState)).stores
        default = next((store.name for store in known if store.is_default), known[0].name if known else "")
        self.reset()  # type: ignore[no-untyped-call]
        further = [store.name for store in known if not store.same_server]
        self.filled = suggested(store=default, further=further, name=name)
        self.store, self.is_open = default, True

    @rx.event
    async def edit(self, schedule_id: str) -> EventSpec | None:
        """Open the form of a schedule that there is."""
        try:
            view = await asyncio.to_thread(
                schedules.show_schedule, wiring.current(), await actor_of(self), str(schedule_id)
            )
        except RxbackupError as error:
            return rx.toast.error(error.message, description=error.hint)
        self.reset()  # type: ignore[no-untyped-call]
        self.schedule, self.name, self.store = view.id, view.name, view.store
        self.filled, self.is_open = filled_from(view), True
        return None

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close the dialog; while it is being saved it stays."""
        if is_open is False and not self.sending:
            self.is_open = False

    @rx.event
    def choose_store(self, store: str) -> None:
        """Take its backups into this store; they need no copy there then."""
        self.store = str(store)[:63]

    @rx.event(background=True, supersedes=True)
    async def changed(self, form: dict[str, object]) -> None:
        """Something in the form has changed: say what the schedule would do now."""
        if not isinstance(form, Mapping) or len(form) > _LARGEST_FORM:
            return
        async with self:
            schedule = self.schedule
        try:
            actor = await actor_of(self)
            told = await asyncio.to_thread(_tell, actor, form)
            view = await asyncio.to_thread(_simulate, actor, schedule, form) if schedule else None
        except NotSignedIn:
            async with self:
                (await self.get_state(SessionState)).ended = True
            return
        async with self:
            if self.told != told:
                self.told = told
            if view is not None:
                self._view = view
                self.simulated = judged(view, self.simulated.page, self.simulated.shown)

    @rx.event
    def toggle_each(self) -> None:
        """List each backup that would stay or go, or only say how many."""
        self.show_each = not self.show_each

    @rx.event
    def show_only(self, which: str) -> None:
        """List only those that stay, or only those that go; "" for all."""
        if self._view is not None:
            self.simulated = judged(self._view, 1, which if which in SHOWN else "")

    @rx.event
    def turn_page(self, by: int) -> None:
        """One page on or back in that list."""
        if self._view is not None:
            page = self.simulated.page + (by if by in {-1, 1} else 0)
            self.simulated = judged(self._view, page, self.simulated.shown)

    @rx.event
    async def submit(self, form: dict[str, object]) -> AsyncIterator[EventSpec | None]:
        """Save it. On failure the dialog stays, with everything that was filled in."""
        if self.sending:
            return
        self.sending, self.error, self.hint = True, "", ""
        yield None
        try:
            new = read_form(form)
            actor = await actor_of(self)
            if self.schedule:
                await asyncio.to_thread(schedules.change_schedule, wiring.current(), actor, self.schedule, new)
            else:
                await asyncio.to_thread(schedules.add_schedule, wiring.current(), actor, new)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        told = f"Changed the schedule “{new.name}”." if self.schedule else f"Added the schedule “{new.name}”."
        self.is_open = False
        WATCH.forget()
        yield rx.toast.success(told, id="schedule")


def _tell(actor: Actor, form: Mapping[str, object]) -> Told:
    try:
        new = read_form(form, name_needed=False)
        forecast = schedules.foretell_schedule(wiring.current(), actor, new)
    except NotSignedIn:
        raise
    except RxbackupError as error:
        return Told(problem=error.message, hint=error.hint)
    return Told(
        sentence=forecast.sentence,
        runs=tuple(wording.iso(due) for due in forecast.coming),
        zone=new.zone,
        year=_year(new),
    )


def _year(new: NewSchedule) -> str:
    return in_a_year(new.rule, zone_of(new.zone), new.policy, datetime.now(UTC))


def _simulate(actor: Actor, schedule: str, form: Mapping[str, object]) -> RetentionView | None:
    try:
        new = read_form(form, name_needed=False)
        return retentions.preview_retention(wiring.current(), actor, schedule, policy=new.policy, zone=new.zone)
    except NotSignedIn:
        raise
    except RxbackupError:
        # Told beside the sentence already.
        return None
