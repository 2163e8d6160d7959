"""What is compared, and what came out. The address holds both sides and the table that is open."""

# mypy: disable-error-code="no-any-return,list-item"
# Redirects are event specs made by untyped factories.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import backups, comparisons, jobs
from rxbackup.operations.views import BackupQuery, BackupView, ComparisonView, JobView, RowComparison
from rxbackup.ui import wording
from rxbackup.ui.addresses import compare_address
from rxbackup.ui.components.changed_rows import ChangedRow, changed_row
from rxbackup.ui.pages.backups.rows import RunRow, run_row
from rxbackup.ui.pages.compare.lines import (
    CHANGES,
    DifferenceLine,
    Outcome,
    Side,
    difference_lines,
    outcome_of,
    sides_of,
)
from rxbackup.ui.pages.restore.lines import Page, paged
from rxbackup.ui.session import SessionState, actor_of

_LOOK_SECONDS = 0.5
_LONGEST = 255
_MANY = 12
_ROWS = 20
_CUT = 300
_NO_RUN = RunRow("", "", "", "", -1, 0, 0, 0, "", cancelling=False)
NOW = comparisons.NOW


class CompareState(rx.State):
    """The page's state. `state` is "" (nothing compared yet), running, ready or failed."""

    loaded: bool = False
    error: str = ""
    hint: str = ""
    sides: list[Side] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    before: str = ""
    after: str = NOW
    state: str = ""
    run: RunRow = _NO_RUN
    at: str = ""
    outcome: Outcome = Outcome()
    notes: list[str] = []  # noqa: RUF012
    lines: list[DifferenceLine] = []  # noqa: RUF012
    page: Page = Page()
    search: str = ""
    many: bool = False
    opened: str = ""
    change: str = ""
    rows: list[ChangedRow] = []  # noqa: RUF012
    rows_words: str = ""
    rows_error: str = ""
    rows_hint: str = ""
    first_row: int = 0
    more_rows: bool = False
    looking: bool = False
    whole: bool = False
    _asked: tuple[str, str] = ("", NOW)
    """The sides chosen last, which the page may not have come to yet: who chooses both quickly means both."""
    _rows: tuple[RowComparison, ...] = ()
    _found: ComparisonView | None = None
    _job: str = ""

    @rx.event
    async def arrive(self) -> AsyncIterator[Any]:
        """Take the sides from the address, and show what is known of them."""
        asked = self.router.url.query_parameters
        before, after = str(asked.get("a", ""))[:_LONGEST], str(asked.get("b", NOW))[:_LONGEST] or NOW
        try:
            await self._arrive(before, after)
        except NotSignedIn:
            (await self.get_state(SessionState)).ended = True
            return
        except RxbackupError as error:
            self.loaded, self.state = True, "failed"
            self.error, self.hint = error.message, error.hint
            return
        self.loaded = True
        yield None
        if self._job:
            yield CompareState.watch

    async def _arrive(self, before: str, after: str) -> None:
        actor = await actor_of(self)
        services = wiring.current()
        query = BackupQuery(state="complete", per_page=50)
        newest = (await asyncio.to_thread(backups.list_backups, services, actor, query)).items
        if not before and newest:
            before = newest[0].id
        wanted = [one for one in (before, after) if one and one != NOW and one not in {view.id for view in newest}]
        chosen: list[BackupView] = []
        for one in wanted:
            chosen.append((await asyncio.to_thread(backups.show_backup, services, actor, one)).view)  # noqa: PERF401
        if (self.before, self.after) != (before, after) or self.state == "failed":
            self.reset()  # type: ignore[no-untyped-call]
            self.before, self.after = before, after
        self._asked = (before, after)
        self.sides = sides_of(newest, chosen)
        if self._found is None and before and before != after:
            job = await asyncio.to_thread(comparisons.latest_comparison, services, actor, before, after)
            if job is not None:
                self._job, self.state = job.id, "running"

    @rx.event
    def choose_before(self, backup_id: str) -> EventSpec:
        """Compare from another backup on."""
        return self._ask(str(backup_id)[:_LONGEST], self._asked[1])

    @rx.event
    def choose_after(self, backup_id: str) -> EventSpec:
        """Compare with another backup, or with now."""
        return self._ask(self._asked[0], str(backup_id)[:_LONGEST])

    def _ask(self, before: str, after: str) -> EventSpec:
        self._asked = (before, after)
        return rx.redirect(compare_address(before, after))

    @rx.event
    def swap(self) -> EventSpec | None:
        """Look the other way round."""
        return None if self.after == NOW else rx.redirect(compare_address(self.after, self.before))

    @rx.event
    async def begin(self) -> AsyncIterator[Any]:
        """Have it compared."""
        self.error = self.hint = ""
        try:
            job = await asyncio.to_thread(
                comparisons.request_compare, wiring.current(), await actor_of(self), self.before, self.after
            )
        except RxbackupError as error:
            self.state, self.error, self.hint = "failed", error.message, error.hint
            return
        self._job, self._found, self.state = job.id, None, "running"
        self.run = run_row(job, datetime.now(UTC))
        self.opened, self.rows = "", []
        yield None
        yield CompareState.watch

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> None:
        """Show how far it is, then what came out."""
        async with self:
            job = self._job
        try:
            while (found := await self._look(job)).is_active:
                row = run_row(found, datetime.now(UTC))
                async with self:
                    if self._job != job:
                        return
                    if self.run != row:
                        self.run = row
                await asyncio.sleep(_LOOK_SECONDS)
            if found.state == "cancelled":
                async with self:
                    self.state, self._job = "", ""
                return
            if found.error is not None:
                async with self:
                    self.state, self.error, self.hint = "failed", found.error.message, found.error.hint
                return
            view = await asyncio.to_thread(comparisons.show_comparison, wiring.current(), await actor_of(self), job)
            async with self:
                self._take(view)
        except NotSignedIn:
            async with self:
                (await self.get_state(SessionState)).ended = True
        except RxbackupError as error:
            async with self:
                self.state, self.error, self.hint = "failed", error.message, error.hint

    async def _look(self, job: str) -> JobView:
        return await asyncio.to_thread(jobs.show_job, wiring.current(), await actor_of(self), job)

    def _take(self, found: ComparisonView) -> None:
        self._found = found
        self.state, self.error, self.hint, self.run = "ready", "", "", _NO_RUN
        self.at = wording.iso(found.at)
        self.outcome, self.notes = outcome_of(found), list(found.notes)
        self.many = len(found.tables) > _MANY
        self._list(1)

    def _list(self, number: int) -> None:
        if self._found is not None:
            self.lines, self.page = paged(difference_lines(self._found, self.search), number)

    @rx.event
    async def cancel(self) -> None:
        """Stop comparing."""
        if not self._job:
            return
        try:
            await asyncio.to_thread(jobs.cancel_job, wiring.current(), await actor_of(self), self._job)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint

    @rx.event
    def set_search(self, text: str) -> None:
        """List only tables whose name or group holds this."""
        self.search = str(text)[:_LONGEST]
        self._list(1)

    @rx.event
    def turn_page(self, by: int) -> None:
        """One page on or back."""
        self._list(self.page.number + (by if isinstance(by, int) and by in {-1, 1} else 0))

    @rx.event
    def unfold(self, table: str) -> list[Any] | None:
        """Show the rows of a table that differ, or fold them away again."""
        self.opened = "" if self.opened == table else str(table)
        return self._begin_rows("", 0) if self.opened else None

    @rx.event
    def show_change(self, change: str) -> list[Any] | None:
        """Show only rows that were added, changed or removed; "" for all."""
        return self._begin_rows(change if change in CHANGES else "", 0) if self.opened else None

    @rx.event
    def turn_rows(self, by: int) -> list[Any] | None:
        """The next rows, or those before."""
        if not self.opened or by not in {-1, 1}:
            return None
        return self._begin_rows(self.change, max(0, self.first_row + by * _ROWS))

    @rx.event
    def show_whole(self, whole: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Show all columns of the rows, or only those that tell them."""
        self.whole = whole is True
        self._draw_rows()

    def _draw_rows(self) -> None:
        self.rows = [
            changed_row(str(self.first_row + number), row.change, row.fields, whole=self.whole)
            for number, row in enumerate(self._rows)
        ]

    def _begin_rows(self, change: str, first: int) -> list[Any]:
        self.change, self.first_row = change, first
        self.rows, self._rows, self.rows_words, self.rows_error, self.rows_hint = [], (), "", "", ""
        self.more_rows, self.looking = False, True
        return [CompareState.look_at_rows]

    @rx.event(background=True, supersedes=True)
    async def look_at_rows(self) -> None:
        """Find the rows of the table that is open."""
        async with self:
            asked = (self.before, self.after, self.opened)
            change, first = self.change, self.first_row
        try:
            found = await asyncio.to_thread(
                comparisons.compare_rows,
                wiring.current(),
                await actor_of(self),
                *asked,
                change=change or None,
                skip=first,
                limit=_ROWS,
                cut=_CUT,
            )
        except NotSignedIn:
            async with self:
                (await self.get_state(SessionState)).ended = True
            return
        except RxbackupError as error:
            async with self:
                self.looking, self.rows_error, self.rows_hint = False, error.message, error.hint
            return
        async with self:
            if asked != (self.before, self.after, self.opened) or (change, first) != (self.change, self.first_row):
                return
            self._rows = found.rows
            self._draw_rows()
            self.more_rows, self.looking = found.more, False
            last = wording.number(first + len(found.rows))
            self.rows_words = f"{wording.number(first + 1)}–{last}" if found.rows else "No such row"
