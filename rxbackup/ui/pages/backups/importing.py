"""Import: the dialog's state. The file itself and its passphrase go over HTTP and never come by here."""

# mypy: disable-error-code="no-any-return"
# Toasts and scripts are event specs made by untyped factories.

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec

from rxbackup.ui.pages.backups.watching import WATCH


class ImportState(rx.State):
    """Whether the dialog is open, and whether a file is on its way."""

    is_open: bool = False
    busy: bool = False

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Open or close; a dialog whose file is on its way stays until it was stopped."""
        if is_open is True or not self.busy:
            self.is_open, self.busy = is_open is True, False

    @rx.event
    def set_busy(self, busy: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """A file is on its way, or is not any more."""
        self.busy = busy is True

    @rx.event
    def shut(self) -> None:
        """A page that is loaded anew starts without the dialog."""
        self.is_open = self.busy = False

    @rx.event
    def queued(self, job_id: str) -> EventSpec:
        """The file has arrived; its progress stands on the page like every other."""
        del job_id
        self.is_open = self.busy = False
        WATCH.forget()
        return rx.toast.success("The file has arrived. It is being imported.", id="import")
