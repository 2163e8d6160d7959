"""The confirmation, the restore while it runs, and what came of it."""

# mypy: disable-error-code="no-any-return,list-item"
# Redirects are event specs made by untyped factories.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import reflex as rx

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, PlanRefused, RxbackupError
from rxbackup.operations import jobs, restores, undos
from rxbackup.operations.views import JobView, NewRestore
from rxbackup.ui.pages.backups.rows import RunRow, run_row
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.pages.restore.lines import Page, paged
from rxbackup.ui.pages.restore.outcome import Result, ResultLine, WayBack, result_lines, result_of, way_back
from rxbackup.ui.pages.restore.preview_state import NO_RUN
from rxbackup.ui.session import SessionState, actor_of

_LOOK_SECONDS = 0.7
_SHOWN_LINES = 50


class RunState(rx.State):
    """From the typed name to the result.

    Attributes:
        refused: it was refused because of its plan: only another look helps.
        state: "" (nothing was asked for), running, succeeded, failed, cancelled or interrupted.
    """

    typed: str = ""
    trusted: bool = False
    sending: bool = False
    error: str = ""
    hint: str = ""
    refused: bool = False
    state: str = ""
    run_id: str = ""
    run: RunRow = NO_RUN
    result: Result = Result()
    back: WayBack = WayBack()
    lines: list[ResultLine] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    page: Page = Page()
    _wanted: NewRestore | None = None
    _name: str = ""
    _next: str = ""
    _all: list[ResultLine] = []  # noqa: RUF012

    def _ask(self, wanted: NewRestore, name: str, then: str) -> None:
        """Stand ready for the yes to this choice; `then` is where its progress will be."""
        if self._wanted != wanted or self.run_id:
            self.reset()  # type: ignore[no-untyped-call]
        self._wanted, self._name, self._next = wanted, name, then

    def _follow(self, run: str, then: str) -> None:
        """Follow a run that was asked for; `then` is where its result will be, "" if one is there already."""
        if self.run_id != run:
            self.reset()  # type: ignore[no-untyped-call]
            self.run_id, self.state = run, "running"
        self._next = then

    @rx.event
    def type_name(self, text: str) -> None:
        """What was typed to confirm."""
        self.typed = str(text)[:255]

    @rx.event
    def trust(self, trusted: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Whether one trusts a backup that another key has signed."""
        self.trusted = trusted is True

    @rx.event
    async def submit(self) -> AsyncIterator[Any]:
        """Ask for the restore. The operation checks the typed name again."""
        if self._wanted is None or self.sending:
            return
        self.sending, self.error, self.hint, self.refused = True, "", "", False
        yield None
        # An undo gives back what was there: it asks for a click, not for a name.
        typed = self._name if self._wanted.undoes else self.typed
        wanted = replace(self._wanted, confirm_name=typed, trust_foreign=self.trusted)
        try:
            job = await asyncio.to_thread(restores.request_restore, wiring.current(), await actor_of(self), wanted)
        except RxbackupError as error:
            self.error, self.hint, self.refused = error.message, error.hint, isinstance(error, PlanRefused)
            return
        finally:
            self.sending = False
        WATCH.forget()
        yield rx.redirect(f"{self._next}&run={job.id}")

    @rx.event(background=True)
    async def watch(self) -> AsyncIterator[Any]:
        """Show how far the restore is; when it is done, its result."""
        async with self:
            run, then = self.run_id, self._next
        try:
            while run:
                job = await asyncio.to_thread(jobs.show_job, wiring.current(), await actor_of(self), run)
                if not job.is_active:
                    break
                row = replace(run_row(job, datetime.now(UTC)), href="")  # it is here already
                async with self:
                    if self.run != row:
                        self.run = row
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                return
            back = await self._way_back(job)
            async with self:
                self._end(job, back)
        except NotSignedIn:
            async with self:
                (await self.get_state(SessionState)).ended = True
            return
        except RxbackupError as error:
            async with self:
                self.state, self.error, self.hint = "failed", error.message, error.hint
            return
        if job.state == "succeeded" and then:
            WATCH.forget()
            yield rx.redirect(f"{then}&run={run}", replace=True)

    async def _way_back(self, job: JobView) -> WayBack:
        if job.state != "succeeded":
            return WayBack()
        try:
            undo = await asyncio.to_thread(undos.show_undo, wiring.current(), await actor_of(self), job.id)
        except RxbackupError as error:
            return WayBack(closed=error.message)
        return way_back(undo)

    def _end(self, job: JobView, back: WayBack) -> None:
        self.state, self.run, self.back = job.state, NO_RUN, back
        if job.error:
            self.error, self.hint = job.error.message, job.error.hint
            self.refused = job.error.code == PlanRefused().code
        if job.state == "succeeded":
            self.result = result_of(job)
            self._all = result_lines(job.result.get("tables") or {})
            self.lines, self.page = paged(self._all, 1, _SHOWN_LINES)

    @rx.event
    def turn_page(self, by: int) -> None:
        """One page of the result on or back."""
        step = by if isinstance(by, int) and by in {-1, 1} else 0
        self.lines, self.page = paged(self._all, self.page.number + step, _SHOWN_LINES)

    @rx.event
    async def cancel(self) -> None:
        """Stop the restore: until it commits, nothing is changed."""
        if not self.run_id:
            return
        try:
            await asyncio.to_thread(jobs.cancel_job, wiring.current(), await actor_of(self), self.run_id)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
