"""What the entry pages need to know: is somebody signed in already, and does any account exist?"""

from __future__ import annotations

import asyncio
from typing import ClassVar

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import RxbackupError
from rxbackup.operations import sign_in
from rxbackup.ui.addresses import BACKUPS
from rxbackup.ui.session import identify


class EntryState(rx.State):
    """Open to everybody; it knows nothing but whether the first admin is still to be created."""

    PUBLIC: ClassVar[frozenset[str]] = frozenset({"look"})

    first_start: bool = False

    @rx.event
    async def look(self) -> EventSpec | None:
        """Lead those who are signed in to their page."""
        if await asyncio.to_thread(identify, str(self.router.headers.cookie), touch=False) is not None:
            return rx.redirect(BACKUPS, replace=True)
        try:
            self.first_start = await asyncio.to_thread(sign_in.setup_pending, wiring.current())
        except RxbackupError:
            self.first_start = False
        return None
