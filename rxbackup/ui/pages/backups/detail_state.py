"""The state of one backup's page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import reflex as rx

from rxbackup import wiring
from rxbackup.errors import BackupNotFound, NotSignedIn, RxbackupError
from rxbackup.operations import backups
from rxbackup.operations.views import BackupDetail
from rxbackup.ui import wording
from rxbackup.ui.pages.backups.rows import BackupRow, backup_row
from rxbackup.ui.session import SessionState, actor_of

_LOOK_AGAIN_SECONDS = 3.0


@dataclass(frozen=True)
class GroupPart:
    """One group inside a backup."""

    name: str
    rows: int
    raw_bytes: int
    tables: int


@dataclass(frozen=True)
class TablePart:
    """One table inside a backup."""

    name: str
    group: str
    rows: int
    raw_bytes: int


@dataclass(frozen=True)
class BackupFacts:
    """What is known of a backup beyond its line in the table."""

    took: str
    tables: str
    groups: str
    server: str
    database: str
    store: str
    made: str
    full_id: str
    error_hint: str


_TRIGGERS = {
    "manual": "By hand",
    "schedule": "By a schedule",
    "safety": "Before a restore, for safety",
    "import": "Imported",
}
_NOBODY = BackupRow("", "", "", "", "", 0, 0, 0, "", "", "", "", pinned=False, trigger="", places=[])
_NOTHING = BackupFacts("", "", "", "", "", "", "", "", "")


class DetailState(rx.State):
    """One backup: its facts, groups, tables and warnings."""

    loaded: bool = False
    missing: bool = False
    error: str = ""
    hint: str = ""
    row: BackupRow = _NOBODY
    facts: BackupFacts = _NOTHING
    groups: list[GroupPart] = []  # noqa: RUF012
    tables: list[TablePart] = []  # noqa: RUF012
    warnings: list[str] = []  # noqa: RUF012

    @rx.event(background=True)
    async def watch(self) -> None:
        """Load the backup and keep its state and proof true while somebody looks."""
        async with self:
            wanted = self.router.url.path.rstrip("/").rpartition("/")[2]
            if self.row.id != wanted:
                self.reset()  # type: ignore[no-untyped-call]
        while True:
            try:
                detail = await asyncio.to_thread(backups.show_backup, wiring.current(), await actor_of(self), wanted)
                await self._show(detail)
            except NotSignedIn:
                async with self:
                    (await self.get_state(SessionState)).ended = True
                return
            except BackupNotFound:
                async with self:
                    self.loaded = self.missing = True
                return
            except RxbackupError as error:
                async with self:
                    self.error, self.hint = error.message, error.hint
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _show(self, detail: BackupDetail) -> None:
        row, facts = backup_row(detail.view), _facts(detail)
        groups = [GroupPart(group.name, group.rows, group.raw_bytes, len(group.tables)) for group in detail.groups]
        tables = [TablePart(table.name, table.group, table.rows, table.raw_bytes) for table in detail.tables]
        async with self:
            fresh = {"row": row, "facts": facts, "groups": groups, "tables": tables, "warnings": list(detail.warnings)}
            for name, value in fresh.items():
                if getattr(self, name) != value:
                    setattr(self, name, value)
            self.error = self.hint = ""
            self.loaded = True


def _facts(detail: BackupDetail) -> BackupFacts:
    view = detail.view
    return BackupFacts(
        took=wording.span(view.seconds) if view.seconds else "",
        tables=wording.plural(view.tables, "table"),
        groups=wording.plural(len(detail.groups), "group"),
        server=f"PostgreSQL {detail.server_version}" if detail.server_version else "",
        database=detail.database,
        store={"database": "In the database itself", "local": "In a folder on the server"}.get(view.store, view.store),
        made=_TRIGGERS.get(view.trigger, view.trigger),
        full_id=view.id,
        error_hint=view.error.hint if view.error else "",
    )
