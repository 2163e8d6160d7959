"""What is in the trash, putting it back, deleting it for good; and undoing the deletion that was just made."""

# mypy: disable-error-code="no-any-return"
# Toasts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.access.actor import SYSTEM_EMAIL
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import backups, trash
from rxbackup.operations.views import BackupQuery, BackupView
from rxbackup.ui import wording
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.session import SessionState, actor_of

logger = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 4.0
_PER_PAGE = 50


@dataclass(frozen=True)
class TrashLine:
    """One backup in the trash; times are ISO. `by` is who put it there, "" where its schedule keeps it no more."""

    id: str
    name: str
    at: str
    rows: int
    stored_bytes: int
    trashed_at: str
    by: str
    until: str


def trash_line(view: BackupView) -> TrashLine:
    """A backup in the trash as a line."""
    by = view.trashed_by or ""
    return TrashLine(
        id=view.id,
        name=view.name,
        at=wording.iso(view.when),
        rows=view.rows,
        stored_bytes=view.stored_bytes,
        trashed_at=wording.iso(view.trashed_at),
        by=by if by != SYSTEM_EMAIL else "",
        until=wording.iso(view.trash_until),
    )


class TrashState(rx.State):
    """The trash, a page at a time, and the backup that was just put there: `undo_id`, "" if none was."""

    loaded: bool = False
    lines: list[TrashLine] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    total: int = 0
    page: int = 1
    pages: int = 1
    going: list[str] = []  # noqa: RUF012 - ids that fade while something is being done to them
    undo_id: str = ""
    undo_name: str = ""
    undo_until: str = ""
    asked_id: str = ""
    asked_name: str = ""
    error: str = ""
    hint: str = ""

    @rx.event(background=True)
    async def watch(self) -> None:
        """Keep the lines true while somebody looks."""
        while True:
            try:
                async with self:
                    page = self.page
                actor = await actor_of(self)
                query = BackupQuery(trash=True, page=page, per_page=_PER_PAGE)
                found = await asyncio.to_thread(backups.list_backups, wiring.current(), actor, query)
                lines = [trash_line(view) for view in found.items]
                async with self:
                    if self.page == page:
                        if self.lines != lines:
                            self.lines = lines
                        self.total, self.page, self.pages = found.total, found.page, found.pages
                    self.loaded = True
            except NotSignedIn:
                async with self:
                    (await self.get_state(SessionState)).ended = True
                return
            except RxbackupError:
                # WatchState says on this page what is away; this loop goes on.
                logger.debug("The trash could not be listed", exc_info=True)
            await WATCH.pause(_LOOK_AGAIN_SECONDS)

    def _offer_undo(self, view: BackupView) -> None:
        self.undo_id, self.undo_name = view.id, view.name
        self.undo_until = wording.iso(view.trash_until)

    @rx.event
    def turn_page(self, by: int) -> None:
        """One page on or back."""
        self.page = max(1, min(self.pages, self.page + (by if by in {-1, 1} else 0)))
        WATCH.forget()

    @rx.event
    async def undo(self) -> AsyncIterator[EventSpec | None]:
        """Put back what was just deleted."""
        async for event in self._put_back(self.undo_id, self.undo_name):
            yield event

    @rx.event
    async def put_back(self, backup_id: str, name: str) -> AsyncIterator[EventSpec | None]:
        """Take a backup out of the trash."""
        async for event in self._put_back(str(backup_id), str(name)):
            yield event

    async def _put_back(self, backup_id: str, name: str) -> AsyncIterator[EventSpec | None]:
        self.error = self.hint = ""
        self.going = [*self.going, backup_id]
        yield None
        try:
            await asyncio.to_thread(trash.undelete_backup, wiring.current(), await actor_of(self), backup_id)
        except RxbackupError as error:
            self.error, self.hint = f"“{name}” was not put back: {error.message}", error.hint
            return
        finally:
            self.going = [one for one in self.going if one != backup_id]
            if self.undo_id == backup_id:
                self.undo_id = self.undo_name = ""
        self.lines = [line for line in self.lines if line.id != backup_id]
        WATCH.forget()
        yield rx.toast.success(f"Put “{name}” back.", id="trash")

    @rx.event
    def dismiss_undo(self) -> None:
        """Take the offer to undo off the page; the backup stays in the trash."""
        self.undo_id = self.undo_name = ""

    @rx.event
    def dismiss(self) -> None:
        """Take a failure off the page once it was read."""
        self.error = self.hint = ""

    @rx.event
    def ask(self, backup_id: str, name: str) -> None:
        """Open the dialog that deletes for good."""
        self.asked_id, self.asked_name = str(backup_id), str(name)

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close that dialog."""
        if is_open is False:
            self.asked_id = ""

    @rx.event
    async def delete(self) -> AsyncIterator[EventSpec | None]:
        """Delete for good. The line fades at once and comes back with the reason if that failed."""
        backup_id, name, self.asked_id = self.asked_id, self.asked_name, ""
        self.error = self.hint = ""
        self.going = [*self.going, backup_id]
        yield None
        try:
            await asyncio.to_thread(backups.delete_backup, wiring.current(), await actor_of(self), backup_id)
        except RxbackupError as error:
            self.error, self.hint = f"“{name}” was not deleted: {error.message}", error.hint
            return
        finally:
            self.going = [one for one in self.going if one != backup_id]
        self.lines = [line for line in self.lines if line.id != backup_id]
        if self.undo_id == backup_id:
            self.undo_id = self.undo_name = ""
        WATCH.forget()
        yield rx.toast.success(f"Deleted “{name}” for good.", id="trash")
