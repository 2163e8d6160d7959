"""Add and edit a channel: the dialog's state. Secrets pass through it on their way to the operation, no further."""

# mypy: disable-error-code="no-any-return"
# Toasts and scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.errors import RxbackupError, UsageError
from rxbackup.operations import channels
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.notifications.draft import FIELDS, KINDS, Filled, filled_from, read_change, read_new
from rxbackup.ui.pages.notifications.state import NotificationsState
from rxbackup.ui.session import actor_of


class EditState(rx.State):
    """What the dialog needs beyond the form itself, which lives in the browser until it is sent.

    Attributes:
        channel: the name of the one that is changed, "" for a new one.
        filled: what stands in the form when it opens; of secrets only whether they are kept.
        wrong: by field what is wrong with its value.
        error, hint: what is wrong with none of them.
    """

    is_open: bool = False
    channel: str = ""
    kind: str = KINDS[0]
    filled: Filled = Filled()
    wrong: dict[str, str] = {}  # noqa: RUF012 - Reflex copies defaults for each tab
    sending: bool = False
    error: str = ""
    hint: str = ""

    @rx.event
    async def add(self) -> EventSpec | None:
        """Open an empty form, with what most people want to hear of ticked."""
        return await self._open_new(readers="")

    @rx.event
    async def begin(self) -> EventSpec | None:
        """Open the form for mail to who is signed in."""
        return await self._open_new(readers=(await actor_of(self)).email)

    async def _open_new(self, *, readers: str) -> EventSpec | None:
        try:
            known = await asyncio.to_thread(channels.list_events, wiring.current(), await actor_of(self))
        except RxbackupError as error:
            return rx.toast.error(error.message, description=error.hint)
        self.reset()  # type: ignore[no-untyped-call]
        usual = tuple(event.name for event in known if event.is_usual)
        self.filled = Filled(name="people" if readers else "", readers=readers, events=usual)
        self.is_open = True
        return None

    @rx.event
    async def edit(self, name: str) -> EventSpec | None:
        """Open the form of a channel that there is."""
        try:
            found = await asyncio.to_thread(channels.list_channels, wiring.current(), await actor_of(self))
        except RxbackupError as error:
            return rx.toast.error(error.message, description=error.hint)
        view = next((view for view in found if view.name == name), None)
        if view is None:
            return rx.toast.error(f"There is no channel “{str(name)[:80]}” any more.")
        self.reset()  # type: ignore[no-untyped-call]
        self.channel, self.kind, self.filled = view.name, view.kind, filled_from(view)
        self.is_open = True
        return None

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close the dialog; while it is being saved it stays."""
        if is_open is False and not self.sending:
            self.is_open = False

    @rx.event
    def choose_kind(self, kind: str) -> None:
        """Show the fields of this kind of channel."""
        if not self.channel:
            self.kind = kind if kind in KINDS else KINDS[0]
            self.wrong, self.error, self.hint = {}, "", ""

    @rx.event
    async def submit(self, form: dict[str, object]) -> AsyncIterator[EventSpec | None]:
        """Save it. On failure the dialog stays, with everything that was filled in."""
        if self.sending:
            return
        self.sending, self.wrong, self.error, self.hint = True, {}, "", ""
        yield None
        try:
            name = await asyncio.to_thread(self._save, await actor_of(self), form)
        except UsageError as error:
            if error.field not in FIELDS:
                self.error, self.hint = error.message, error.hint
                return
            self.wrong = {error.field: f"{error.message} {error.hint}"}
            yield rx.call_script(f"document.getElementById({json.dumps(error.field)})?.focus()")
            return
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        shown = await self.get_state(NotificationsState)
        if not shown.testing:
            shown.tested = ""
        told = f"Changed “{name}”." if self.channel else f"Added “{name}”. Send a test, to be sure."
        self.is_open = False
        WATCH.forget()
        yield rx.toast.success(told, id="channel")

    def _save(self, actor: Actor, form: object) -> str:
        services = wiring.current()
        if not self.channel:
            return channels.add_channel(services, actor, read_new(form, self.kind)).name
        change = read_change(form, self.kind, self.filled)
        return channels.change_channel(services, actor, self.channel, change).name
