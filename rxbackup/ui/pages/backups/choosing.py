"""Delete, check and download: the small dialogs' state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import cast

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import RxbackupError
from rxbackup.operations import backups, downloads, verifications
from rxbackup.ui import addresses
from rxbackup.ui.pages.backups.listing import BackupsState
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.session import actor_of

_LEVELS = ("contents", "structure")
_FORMATS = ("json", "sql")


class ChoiceState(rx.State):
    """Which small dialog is open, and for which backup. `kind` is "", delete or check."""

    kind: str = ""
    backup_id: str = ""
    name: str = ""
    stored_bytes: int = 0
    sending: bool = False
    error: str = ""
    hint: str = ""
    download_file: str = ""
    download_path: str = ""

    @rx.event
    def ask_delete(self, backup_id: str, name: str, stored_bytes: int) -> None:
        """Ask whether to delete."""
        self._open("delete", backup_id, name)
        self.stored_bytes = stored_bytes if isinstance(stored_bytes, int) else 0

    @rx.event
    def ask_check(self, backup_id: str, name: str) -> None:
        """Ask how thoroughly to check."""
        self._open("check", backup_id, name)

    def _open(self, kind: str, backup_id: str, name: str) -> None:
        self.kind, self.backup_id, self.name = kind, str(backup_id), str(name)
        self.error = self.hint = ""

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close whichever is open."""
        if is_open is False:
            self.kind = ""

    @rx.event
    async def delete(self) -> AsyncIterator[EventSpec | None]:
        """Delete. The row fades at once and comes back with the reason if it could not be deleted."""
        table = await self.get_state(BackupsState)
        backup_id, name, self.kind = self.backup_id, self.name, ""
        table.going = [*table.going, backup_id]
        table.failure = table.failure_hint = ""
        yield None
        try:
            await asyncio.to_thread(backups.delete_backup, wiring.current(), await actor_of(self), backup_id)
        except RxbackupError as error:
            table.going = [one for one in table.going if one != backup_id]
            table.failure, table.failure_hint = f"“{name}” was not deleted: {error.message}", error.hint
            return
        WATCH.forget()
        yield rx.toast.success(f"Deleted “{name}”.", id="delete")
        yield cast("EventSpec", BackupsState.relist)
        if self.router.url.path.rstrip("/").endswith(backup_id):
            yield rx.redirect(addresses.BACKUPS)

    @rx.event
    async def check(self, form: dict[str, object]) -> AsyncIterator[EventSpec | None]:
        """Queue the check."""
        level = form.get("level") if isinstance(form, dict) else None
        self.sending, self.error, self.hint = True, "", ""
        yield None
        try:
            await asyncio.to_thread(
                verifications.request_verify,
                wiring.current(),
                await actor_of(self),
                self.backup_id,
                level=str(level) if level in _LEVELS else _LEVELS[0],
            )
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        self.kind = ""
        WATCH.forget()
        yield rx.toast.success(f"Checking “{self.name}”.", id="check")

    @rx.event
    async def download(self, backup_id: str, format_name: str) -> EventSpec | list[EventSpec] | None:
        """Make a one-time link and follow it."""
        table = await self.get_state(BackupsState)
        try:
            link = await asyncio.to_thread(
                downloads.request_link,
                wiring.current(),
                await actor_of(self),
                str(backup_id),
                format_name=format_name if format_name in _FORMATS else _FORMATS[0],
            )
        except RxbackupError as error:
            table.failure, table.failure_hint = error.message, error.hint
            return None
        self.download_file = link.file_name
        # Not rx.redirect: that stays inside the app's own router.
        return rx.call_script(f"location.assign({json.dumps(link.path)})")

    @rx.event
    def dismiss_download(self) -> None:
        """Take the note about a download off the page."""
        self.download_file = ""
