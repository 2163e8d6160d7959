"""Add store: the dialog's state. Keys pass through it on their way to the operation and are never part of it."""

# mypy: disable-error-code="no-any-return"
# Toasts and scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio

import reflex as rx
from pydantic import SecretStr
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import stores
from rxbackup.operations.views import NewStore, ProbeCheck
from rxbackup.ui import wording
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.stores.probing import follow
from rxbackup.ui.pages.stores.rows import CheckLine, check_line
from rxbackup.ui.pages.stores.tending import TendState
from rxbackup.ui.session import SessionState, actor_of

_KINDS = ("local", "s3")
_STYLES = ("auto", "path", "virtual")


class AddState(rx.State):
    """What the dialog needs beyond the form itself, which lives in the browser until it is sent."""

    is_open: bool = False
    kind: str = "local"
    sending: bool = False
    checks: list[CheckLine] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    error: str = ""
    hint: str = ""

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Open the dialog afresh, or close it; while a store is being tested it stays."""
        if not self.sending:
            self.reset()  # type: ignore[no-untyped-call]
            self.is_open = is_open is True

    @rx.event
    def choose_kind(self, kind: str) -> None:
        """Show the fields of this kind of store."""
        self.kind = kind if kind in _KINDS else _KINDS[0]
        self.checks, self.error, self.hint = [], "", ""

    @rx.event(background=True)
    async def submit(self, form: dict[str, object]) -> EventSpec | None:
        """Test the store and save it if everything passed. Otherwise the dialog stays, with what was typed."""
        async with self:
            if self.sending:
                return None
            self.sending, self.checks, self.error, self.hint = True, [], "", ""
            kind = self.kind
        try:
            new = _read(form, kind)
            actor = await actor_of(self)
            if _ticked(form, "take_over"):
                back = await asyncio.to_thread(stores.rebuild_store, wiring.current(), actor, new.name, new=new)
                unknown, told = 0, f"{wording.plural(back.added, 'backup')} brought back from “{new.name}”."
            else:
                view = await follow(
                    lambda on_check: stores.add_store(wiring.current(), actor, new, on_check=on_check), self._show
                )
                unknown, told = view.unknown_backups, f"Added the store “{new.name}”."
        except NotSignedIn:
            async with self:
                self.sending = False
                (await self.get_state(SessionState)).ended = True
            return None
        except RxbackupError as error:
            async with self:
                self.sending, self.error, self.hint = False, error.message, error.hint
            return None
        async with self:
            self.reset()  # type: ignore[no-untyped-call]
            if unknown:
                tend = await self.get_state(TendState)
                tend.kind, tend.store, tend.unknown = "rebuild", new.name, unknown
        WATCH.forget()
        return rx.toast.success(told, id="store")

    async def _show(self, seen: tuple[ProbeCheck, ...]) -> None:
        async with self:
            self.checks = [check_line(check) for check in seen]


def _read(form: object, kind: str) -> NewStore:
    fields = form if isinstance(form, dict) else {}

    def text(name: str) -> str:
        return str(fields.get(name) or "").strip()

    def secret(name: str) -> SecretStr | None:
        return SecretStr(text(name)) if text(name) else None

    if kind == "local":
        return NewStore(name=text("store_name"), kind=kind, path=text("path"))
    return NewStore(
        name=text("store_name"),
        kind=kind,
        bucket=text("bucket"),
        prefix=text("prefix"),
        region=text("region"),
        endpoint=text("endpoint"),
        access_key=secret("access_key"),
        secret_key=secret("secret_key"),
        session_token=secret("session_token"),
        style=text("style") if text("style") in _STYLES else _STYLES[0],
        allow_http=_ticked(form, "allow_http"),
    )


def _ticked(form: object, name: str) -> bool:
    return isinstance(form, dict) and bool(form.get(name))
