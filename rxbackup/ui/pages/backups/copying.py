"""What one can do with one copy of a backup."""

# mypy: disable-error-code="no-any-return"
# Toasts and scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
from collections.abc import Callable

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.errors import RxbackupError
from rxbackup.operations import copies, verifications
from rxbackup.ui.pages.backups.listing import BackupsState
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.session import actor_of


class CopyState(rx.State):
    """Nothing is kept here: the page of the backup shows what became of it."""

    @rx.event
    async def again(self, backup_id: str, name: str, store: str) -> EventSpec | None:
        """Make a copy again that failed."""
        return await self._do(
            lambda actor: copies.request_copy(wiring.current(), actor, str(backup_id), str(store)),
            f"Copying “{name}” to “{store}”.",
        )

    @rx.event
    async def verify(self, backup_id: str, name: str, store: str) -> EventSpec | None:
        """Open every part of a copy."""
        return await self._do(
            lambda actor: verifications.request_verify(
                wiring.current(), actor, str(backup_id), level="contents", store=str(store)
            ),
            f"Checking the copy of “{name}” in “{store}”.",
        )

    @rx.event
    async def delete(self, backup_id: str, name: str, store: str) -> EventSpec | None:
        """Delete a copy; the backup and its other copies stay."""
        return await self._do(
            lambda actor: copies.delete_copy(wiring.current(), actor, str(backup_id), str(store)),
            f"Deleted the copy of “{name}” in “{store}”.",
        )

    async def _do(self, work: Callable[[Actor], object], done: str) -> EventSpec | None:
        table = await self.get_state(BackupsState)
        table.failure = table.failure_hint = ""
        try:
            await asyncio.to_thread(work, await actor_of(self))
        except RxbackupError as error:
            table.failure, table.failure_hint = error.message, error.hint
            return None
        WATCH.forget()
        return rx.toast.success(done, id="copy")
