"""Restore: the dialog's state. A plan first, always; it is asked for again whenever a group is ticked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import restores, undos
from rxbackup.operations.views import NewRestore, RestorePreview
from rxbackup.ui import wording
from rxbackup.ui.pages.backups.watching import WATCH
from rxbackup.ui.session import SessionState, actor_of

MODES = ("exact", "missing", "changed")


@dataclass(frozen=True)
class PlanRow:
    """One group of the plan: rows in the backup, rows there now, and whether it is to be restored."""

    name: str
    backup_rows: int
    live_rows: int
    estimated: bool
    tables: int
    chosen: bool


@dataclass(frozen=True)
class Trouble:
    """Why the plan cannot be carried out, and what would help."""

    message: str
    hint: str


class RestoreState(rx.State):
    """What the dialog shows."""

    is_open: bool = False
    backup_id: str = ""
    name: str = ""
    at: str = ""
    planning: bool = False
    plan: list[PlanRow] = []  # noqa: RUF012
    problems: list[Trouble] = []  # noqa: RUF012
    warnings: list[str] = []  # noqa: RUF012
    chosen_words: str = ""
    chosen_count: int = 0
    table_count: int = 0
    backup_row_count: int = 0
    live_row_count: int = 0
    allowed: bool = False
    mode: str = "exact"
    undoes: str = ""
    foreign: bool = False
    trusted: bool = False
    typed: str = ""
    sending: bool = False
    error: str = ""
    hint: str = ""
    _groups: tuple[str, ...] | None = None
    _skip: tuple[str, ...] = ()

    @rx.event
    def ask(self, backup_id: str, name: str, at: str) -> EventSpec:
        """Open the dialog for a backup and plan the restore of all its groups."""
        self.reset()  # type: ignore[no-untyped-call]
        self.backup_id, self.name, self.at = str(backup_id), str(name), str(at)
        self.is_open = self.planning = True
        return RestoreState.make_plan

    @rx.event
    async def ask_undo(self, job: str) -> EventSpec | None:
        """Open the dialog for the undoing of a restore: its safety backup, and the groups that were restored then."""
        self.reset()  # type: ignore[no-untyped-call]
        self.is_open = self.planning = True
        try:
            undo = await asyncio.to_thread(undos.show_undo, wiring.current(), await actor_of(self), str(job))
        except RxbackupError as error:
            self.planning = False
            self.error, self.hint = error.message, error.hint
            return None
        self.undoes, self._groups, self._skip = undo.job, undo.groups, undo.skip
        self.backup_id, self.name, self.at = undo.backup.id, undo.backup.name, undo.backup.when.isoformat()
        return RestoreState.make_plan

    @rx.event
    def choose_mode(self, mode: str) -> None:
        """Exactly as it was, only what is missing, or also what differs."""
        if mode in MODES:
            self.mode = mode

    @rx.event
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Close the dialog."""
        if is_open is False:
            self.reset()  # type: ignore[no-untyped-call]

    @rx.event
    def choose(self, group: str, chosen: bool) -> EventSpec:  # noqa: FBT001 - Reflex passes it by position
        """Restore this group too, or skip it."""
        self.plan = [replace(row, chosen=chosen is True) if row.name == group else row for row in self.plan]
        self.planning = True
        self._count()
        return RestoreState.make_plan

    @rx.event
    def type_name(self, text: str) -> None:
        """What was typed to confirm."""
        self.typed = str(text)[:255]

    @rx.event
    def trust(self, trusted: bool) -> None:  # noqa: FBT001 - Reflex passes it by position
        """Whether one trusts a backup that another key has signed."""
        self.trusted = trusted is True

    @rx.event(background=True, supersedes=True)
    async def make_plan(self) -> None:
        """Ask what would happen; a newer question replaces an older one."""
        async with self:
            wanted = self._wanted()
            nothing = bool(self.plan) and not any(row.chosen for row in self.plan)
        if nothing:
            async with self:
                self.planning = self.allowed = False
                self.problems, self.warnings = [], []
            return
        try:
            preview = await asyncio.to_thread(restores.preview_restore, wiring.current(), await actor_of(self), wanted)
        except NotSignedIn:
            async with self:
                self.reset()  # type: ignore[no-untyped-call]
                (await self.get_state(SessionState)).ended = True
            return
        except RxbackupError as error:
            async with self:
                self.planning = self.allowed = False
                self.error, self.hint = error.message, error.hint
            return
        async with self:
            self._take(preview, set(wanted.skip))

    def _wanted(self) -> NewRestore:
        unticked = tuple(row.name for row in self.plan if not row.chosen)
        return NewRestore(
            self.backup_id,
            groups=self._groups,
            skip=tuple(dict.fromkeys((*self._skip, *unticked))),
            mode=self.mode,
            undoes=self.undoes or None,
        )

    def _take(self, preview: RestorePreview, skipped: set[str]) -> None:
        estimated = {table.group for table in preview.tables if table.live_rows_estimated}
        fresh = {
            group.name: PlanRow(
                group.name, group.backup_rows, group.live_rows, group.name in estimated, group.tables, chosen=True
            )
            for group in preview.groups
        }
        # A plan speaks only of what it would touch; skipped groups keep the numbers they had.
        kept = [replace(fresh.get(row.name, row), chosen=row.name not in skipped) for row in self.plan]
        self.plan = kept or list(fresh.values())
        self.problems = [Trouble(problem.message, problem.hint) for problem in preview.problems]
        self.warnings = list(preview.warnings)
        self.allowed, self.planning = preview.allowed, False
        self.foreign = preview.backup.foreign
        self.error = self.hint = ""
        self._count()

    def _count(self) -> None:
        chosen = [row for row in self.plan if row.chosen]
        self.chosen_count = len(chosen)
        self.chosen_words = wording.plural(len(chosen), "group")
        self.table_count = sum(row.tables for row in chosen)
        self.backup_row_count = sum(row.backup_rows for row in chosen)
        self.live_row_count = sum(row.live_rows for row in chosen)

    @rx.event
    async def submit(self) -> AsyncIterator[EventSpec | None]:
        """Ask for the restore. The operation checks the typed name again."""
        if not self.allowed or self.planning:
            return
        self.sending, self.error, self.hint = True, "", ""
        yield None
        # An undo gives back what this page took: it asks for a click, not for a name.
        typed = self.name if self.undoes else self.typed
        wanted = replace(self._wanted(), confirm_name=typed, trust_foreign=self.trusted)
        try:
            await asyncio.to_thread(restores.request_restore, wiring.current(), await actor_of(self), wanted)
        except RxbackupError as error:
            self.sending, self.error, self.hint = False, error.message, error.hint
            return
        doing = "Undoing the restore" if self.undoes else f"Restoring “{self.name}”"
        self.reset()  # type: ignore[no-untyped-call]
        WATCH.forget()
        yield rx.toast.success(f"{doing}. A safety backup is taken first.", id="restore")
