"""Create Backup: the dialog's state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import RxbackupError, UsageError
from rxbackup.operations import backups
from rxbackup.operations.views import NewBackup
from rxbackup.ui.pages.backups.state import WatchState
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.session import actor_of

_GROUP_PREFIX = "group:"


class CreateState(rx.State):
    """What the dialog needs beyond the form itself, which lives in the browser until it is sent."""

    is_open: bool = False
    sending: bool = False
    error: str = ""
    hint: str = ""

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Open the dialog afresh, or close it."""
        self.is_open = is_open is True
        self.error = self.hint = ""

    @rx.event
    async def submit(self, form: dict[str, object]) -> AsyncIterator[EventSpec | None]:
        """Ask for the backup. On failure the dialog stays, with everything that was typed."""
        self.error = self.hint = ""
        self.sending = True
        yield None
        try:
            new = self._read(form, [tile.name for tile in (await self.get_state(WatchState)).tiles])
            await asyncio.to_thread(backups.request_backup, wiring.current(), await actor_of(self), new)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        self.is_open = False
        WATCH.forget()
        yield rx.toast.success(f"Backing up as “{new.name}”.", id="create")

    @staticmethod
    def _read(form: dict[str, object], known: list[str]) -> NewBackup:
        fields = form if isinstance(form, dict) else {}
        chosen = tuple(name for name in known if fields.get(f"{_GROUP_PREFIX}{name}"))
        if known and not chosen:
            raise UsageError("No group is chosen.", hint="Choose at least one.")
        return NewBackup(
            name=str(fields.get("name", "")).strip(),
            description=str(fields.get("description", "")).strip(),
            groups=None if len(chosen) == len(known) else chosen,
        )
