"""Free up space, bring back the catalogue, remove: the small dialogs' state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import prunes, stores
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.stores.rows import Freeing, freeing
from rxbackup.ui.session import SessionState, actor_of


class TendState(rx.State):
    """Which small dialog is open, and for which store. `kind` is "", free, rebuild or remove."""

    kind: str = ""
    store: str = ""
    unknown: int = 0
    planning: bool = False
    plan: Freeing = Freeing()
    sending: bool = False
    error: str = ""
    hint: str = ""

    @rx.event
    def ask(self, kind: str, store: str) -> EventSpec | None:
        """Open one of the dialogs for a store."""
        if self.sending:
            return None
        self.reset()  # type: ignore[no-untyped-call]
        self.kind = kind if kind in {"free", "rebuild", "remove"} else ""
        self.store = str(store)
        if self.kind == "free":
            self.planning = True
            return TendState.make_plan
        return None

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close whichever is open; what was begun goes on."""
        if is_open is False:
            self.kind = ""

    @rx.event(background=True, supersedes=True)
    async def make_plan(self) -> None:
        """Ask what freeing space would free."""
        async with self:
            store = self.store
        try:
            found = await asyncio.to_thread(prunes.preview_prune, wiring.current(), await actor_of(self), store)
        except NotSignedIn:
            async with self:
                self.reset()  # type: ignore[no-untyped-call]
                (await self.get_state(SessionState)).ended = True
            return
        except RxbackupError as error:
            async with self:
                self.planning, self.error, self.hint = False, error.message, error.hint
            return
        async with self:
            self.planning = False
            self.plan = next((freeing(view) for view in found if view.store == self.store), Freeing())

    @rx.event
    async def free(self) -> AsyncIterator[EventSpec | None]:
        """Begin to free space; its progress stands on the page."""
        self.sending, self.error, self.hint = True, "", ""
        yield None
        try:
            await asyncio.to_thread(prunes.request_prune, wiring.current(), await actor_of(self), self.store)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        self.kind = ""
        WATCH.forget()
        yield rx.toast.success(f"Freeing space in “{self.store}”.", id="free")

    @rx.event
    async def rebuild(self) -> AsyncIterator[EventSpec | None]:
        """Begin to bring the catalogue back from what the store holds; its progress stands on the page."""
        self.sending, self.error, self.hint = True, "", ""
        yield None
        try:
            await asyncio.to_thread(stores.request_rebuild, wiring.current(), await actor_of(self), self.store)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        self.kind = ""
        WATCH.forget()
        yield rx.toast.success(f"Reading what “{self.store}” holds.", id="rebuild")

    @rx.event
    async def remove(self) -> AsyncIterator[EventSpec | None]:
        """Forget the store; nothing in it is deleted."""
        self.sending, self.error, self.hint = True, "", ""
        yield None
        try:
            await asyncio.to_thread(stores.remove_store, wiring.current(), await actor_of(self), self.store)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        self.kind = ""
        WATCH.forget()
        yield rx.toast.success(f"Removed the store “{self.store}”.", id="store")
