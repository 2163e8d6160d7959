"""The restore's state: which step, what is chosen, what a first look says about it.

The address is where the choice lives. Whenever it changes, by a button, by going back or by a reload, `arrive` reads
it and shows its step.
"""

# mypy: disable-error-code="no-any-return,list-item"
# Redirects and scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import BackupNotFound, NotSignedIn, RxbackupError
from rxbackup.operations import backups, restores, undos
from rxbackup.operations.views import NewRestore, RestorePreview
from rxbackup.ui.pages.restore.choice import (
    MODES,
    Choice,
    Contents,
    address,
    asked,
    decided,
    read_choice,
    undoing,
)
from rxbackup.ui.pages.restore.lines import (
    Page,
    PickLine,
    Rows,
    chosen_words,
    how_words,
    paged,
    pick_lines,
    with_live_rows,
)
from rxbackup.ui.pages.restore.picture import Trouble
from rxbackup.ui.pages.restore.preview_state import PreviewState
from rxbackup.ui.pages.restore.run_state import RunState
from rxbackup.ui.pages.restore.steps import StepLine, allowed_step, neighbour, stepper, steps_of
from rxbackup.ui.session import SessionState, actor_of

_FRESH_SECONDS = 30.0
_LONGEST = 200


class WizardState(rx.State):
    """What stands above and below every step, and the first two of them."""

    loaded: bool = False
    missing: bool = False
    error: str = ""
    hint: str = ""
    backup_id: str = ""
    name: str = ""
    at: str = ""
    foreign: bool = False
    restored: str = ""
    step: str = ""
    steps: list[StepLine] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    undo: str = ""
    mode: str = "exact"
    set_aside: bool = False
    maintenance: bool = False
    own: bool = False
    chosen: str = ""
    how: str = ""
    nothing: bool = False
    lines: list[PickLine] = []  # noqa: RUF012
    page: Page = Page()
    search: str = ""
    many: bool = False
    planning: bool = False
    problems: list[Trouble] = []  # noqa: RUF012
    warnings: list[str] = []  # noqa: RUF012
    kept_account: str = ""
    _contents: Contents = Contents()
    _choice: Choice = Choice()
    _rows: dict[str, Rows] = {}  # noqa: RUF012
    _opened: frozenset[str] = frozenset()
    _looked: tuple[NewRestore | None, float] = (None, 0.0)

    @rx.event
    async def arrive(self) -> AsyncIterator[Any]:
        """Show the step that the address names, with the choice that it holds."""
        asked_for = {name: str(value)[:8192] for name, value in self.router.url.query_parameters.items()}
        backup_id = self.router.url.path.rstrip("/").split("/")[-2]
        try:
            await self._open(backup_id, asked_for.get("undo", ""))
        except NotSignedIn:
            (await self.get_state(SessionState)).ended = True
            return
        except BackupNotFound as error:
            self.missing = self.loaded = True
            self.error, self.hint = error.message, error.hint
            return
        except RxbackupError as error:
            self.loaded = True
            self.error, self.hint = error.message, error.hint
            return
        choice = read_choice(asked_for, self._contents)
        if self.undo and "step" not in asked_for:
            choice = undoing(await self._undo_of(), self._contents)
        run, preview = asked_for.get("run", ""), asked_for.get("preview", "")
        self._show_choice(choice)
        self._show_step(asked_for.get("step", ""), run=bool(run))
        self.loaded = True
        seeing = await self.get_state(PreviewState)
        running = await self.get_state(RunState)
        wanted = asked(self._choice, self._contents, self.backup_id)
        to_run = {name: address(self.backup_id, name, self._choice) for name in ("progress", "result")}
        follow: list[Any] = []
        if run:
            then = "" if self.step == "result" else to_run["result"]
            running._follow(run, then)  # noqa: SLF001 - public methods of a state can be called by any browser
            follow = [RunState.watch]
        else:
            look = self.step == "preview" and not self.nothing
            here = address(self.backup_id, self.step, self._choice)
            seeing._begin(wanted, here, preview, look=look)  # noqa: SLF001
            running._ask(replace(wanted, preview=preview or None), self.name, to_run["progress"])  # noqa: SLF001
            follow = [WizardState.look, PreviewState.watch]
        yield None
        for event in follow:
            yield event

    async def _open(self, backup_id: str, undo: str) -> None:
        """Load what the backup holds, once."""
        if self.backup_id == backup_id and self.undo == undo and self._contents.groups:
            return
        self.reset()  # type: ignore[no-untyped-call]
        self.undo = undo
        actor = await actor_of(self)
        if undo:
            found = await self._undo_of()
            self.restored, backup_id = found.restored, found.backup.id
        detail = await asyncio.to_thread(backups.show_backup, wiring.current(), actor, backup_id)
        self.backup_id, self.name, self.at = detail.view.id, detail.view.name, detail.view.when.isoformat()
        self.foreign = detail.view.foreign
        self._contents = Contents(tuple((group.name, group.tables) for group in detail.groups))
        rows: dict[str, int] = {}
        for table in detail.tables:
            rows[table.name] = rows.get(table.name, 0) + table.rows
        self._rows = {name: Rows(count) for name, count in rows.items()}
        self.many = len(self._contents.tables) > 12  # noqa: PLR2004 - fewer are found by looking

    async def _undo_of(self) -> Any:
        return await asyncio.to_thread(undos.show_undo, wiring.current(), await actor_of(self), self.undo)

    def _show_choice(self, choice: Choice) -> None:
        self._choice = choice
        self.mode, self.set_aside = choice.mode, choice.set_aside
        self.maintenance, self.own = choice.maintenance, choice.own
        self.chosen = chosen_words(self._contents, choice)
        self.how = how_words(choice)
        self.nothing = not self._contents.everything - choice.left
        self._list()

    def _show_step(self, wanted: str, *, run: bool) -> None:
        step = allowed_step(wanted, undo=bool(self.undo), run=run)
        if self.nothing and step != "what" and not run:
            step = "what"
        self.step = step
        to = {name: address(self.backup_id, name, self._choice) for name in steps_of(undo=bool(self.undo))}
        self.steps = stepper(step, to, undo=bool(self.undo))

    def _list(self, number: int | None = None) -> None:
        found = pick_lines(self._contents, self._choice, self._rows, opened=self._opened, search=self.search)
        lines, self.page = paged(found, self.page.number if number is None else number)
        if self.lines != lines:
            self.lines = lines

    def _changed(self, choice: Choice) -> list[Any]:
        """Take a choice made on this page; the address follows, and so does a first look."""
        self._show_choice(choice)
        self.planning = not self.nothing
        where = json.dumps(address(self.backup_id, self.step, choice))
        return [rx.call_script(f"history.replaceState(history.state, '', {where})"), WizardState.look]

    @rx.event
    def tick(self, key: str, chosen: bool) -> list[Any]:  # noqa: FBT001 - Reflex passes it by position
        """Restore a group or a table too, or leave it as it is."""
        key = str(key)
        numbers = self._contents.numbers_of(key[1:])
        if key.startswith("t") and key[1:].isdecimal():
            numbers = frozenset({int(key[1:])}) & self._contents.everything
        return self._changed(self._choice.leaving(numbers, chosen=chosen is True))

    @rx.event
    def tick_all(self, chosen: bool) -> list[Any]:  # noqa: FBT001 - Reflex passes it by position
        """Restore everything, or start with nothing."""
        return self._changed(self._choice.leaving(self._contents.everything, chosen=chosen is True))

    @rx.event
    def unfold(self, group: str) -> None:
        """Show a group's tables, or fold them away again."""
        self._opened = self._opened ^ {str(group)}
        self._list()

    @rx.event
    def set_search(self, text: str) -> None:
        """List only tables whose name holds this."""
        self.search = str(text)[:_LONGEST]
        self._list(1)

    @rx.event
    def turn_page(self, by: int) -> None:
        """One page on or back."""
        self._list(self.page.number + (by if isinstance(by, int) and by in {-1, 1} else 0))

    @rx.event
    def choose_mode(self, mode: str) -> list[Any] | None:
        """Exactly as it was, only what is missing, or also what differs."""
        return self._changed(self._choice.by(mode)) if mode in MODES else None

    @rx.event
    def choose_set_aside(self, chosen: bool) -> list[Any]:  # noqa: FBT001 - Reflex passes it by position
        """Leave rows as they are that foreign keys of other tables speak against."""
        return self._changed(replace(self._choice, set_aside=chosen is True))

    @rx.event
    def choose_maintenance(self, chosen: bool) -> list[Any]:  # noqa: FBT001 - Reflex passes it by position
        """Load tables anew, locked meanwhile."""
        return self._changed(replace(self._choice, maintenance=chosen is True and self._choice.mode == "exact"))

    @rx.event
    def choose_own(self, chosen: bool) -> list[Any]:  # noqa: FBT001 - Reflex passes it by position
        """Replace the row of one's own account too."""
        return self._changed(replace(self._choice, own=chosen is True))

    @rx.event
    def go(self, by: int) -> EventSpec:
        """To the next step, or back to the one before."""
        step = neighbour(self.step, 1 if by == 1 else -1, undo=bool(self.undo))
        return rx.redirect(address(self.backup_id, step, self._choice))

    @rx.event
    async def go_confirm(self) -> EventSpec:
        """From the preview to the confirmation, with that preview."""
        seen = (await self.get_state(PreviewState))._ready_job()  # noqa: SLF001 - not for browsers
        return rx.redirect(address(self.backup_id, "confirm", self._choice, preview=seen))

    @rx.event
    async def go_preview(self) -> EventSpec:
        """From the confirmation back to the preview that it rests on."""
        seen = (await self.get_state(PreviewState))._ready_job()  # noqa: SLF001 - not for browsers
        return rx.redirect(address(self.backup_id, "preview", self._choice, preview=seen))

    @rx.event
    async def look_again(self) -> EventSpec:
        """Make the preview anew: the ground has moved."""
        (await self.get_state(PreviewState))._forget()  # noqa: SLF001 - not for browsers
        self._looked = (None, 0.0)
        return rx.redirect(address(self.backup_id, "preview", self._choice))

    @rx.event
    async def decide(self, kind: str, value: str) -> EventSpec:
        """Try a way out of a consequence: the choice changes, and the preview is made with it."""
        choice = decided(self._choice, self._contents, str(kind), str(value))
        (await self.get_state(PreviewState))._forget()  # noqa: SLF001 - not for browsers
        return rx.redirect(address(self.backup_id, "preview", choice))

    @rx.event(background=True, supersedes=True)
    async def look(self) -> None:
        """A first look: counts, and what speaks against it. A newer choice replaces an older one."""
        async with self:
            wanted = asked(self._choice, self._contents, self.backup_id)
            known, at = self._looked
            if self.nothing or (known == wanted and time.monotonic() - at < _FRESH_SECONDS and self.step != "confirm"):
                self.planning = False
                return
            self.planning = True
        try:
            found = await asyncio.to_thread(restores.preview_restore, wiring.current(), await actor_of(self), wanted)
        except NotSignedIn:
            async with self:
                (await self.get_state(SessionState)).ended = True
            return
        except RxbackupError as error:
            async with self:
                self.planning = False
                self.problems = [Trouble(error.message, error.hint)]
            return
        async with self:
            self._take(found)
            self._looked = (wanted, time.monotonic())
            seeing = await self.get_state(PreviewState)
            seeing._compare(found.fingerprint)  # noqa: SLF001 - public methods of a state can be called by any browser

    def _take(self, found: RestorePreview) -> None:
        self._rows = with_live_rows(self._rows, found)
        self.problems = [Trouble(problem.message, problem.hint) for problem in found.problems]
        self.warnings = list(found.warnings)
        self.kept_account = found.kept_account or (self.kept_account if self._choice.own else "")
        self.planning = False
        self._list()
