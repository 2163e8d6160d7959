"""The channels and messages as they are now, testing a channel, letting it rest."""

# mypy: disable-error-code="no-any-return"
# Toasts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import logging

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import channels
from rxbackup.operations.views.channels import ChannelChange, ChannelView, MessageView
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.notifications.rows import (
    MESSAGES_PER_PAGE,
    ChannelCard,
    MessageLine,
    channel_card,
    handed_over,
    message_line,
    nobody_hears,
)
from rxbackup.ui.session import SessionState, actor_of

logger = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 3.0


class NotificationsState(rx.State):
    """The cards, and a page of messages. `tested` names the channel whose test is shown, `sent` what came of it."""

    loaded: bool = False
    cards: list[ChannelCard] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    deaf: bool = False
    lines: list[MessageLine] = []  # noqa: RUF012
    total: int = 0
    page: int = 1
    pages: int = 1
    tested: str = ""
    testing: bool = False
    sent: str = ""
    error: str = ""
    hint: str = ""
    failure: str = ""
    failure_hint: str = ""

    @rx.event(background=True)
    async def watch(self) -> None:
        """Keep the page true while somebody looks."""
        while True:
            try:
                actor = await actor_of(self)
                async with self:
                    page = self.page
                found = await WATCH.channels.get(wiring.current(), actor)
                messages = await WATCH.messages.get(wiring.current(), actor)
                async with self:
                    self._take(found, messages, page)
            except NotSignedIn:
                async with self:
                    (await self.get_state(SessionState)).ended = True
                return
            except RxbackupError:
                # WatchState says on this page what is away; this loop goes on.
                logger.debug("The channels could not be listed", exc_info=True)
            await WATCH.pause(_LOOK_AGAIN_SECONDS)

    def _take(self, found: tuple[ChannelView, ...], messages: tuple[MessageView, ...], page: int) -> None:
        cards, resting = [channel_card(view) for view in found], {view.name for view in found if not view.active}
        if self.cards != cards:
            self.cards, self.deaf = cards, nobody_hears(found)
        self.total, self.loaded = len(messages), True
        self.pages = max(1, -(-len(messages) // MESSAGES_PER_PAGE))
        if self.page != page:
            return  # turned meanwhile: the next look brings it
        self.page = page = min(page, self.pages)
        shown = messages[(page - 1) * MESSAGES_PER_PAGE : page * MESSAGES_PER_PAGE]
        lines = [message_line(view, resting) for view in shown]
        if self.lines != lines:
            self.lines = lines

    @rx.event
    def turn_page(self, by: int) -> None:
        """One page on or back among the messages."""
        self.page = max(1, min(self.pages, self.page + (by if by in {-1, 1} else 0)))
        WATCH.forget()

    @rx.event
    def forget_test(self) -> None:
        """Take the result of a test off the page."""
        if not self.testing:
            self.tested = self.sent = self.error = self.hint = ""

    @rx.event(background=True)
    async def test(self, name: str) -> None:
        """Send something there now, and say on the page what came of it."""
        async with self:
            if self.testing:
                return
            self.tested, self.testing = str(name), True
            self.sent = self.error = self.hint = ""
        try:
            actor = await actor_of(self)
            view = await asyncio.to_thread(channels.try_channel, wiring.current(), actor, str(name))
            async with self:
                self.sent = handed_over(view)
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

    @rx.event
    async def pause(self, name: str) -> EventSpec | None:
        """Let a channel rest; its settings stay."""
        return await self._rest(str(name), active=False, told="Paused “{}”. It hears nothing until it goes on.")

    @rx.event
    async def resume(self, name: str) -> EventSpec | None:
        """Let a channel go on."""
        return await self._rest(str(name), active=True, told="“{}” goes on.")

    async def _rest(self, name: str, *, active: bool, told: str) -> EventSpec | None:
        self.failure = self.failure_hint = ""
        change = ChannelChange(active=active)
        try:
            await asyncio.to_thread(channels.change_channel, wiring.current(), await actor_of(self), name, change)
        except RxbackupError as error:
            self.failure, self.failure_hint = f"“{name}”: {error.message}", error.hint
            return None
        WATCH.forget()
        return rx.toast.success(told.format(name), id="channel")

    @rx.event
    def dismiss(self) -> None:
        """Take a failure off the page once it was read."""
        self.failure = self.failure_hint = ""
