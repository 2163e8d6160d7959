"""Download: the dialog's state. A passphrase passes through it on its way to the operation and is never part of it."""

# mypy: disable-error-code="no-any-return"
# Toasts and scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import reflex as rx
from pydantic import SecretStr
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import RxbackupError, UsageError
from rxbackup.operations import downloads
from rxbackup.ui.session import actor_of

_FORMATS = ("json", "sql", "archive")
_CLEAR = "It holds your rows unencrypted: keep it as safe as the database itself."
_SEALED = "It is encrypted: only your key opens it."
_LOCKED = "It is encrypted: your key opens it, and so does the passphrase. Nobody can find a lost passphrase again."


class DownloadState(rx.State):
    """Which backup is to be downloaded, as what, and what was begun."""

    is_open: bool = False
    backup_id: str = ""
    name: str = ""
    format: str = "json"
    sending: bool = False
    error: str = ""
    hint: str = ""
    file: str = ""
    note: str = ""

    @rx.event
    def ask(self, backup_id: str, name: str) -> None:
        """Open the dialog for a backup."""
        self.is_open, self.backup_id, self.name = True, str(backup_id), str(name)
        self.format, self.error, self.hint = _FORMATS[0], "", ""

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close the dialog."""
        if is_open is False:
            self.is_open = False

    @rx.event
    def choose_format(self, format_name: str) -> None:
        """Download it as this."""
        self.format = format_name if format_name in _FORMATS else _FORMATS[0]
        self.error = self.hint = ""

    @rx.event
    async def submit(self, form: dict[str, object]) -> AsyncIterator[EventSpec | None]:
        """Make a one-time link and follow it."""
        self.sending, self.error, self.hint = True, "", ""
        yield None
        try:
            passphrase = _passphrase(form) if self.format == "archive" else None
            link = await asyncio.to_thread(
                downloads.request_link,
                wiring.current(),
                await actor_of(self),
                self.backup_id,
                format_name=self.format,
                passphrase=passphrase,
            )
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        finally:
            self.sending = False
        self.is_open, self.file = False, link.file_name
        self.note = _CLEAR if self.format != "archive" else _LOCKED if passphrase else _SEALED
        # Not rx.redirect: that stays inside the app's own router.
        yield rx.call_script(f"location.assign({json.dumps(link.path)})")

    @rx.event
    def dismiss(self) -> None:
        """Take the note about a download off the page."""
        self.file = ""


def _passphrase(form: object) -> SecretStr | None:
    fields = form if isinstance(form, dict) else {}
    once, again = str(fields.get("passphrase") or ""), str(fields.get("passphrase_again") or "")
    if once != again:
        raise UsageError("The two passphrases are not the same.", hint="Type it twice, the same both times.")
    return SecretStr(once) if once else None
