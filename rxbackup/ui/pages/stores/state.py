"""The stores as they are now, and testing one of them."""

from __future__ import annotations

import logging

import reflex as rx

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import stores
from rxbackup.operations.views import ProbeCheck
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.stores.probing import follow
from rxbackup.ui.pages.stores.rows import CheckLine, StoreCard, check_line, store_card
from rxbackup.ui.session import SessionState, actor_of

logger = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 3.0


class StoresState(rx.State):
    """The cards. `tested` names the store whose test is shown; `testing` says that it still runs."""

    loaded: bool = False
    cards: list[StoreCard] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    all_here: bool = False
    tested: str = ""
    testing: bool = False
    checks: list[CheckLine] = []  # noqa: RUF012
    error: str = ""
    hint: str = ""

    @rx.event(background=True)
    async def watch(self) -> None:
        """Keep the cards true while somebody looks."""
        while True:
            try:
                found = await WATCH.stores.get(wiring.current(), await actor_of(self))
                cards = [store_card(view) for view in found]
                async with self:
                    if self.cards != cards:
                        self.cards = cards
                        self.all_here = all(card.same_server for card in cards)
                    self.loaded = True
            except NotSignedIn:
                async with self:
                    (await self.get_state(SessionState)).ended = True
                return
            except RxbackupError:
                # WatchState says on this page what is away; this loop goes on.
                logger.debug("The stores could not be listed", exc_info=True)
            await WATCH.pause(_LOOK_AGAIN_SECONDS)

    @rx.event
    def forget_test(self) -> None:
        """Take the result of a test off the page."""
        if not self.testing:
            self.tested, self.checks, self.error, self.hint = "", [], "", ""

    @rx.event(background=True)
    async def test(self, name: str) -> None:
        """Try a store out, and show each step as it passes or fails."""
        async with self:
            if self.testing:
                return
            self.tested, self.testing, self.checks = str(name), True, []
            self.error = self.hint = ""
        try:
            actor = await actor_of(self)
            found = await follow(
                lambda on_check: stores.probe_store(wiring.current(), actor, str(name), on_check=on_check), self._show
            )
            await self._show(found.checks)
        except NotSignedIn:
            async with self:
                (await self.get_state(SessionState)).ended = True
        except RxbackupError as error:
            async with self:
                self.error, self.hint = error.message, error.hint
        finally:
            async with self:
                self.testing = False
            WATCH.forget()

    async def _show(self, seen: tuple[ProbeCheck, ...]) -> None:
        async with self:
            self.checks = [check_line(check) for check in seen]
