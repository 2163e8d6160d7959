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

_LONGEST_TOKEN = 200


class EntryState(rx.State):
    """Open to everybody; it knows nothing but whether the first admin is still to be created, and by this link."""

    PUBLIC: ClassVar[frozenset[str]] = frozenset({"look", "look_at_link"})

    first_start: bool = False
    link_looked_at: bool = False
    link_problem: str = ""
    link_hint: str = ""

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

    @rx.event
    async def look_at_link(self) -> EventSpec | None:
        """Say at once that a setup link does not work any more, not after somebody has typed a password."""
        if await asyncio.to_thread(identify, str(self.router.headers.cookie), touch=False) is not None:
            return rx.redirect(BACKUPS, replace=True)
        token = str(self.router.url.query_parameters.get("token", ""))[:_LONGEST_TOKEN]
        self.link_problem = self.link_hint = ""
        try:
            await asyncio.to_thread(sign_in.check_setup_token, wiring.current(), token)
        except RxbackupError as error:
            self.link_problem, self.link_hint = error.message, error.hint
        self.link_looked_at = True
        return None
