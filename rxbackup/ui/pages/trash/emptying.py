"""Emptying the trash: the question, the deed, and what stayed."""

# mypy: disable-error-code="no-any-return"
# Toasts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import trash
from rxbackup.ui import wording
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.session import SessionState, actor_of


@dataclass(frozen=True)
class Staying:
    """A backup that stays in the trash, and why."""

    id: str
    name: str
    why: str


class EmptyState(rx.State):
    """The dialog, and what came of it. `working`: the trash is being emptied from this tab."""

    is_open: bool = False
    working: bool = False
    backups: int = 0
    stored_bytes: int = 0
    staying: list[Staying] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    error: str = ""
    hint: str = ""

    @rx.event
    async def ask(self) -> None:
        """Open the dialog, which says how many and how much."""
        self.error, self.hint, self.staying = "", "", []
        try:
            found = await asyncio.to_thread(trash.weigh_trash, wiring.current(), await actor_of(self))
        except NotSignedIn:
            raise
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        self.backups, self.stored_bytes = found.backups, found.stored_bytes
        self.is_open = found.backups > 0
        WATCH.forget()

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close the dialog."""
        if is_open is False:
            self.is_open = False

    @rx.event(background=True)
    async def empty(self) -> AsyncIterator[EventSpec]:
        """Delete for good all that is in the trash. Backups leave the list one by one."""
        async with self:
            if self.working:
                return
            self.working, self.is_open = True, False
        try:
            done = await asyncio.to_thread(trash.empty_trash, wiring.current(), await actor_of(self))
        except NotSignedIn:
            async with self:
                self.working = False
                (await self.get_state(SessionState)).ended = True
            return
        except RxbackupError as error:
            async with self:
                self.working, self.error, self.hint = False, error.message, error.hint
            return
        async with self:
            self.working = False
            self.staying = [Staying(one.id, one.name, f"{one.why} {one.hint}".strip()) for one in done.staying]
        WATCH.forget()
        if done.deleted:
            yield rx.toast.success(f"Deleted {wording.plural(done.deleted, 'backup')} for good.", id="trash")

    @rx.event
    def dismiss(self) -> None:
        """Take what was said off the page once it was read."""
        self.error, self.hint, self.staying = "", "", []
