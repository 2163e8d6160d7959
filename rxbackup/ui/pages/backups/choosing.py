"""Delete, verify and copy: the small dialogs' state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import RxbackupError
from rxbackup.operations import backups, copies, trash, verifications
from rxbackup.operations.views import BackupDetail
from rxbackup.ui import addresses, wording
from rxbackup.ui.pages.backups.listing import BackupsState
from rxbackup.ui.pages.backups.rows import StoreChoice, store_choice
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.trash.state import TrashState
from rxbackup.ui.session import actor_of

_LEVELS = ("contents", "structure", "drill")
# Bytes of rows as text in a second, on a small machine: better a pleasant surprise than a long wait.
_OPENED_A_SECOND, _RESTORED_A_SECOND = 60_000_000, 8_000_000
_FEW_SECONDS = 5.0


class ChoiceState(rx.State):
    """Which small dialog is open, and for which backup. `kind` is "", delete, check or copy."""

    kind: str = ""
    backup_id: str = ""
    name: str = ""
    known: bool = False
    complete: bool = True
    trash_days: int = 0
    frees_bytes: int = 0
    places: str = ""
    opening_takes: str = ""
    restoring_takes: str = ""
    targets: list[StoreChoice] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    sending: bool = False
    error: str = ""
    hint: str = ""

    @rx.event
    async def ask(self, kind: str, backup_id: str, name: str) -> AsyncIterator[None]:
        """Open a dialog at once, and fill in what it has to say."""
        self.reset()  # type: ignore[no-untyped-call]
        self.kind = kind if kind in {"delete", "check", "copy"} else ""
        self.backup_id, self.name = str(backup_id), str(name)
        yield None
        try:
            actor = await actor_of(self)
            detail = await asyncio.to_thread(backups.show_backup, wiring.current(), actor, self.backup_id)
            stores = await WATCH.stores.get(wiring.current(), actor)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        self._take(detail)
        taken = {place.store for place in detail.view.places if place.state != "failed"}
        self.targets = [store_choice(store) for store in stores if store.name not in taken]

    def _take(self, detail: BackupDetail) -> None:
        view = detail.view
        self.frees_bytes, self.complete = detail.frees_bytes, view.state == "complete"
        self.trash_days = wiring.current().settings.trash_days
        names = [f"“{place.store}”" for place in view.places]
        self.places = f"the store{'s' if len(names) > 1 else ''} {wording.listed(names)}"
        self.opening_takes = _about(view.raw_bytes / _OPENED_A_SECOND)
        self.restoring_takes = _about(view.raw_bytes / _RESTORED_A_SECOND)
        self.known = True

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close whichever is open."""
        if is_open is False:
            self.kind = ""

    @rx.event
    async def delete(self) -> AsyncIterator[EventSpec | None]:
        """Move to the trash. The row fades at once and comes back with the reason if it could not be deleted."""
        table = await self.get_state(BackupsState)
        backup_id, name, self.kind = self.backup_id, self.name, ""
        table.going = [*table.going, backup_id]
        table.failure = table.failure_hint = ""
        yield None
        try:
            view = await asyncio.to_thread(trash.trash_backup, wiring.current(), await actor_of(self), backup_id)
        except RxbackupError as error:
            table.going = [one for one in table.going if one != backup_id]
            table.failure, table.failure_hint = f"“{name}” was not deleted: {error.message}", error.hint
            return
        WATCH.forget()
        if view.trash_until is None:
            yield rx.toast.success(f"Deleted “{name}”.", id="delete")
        else:
            (await self.get_state(TrashState))._offer_undo(view)  # noqa: SLF001 - not for browsers
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
    async def copy(self, form: dict[str, object]) -> AsyncIterator[EventSpec | None]:
        """Queue the copy to a further store."""
        store = str(form.get("target") or "") if isinstance(form, dict) else ""
        self.sending, self.error, self.hint = True, "", ""
        yield None
        try:
            await asyncio.to_thread(copies.request_copy, wiring.current(), await actor_of(self), self.backup_id, store)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        self.kind = ""
        WATCH.forget()
        yield rx.toast.success(f"Copying “{self.name}” to “{store}”.", id="copy")


def _about(seconds: float) -> str:
    """How long something takes, as the end of a sentence."""
    return "a few seconds" if seconds < _FEW_SECONDS else f"about {wording.span(seconds)}"
