"""Create Backup: the dialog's state."""

from __future__ import annotations

import asyncio
import dataclasses
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

_GROUP_PREFIX, _COPY_PREFIX = "group:", "copy:"
_LONGEST_NAME = 63


class CreateState(rx.State):
    """What the dialog needs beyond the form itself, which lives in the browser until it is sent."""

    is_open: bool = False
    store: str = ""
    sending: bool = False
    error: str = ""
    hint: str = ""

    @rx.event
    async def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Open the dialog afresh, or close it."""
        self.is_open = is_open is True
        self.error = self.hint = ""
        if self.is_open:
            known = (await self.get_state(WatchState)).stores
            self.store = next((store.name for store in known if store.is_default), "")

    @rx.event
    def choose_store(self, store: str) -> None:
        """Take it into this store; it needs no copy there then."""
        self.store = str(store)[:_LONGEST_NAME]

    @rx.event
    async def submit(self, form: dict[str, object]) -> AsyncIterator[EventSpec | None]:
        """Ask for the backup. On failure the dialog stays, with everything that was typed."""
        self.error = self.hint = ""
        self.sending = True
        yield None
        try:
            watch = await self.get_state(WatchState)
            new = _read(form, [tile.name for tile in watch.tiles], [store.name for store in watch.stores])
            await asyncio.to_thread(backups.request_backup, wiring.current(), await actor_of(self), new)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        self.is_open = False
        WATCH.forget()
        yield rx.toast.success(f"Backing up as “{new.name}”.", id="create")


def _read(form: object, groups: list[str], stores: list[str]) -> NewBackup:
    """What was filled in, of the groups and stores that are known."""
    fields = form if isinstance(form, dict) else {}
    chosen = tuple(name for name in groups if fields.get(f"{_GROUP_PREFIX}{name}"))
    if groups and not chosen:
        raise UsageError("No group is chosen.", hint="Choose at least one.")
    new = NewBackup(
        name=str(fields.get("name", "")).strip(),
        description=str(fields.get("description", "")).strip(),
        groups=None if len(chosen) == len(groups) else chosen,
        full=bool(fields.get("full")),
    )
    store = str(fields.get("store") or new.store)
    copies = tuple(name for name in stores if name != store and fields.get(f"{_COPY_PREFIX}{name}"))
    return dataclasses.replace(new, store=store, copies=copies)
