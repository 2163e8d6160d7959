"""Removing a channel: the dialog's state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import RxbackupError
from rxbackup.operations import channels
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.session import actor_of


class RemoveState(rx.State):
    """Which channel is asked about: `name`, "" for none."""

    name: str = ""
    waiting: int = 0
    sending: bool = False
    error: str = ""
    hint: str = ""

    @rx.event
    def ask(self, name: str, waiting: int) -> None:
        """Open the dialog."""
        self.reset()  # type: ignore[no-untyped-call]
        self.name, self.waiting = str(name), waiting if isinstance(waiting, int) else 0

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close it."""
        if is_open is False:
            self.name = ""

    @rx.event
    async def remove(self) -> AsyncIterator[EventSpec | None]:
        """Remove the channel, its secrets and what waits for it."""
        self.sending, self.error, self.hint = True, "", ""
        yield None
        try:
            await asyncio.to_thread(channels.remove_channel, wiring.current(), await actor_of(self), self.name)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        told, self.name = f"Removed “{self.name}”.", ""
        WATCH.forget()
        yield rx.toast.success(told, id="channel")
