"""The exact preview: a run that computes it, and what it found, one page of it at a time."""

# mypy: disable-error-code="no-any-return,list-item"
# Scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import reflex as rx

from rxbackup import wiring
from rxbackup.errors import JobNotFound, NotSignedIn, Refused, RxbackupError
from rxbackup.operations import jobs, previews
from rxbackup.operations.views import JobView, NewRestore, RestorePreview
from rxbackup.ui import wording
from rxbackup.ui.components.changed_rows import ChangedRow
from rxbackup.ui.pages.backups.rows import RunRow, run_row
from rxbackup.ui.pages.restore.lines import Page, paged
from rxbackup.ui.pages.restore.picture import (
    ChangeLine,
    Consequence,
    Drift,
    Sums,
    Trouble,
    Verdict,
    change_lines,
    consequence_lines,
    deed_words,
    drift_lines,
    other_warnings,
    sample_lines,
    sums_of,
    verdict,
)
from rxbackup.ui.session import SessionState, actor_of

_LOOK_SECONDS = 0.5
_LONGEST = 200
_CONFIRMED_TABLES = 12
NO_RUN = RunRow("", "", "", "", -1, 0, 0, 0, "", cancelling=False)


class PreviewState(rx.State):
    """What the preview shows, made `at`. `state` is "" (none yet), running, ready, failed or cancelled."""

    state: str = ""
    at: str = ""
    run: RunRow = NO_RUN
    error: str = ""
    hint: str = ""
    stale: bool = False
    allowed: bool = False
    exact: bool = False
    verdict: Verdict = Verdict()
    sums: Sums = Sums()
    problems: list[Trouble] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    warnings: list[str] = []  # noqa: RUF012
    consequences: list[Consequence] = []  # noqa: RUF012
    drift: list[Drift] = []  # noqa: RUF012
    kept_account: str = ""
    stale_views: str = ""
    lines: list[ChangeLine] = []  # noqa: RUF012
    page: Page = Page()
    search: str = ""
    all_tables: bool = False
    many: bool = False
    opened: str = ""
    samples: list[ChangedRow] = []  # noqa: RUF012
    whole: bool = False
    touched: list[ChangeLine] = []  # noqa: RUF012 - the first tables that change, for the confirmation
    touched_more: str = ""
    deed: str = ""
    _wanted: NewRestore | None = None
    _here: str = ""
    _job: str = ""
    _may_ask: bool = False
    _preview: RestorePreview | None = None

    def _begin(self, wanted: NewRestore, here: str, job: str, *, look: bool) -> None:
        """Show the preview of this choice: the one that is known, that of a run, or a new one if one may `look`."""
        self._here, self._may_ask = here, look
        if self._wanted == wanted and self._preview is not None and job in {"", self._job}:
            return
        if self._wanted != wanted or job != self._job or self.state in {"failed", "cancelled"}:
            self._forget()
            self._here, self._may_ask = here, look
            self._wanted, self._job = wanted, job
        self.state = "running" if job or look else ""

    def _forget(self) -> None:
        self.reset()  # type: ignore[no-untyped-call]

    def _ready_job(self) -> str:
        return self._job if self._preview is not None else ""

    def _compare(self, fingerprint: str) -> None:
        """Find out whether the ground has moved since."""
        self.stale = self._preview is not None and self._preview.fingerprint != fingerprint

    @rx.event(background=True)
    async def watch(self) -> AsyncIterator[Any]:
        """Have the preview computed, show how far it is, then show it."""
        async with self:
            job, wanted, may_ask = self._job, self._wanted, self._may_ask
            if self._preview is not None or wanted is None or not (job or may_ask):
                return
        try:
            found = await self._known(job) if job else None
            if found is None and may_ask:
                queued = await asyncio.to_thread(
                    previews.request_preview, wiring.current(), await actor_of(self), wanted
                )
                job, found = queued.id, queued
                async with self:
                    self._job = job
                    where = json.dumps(f"{self._here}&preview={job}")
                yield rx.call_script(f"history.replaceState(history.state, '', {where})")
            while found is not None and found.is_active:
                row = run_row(found, datetime.now(UTC))
                async with self:
                    if self.run != row:
                        self.run = row
                await asyncio.sleep(_LOOK_SECONDS)
                found = await self._known(job)
            await self._end(job, found)
        except NotSignedIn:
            async with self:
                (await self.get_state(SessionState)).ended = True
        except RxbackupError as error:
            async with self:
                self.state, self.error, self.hint = "failed", error.message, error.hint

    async def _known(self, job: str) -> JobView | None:
        try:
            return await asyncio.to_thread(jobs.show_job, wiring.current(), await actor_of(self), job)
        except JobNotFound:
            return None

    async def _end(self, job: str, found: JobView | None) -> None:
        if found is None or found.state == "cancelled":
            async with self:
                self.state = "cancelled"
            return
        preview = await asyncio.to_thread(previews.show_preview, wiring.current(), await actor_of(self), job)
        if preview is None:
            raise Refused("The preview did not come to its end.", hint="Look again.")
        async with self:
            self._take(preview)
            self.at = wording.iso(found.finished_at)

    def _take(self, preview: RestorePreview) -> None:
        self._preview = preview
        self.state, self.error, self.hint, self.run = "ready", "", "", NO_RUN
        self.allowed = preview.allowed
        self.exact = preview.is_exact and all(table.change for table in preview.tables)
        self.verdict, self.sums = verdict(preview), sums_of(preview)
        self.problems = [Trouble(problem.message, problem.hint) for problem in preview.problems]
        self.warnings = other_warnings(preview)
        self.consequences, self.drift = consequence_lines(preview), drift_lines(preview)
        self.kept_account = preview.kept_account
        self.stale_views = wording.listed(preview.stale_views) if preview.stale_views else ""
        self.many = len(preview.tables) > 12  # noqa: PLR2004 - fewer are found by looking
        self.all_tables = not self.exact or not self.sums.tables
        undo = bool(self._wanted and self._wanted.undoes)
        self.deed = deed_words(preview, groups=len(preview.groups), undo=undo)
        changing = [one for one in change_lines(preview, all_tables=False) if one.kind == "table"]
        self.touched = changing[:_CONFIRMED_TABLES]
        rest = len(changing) - len(self.touched)
        self.touched_more = f"and {wording.plural(rest, 'more table')}" if rest else ""
        self._list(1)

    def _list(self, number: int) -> None:
        if self._preview is None:
            return
        found = change_lines(self._preview, all_tables=self.all_tables, search=self.search)
        self.lines, self.page = paged(found, number)

    @rx.event
    def set_search(self, text: str) -> None:
        """List only tables whose name or group holds this."""
        self.search = str(text)[:_LONGEST]
        self._list(1)

    @rx.event
    def show_all(self, all_tables: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """List the tables that need no change as well, or only the others."""
        self.all_tables = all_tables is True
        self._list(1)

    @rx.event
    def turn_page(self, by: int) -> None:
        """One page on or back."""
        self._list(self.page.number + (by if isinstance(by, int) and by in {-1, 1} else 0))

    @rx.event
    def unfold(self, table: str) -> None:
        """Show sample rows of a table, or fold them away again."""
        self.opened = "" if self.opened == table else str(table)
        self._show_samples()

    @rx.event
    def show_whole(self, whole: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Show all columns of the sample rows, or only those that matter."""
        self.whole = whole is True
        self._show_samples()

    def _show_samples(self) -> None:
        found = self._preview
        self.samples = sample_lines(found, self.opened, whole=self.whole) if found and self.opened else []

    @rx.event
    async def cancel(self) -> None:
        """Stop computing."""
        async_job = self._job
        if not async_job:
            return
        try:
            await asyncio.to_thread(jobs.cancel_job, wiring.current(), await actor_of(self), async_job)
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
