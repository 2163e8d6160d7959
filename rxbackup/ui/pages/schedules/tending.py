"""What a schedule keeps, and deleting it: the small dialogs' state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import RxbackupError
from rxbackup.operations import retentions, schedules
from rxbackup.operations.views import RetentionView
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.schedules.rows import SHOWN, Judged, judged
from rxbackup.ui.session import actor_of


class TendState(rx.State):
    """Which small dialog is open, and for which schedule. `kind` is "", keeps or delete."""

    kind: str = ""
    schedule: str = ""
    name: str = ""
    backups: int = 0
    keeps: str = ""
    judged: Judged = Judged()
    sending: bool = False
    error: str = ""
    hint: str = ""
    _view: RetentionView | None = None

    @rx.event
    async def ask(self, kind: str, schedule_id: str, name: str) -> AsyncIterator[None]:
        """Open a dialog at once, and fill in what it has to say."""
        self.reset()  # type: ignore[no-untyped-call]
        self.kind = kind if kind in {"keeps", "delete"} else ""
        self.schedule, self.name = str(schedule_id), str(name)
        yield None
        try:
            view = await asyncio.to_thread(
                retentions.preview_retention, wiring.current(), await actor_of(self), self.schedule
            )
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        self._view, self.keeps = view, view.keeps
        self.judged, self.backups = judged(view), len(view.backups)

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close whichever is open."""
        if is_open is False:
            self.kind = ""

    @rx.event
    def turn_page(self, by: int) -> None:
        """One page on or back in the list of what is kept."""
        if self._view is not None:
            self.judged = judged(self._view, self.judged.page + (by if by in {-1, 1} else 0), self.judged.shown)

    @rx.event
    def show_only(self, which: str) -> None:
        """List only those that stay, or only those that go; "" for all."""
        if self._view is not None:
            self.judged = judged(self._view, 1, which if which in SHOWN else "")

    @rx.event
    async def delete(self) -> AsyncIterator[EventSpec | None]:
        """Delete the schedule; its backups stay."""
        self.sending, self.error, self.hint = True, "", ""
        yield None
        try:
            await asyncio.to_thread(schedules.delete_schedule, wiring.current(), await actor_of(self), self.schedule)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        self.kind = ""
        WATCH.forget()
        yield rx.toast.success(f"Deleted the schedule “{self.name}”.", id="schedule")
