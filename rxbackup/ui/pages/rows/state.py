"""Which rows of a backup are shown. The address holds table and conditions, so it can be passed on."""

# mypy: disable-error-code="no-any-return,list-item"
# Redirects and scripts are event specs made by untyped factories.

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from rxbackup import wiring
from rxbackup.errors import BackupNotFound, NotSignedIn, RxbackupError
from rxbackup.operations import backups, rows
from rxbackup.operations.views import RowsView
from rxbackup.ui import wording
from rxbackup.ui.addresses import CONDITIONS_BETWEEN, rows_address, rows_file_address
from rxbackup.ui.pages.rows.lines import (
    SIGNS,
    Cell,
    Chip,
    Head,
    RowLine,
    TableLine,
    chip_of,
    condition,
    foot_words,
    heads_of,
    row_lines,
    table_lines,
)
from rxbackup.ui.session import SessionState, actor_of

_PER_PAGE = 50
_TABLES = 100
_LONGEST = 10_000
_CUT = 80
_CUT_WHEN_OPEN = 20_000
_LOOK_BYTES = 64 * 1024 * 1024
"""So much is looked through before the page says how far it is."""


@dataclass(frozen=True)
class _Turn:
    """Where a page begins, the number of its first row, and how many rows were looked at before it."""

    start: str = ""
    first: int = 1
    looked_at: int = 0


class RowsState(rx.State):
    """One page of rows of one table of one backup."""

    loaded: bool = False
    missing: bool = False
    error: str = ""
    hint: str = ""
    backup_id: str = ""
    name: str = ""
    at: str = ""
    tables: list[TableLine] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    more_tables: bool = False
    search: str = ""
    table: str = ""
    heads: list[Head] = []  # noqa: RUF012
    computed: str = ""
    rows: list[RowLine] = []  # noqa: RUF012
    chips: list[Chip] = []  # noqa: RUF012
    busy: bool = False
    foot: str = ""
    more: bool = False
    unfinished: bool = False
    is_first: bool = True
    opened: str = ""
    fields: list[Cell] = []  # noqa: RUF012
    _where: tuple[str, ...] = ()
    _turns: tuple[_Turn, ...] = (_Turn(),)
    _looked_at: int = 0
    _next: str = ""

    @rx.event
    async def arrive(self) -> AsyncIterator[Any]:
        """Show the table that the address names, with its conditions."""
        asked = self.router.url.query_parameters
        backup_id = self.router.url.path.rstrip("/").split("/")[-2]
        table = str(asked.get("table", ""))[:_LONGEST]
        where = tuple(part for part in str(asked.get("where", ""))[:_LONGEST].split(CONDITIONS_BETWEEN) if part)
        try:
            await self._open(backup_id)
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
        self.loaded = True
        if (table, where) != (self.table, self._where) or self.error:
            self._begin(table, where)
        if self.table and not self.rows:
            yield RowsState.find

    async def _open(self, backup_id: str) -> None:
        if self.backup_id == backup_id:
            return
        self.reset()  # type: ignore[no-untyped-call]
        actor = await actor_of(self)
        detail = await asyncio.to_thread(backups.show_backup, wiring.current(), actor, backup_id)
        self.backup_id, self.name, self.at = backup_id, detail.view.name, wording.iso(detail.view.when)
        await self._list()

    async def _list(self) -> None:
        found = await asyncio.to_thread(
            rows.list_tables,
            wiring.current(),
            await actor_of(self),
            self.backup_id,
            text=self.search,
            limit=_TABLES + 1,
        )
        self.tables, self.more_tables = table_lines(found[:_TABLES], self.backup_id), len(found) > _TABLES

    def _begin(self, table: str, where: tuple[str, ...]) -> None:
        if table != self.table:
            self.heads, self.computed = [], ""
        self.table, self._where = table, where
        self.error = self.hint = self.opened = self.foot = ""
        self.fields = []
        self.chips = [chip_of(text, [head.name for head in self.heads]) for text in where]
        self._turn_to((_Turn(),))

    def _turn_to(self, turns: tuple[_Turn, ...]) -> None:
        self._turns, self._looked_at, self._next = turns, turns[-1].looked_at, turns[-1].start
        self.rows, self.opened, self.fields = [], "", []
        self.is_first, self.more, self.unfinished = len(turns) == 1, False, False
        self.busy = bool(self.table)

    @rx.event(background=True, supersedes=True)
    async def find(self) -> None:
        """Fill the page from where it goes on, and say how far that is."""
        async with self:
            self.busy = True
            asked = (self.backup_id, self.table, self._where, self._turns)
        try:
            while await self._find_more(asked):
                pass
        except NotSignedIn:
            async with self:
                (await self.get_state(SessionState)).ended = True
        except RxbackupError as error:
            async with self:
                self.busy, self.error, self.hint = False, error.message, error.hint

    async def _find_more(self, asked: tuple[str, str, tuple[str, ...], tuple[_Turn, ...]]) -> bool:
        backup_id, table, where, turns = asked
        async with self:
            start, wanted = self._next, _PER_PAGE - len(self.rows)
        view = await asyncio.to_thread(
            rows.read_rows,
            wiring.current(),
            await actor_of(self),
            backup_id,
            table,
            where=where,
            after=start or None,
            limit=wanted,
            cut=_CUT,
            most_bytes=_LOOK_BYTES,
        )
        async with self:
            if asked != (self.backup_id, self.table, self._where, self._turns):
                return False  # the question changed while this was answered
            self._take(view, turns[-1].first)
            ended = view.next is None or len(self.rows) >= _PER_PAGE
            self.busy = self.busy and not ended
            self.more, self.unfinished = len(self.rows) >= _PER_PAGE and bool(view.next), not ended
            return self.busy

    def _take(self, view: RowsView, first: int) -> None:
        if not self.heads:
            self.heads = heads_of(view)
            self.computed = wording.listed(view.computed) if view.computed else ""
            self.chips = [chip_of(text, [head.name for head in self.heads]) for text in self._where]
        self.rows = [*self.rows, *row_lines(view, first + len(self.rows))]
        self._looked_at += view.looked_at
        self._next = view.next or ""
        looked_at = view.total if view.next is None else self._looked_at
        self.foot = foot_words(
            first=first, shown=len(self.rows), total=view.total, looked_at=looked_at, filtered=bool(self._where)
        )

    @rx.event
    def stop(self) -> None:
        """Leave it at what was found so far."""
        self.busy = False

    @rx.event
    def turn(self, by: int) -> EventSpec | None:
        """One page on or back."""
        if by == 1 and self.more and self._next:
            last = self._turns[-1]
            following = _Turn(self._next, last.first + len(self.rows), self._looked_at)
            self._turn_to((*self._turns, following))
        elif by == -1 and len(self._turns) > 1:
            self._turn_to(self._turns[:-1])
        else:
            return None
        return RowsState.find

    @rx.event
    async def set_search(self, text: str) -> None:
        """List only tables whose name or group holds this."""
        self.search = str(text)[:200]
        try:
            await self._list()
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint

    @rx.event
    def add_condition(self, form: Mapping[str, Any]) -> EventSpec | None:
        """Show only rows that meet one more condition."""
        column, sign = str(form.get("column", "")), str(form.get("sign", ""))
        value = str(form.get("value", ""))[:_LONGEST].replace(CONDITIONS_BETWEEN, " ")
        if column not in [head.name for head in self.heads] or sign not in SIGNS:
            return None
        wanted = condition(column, sign, value)
        return self._go_to((*(each for each in self._where if each != wanted), wanted))

    @rx.event
    def drop_condition(self, text: str) -> EventSpec:
        """Let a condition go."""
        return self._go_to(tuple(each for each in self._where if each != text))

    @rx.event
    def download(self, format_name: str) -> EventSpec | None:
        """Take all rows that meet the conditions along, as a file."""
        if format_name not in rows.FORMATS or not self.table:
            return None
        address = rows_file_address(self.backup_id, self.table, self._where, format_name)
        # Not rx.redirect: that stays inside the app's own router.
        return rx.call_script(f"location.assign({json.dumps(address)})")

    def _go_to(self, where: tuple[str, ...]) -> EventSpec:
        return rx.redirect(rows_address(self.backup_id, self.table, where))

    @rx.event
    async def unfold(self, place: str) -> AsyncIterator[None]:
        """Show a row with all of its values, or fold it away again."""
        place = str(place)
        self.opened, self.fields = ("" if self.opened == place else place), []
        yield None
        if not self.opened:
            return
        try:
            view = await asyncio.to_thread(
                rows.read_rows,
                wiring.current(),
                await actor_of(self),
                self.backup_id,
                self.table,
                after=place,
                limit=1,
                cut=_CUT_WHEN_OPEN,
            )
        except RxbackupError as error:
            self.error, self.hint = error.message, error.hint
            return
        self.fields = [cell for line in row_lines(view, 1) for cell in line.cells]
