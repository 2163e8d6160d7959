"""The state of one backup's page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from rxbackup import wiring
from rxbackup.errors import BackupNotFound, NotSignedIn, RxbackupError
from rxbackup.operations import backups, copies
from rxbackup.operations.views import BackupDetail, BackupView, CopyView
from rxbackup.ui import wording
from rxbackup.ui.addresses import rows_address
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
    """One table inside a backup; `href` leads to its rows."""

    name: str
    group: str
    rows: int
    raw_bytes: int
    href: str


@dataclass(frozen=True)
class PlacePart:
    """One store where it rests. The first is where it was taken, the others are copies."""

    store: str
    kind: str
    state: str
    same_server: bool
    is_copy: bool
    adds_bytes: int
    level: str
    checked_at: str
    error: str


@dataclass(frozen=True)
class BackupFacts:
    """What is known of a backup beyond its line in the table."""

    took: str = ""
    tables: str = ""
    server: str = ""
    database: str = ""
    made: str = ""
    full_id: str = ""
    error_hint: str = ""
    read: str = ""
    base_id: str = ""
    base_name: str = ""
    frees_bytes: int = 0
    proven_at: dict[str, str] = field(default_factory=dict)


_TRIGGERS = {
    "manual": "By hand",
    "schedule": "By a schedule",
    "safety": "Before a restore, for safety",
    "import": "Imported",
}
_NOBODY = BackupRow(
    "", "", "", "", "", 0, 0, 0, "", "", "", "", pinned=False, trigger="", places=[], origin="", foreign=False
)
_NOTHING = BackupFacts()


class DetailState(rx.State):
    """One backup: its facts, groups, tables and warnings."""

    loaded: bool = False
    missing: bool = False
    error: str = ""
    hint: str = ""
    row: BackupRow = _NOBODY
    facts: BackupFacts = _NOTHING
    places: list[PlacePart] = []  # noqa: RUF012 - Reflex copies defaults for each tab
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
                actor = await actor_of(self)
                detail = await asyncio.to_thread(backups.show_backup, wiring.current(), actor, wanted)
                made = await asyncio.to_thread(copies.list_copies, wiring.current(), actor, detail.view.id)
                await self._show(detail, _places(detail.view, made))
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

    async def _show(self, detail: BackupDetail, places: list[PlacePart]) -> None:
        row, facts = backup_row(detail.view), _facts(detail)
        groups = [GroupPart(group.name, group.rows, group.raw_bytes, len(group.tables)) for group in detail.groups]
        tables = [
            TablePart(table.name, table.group, table.rows, table.raw_bytes, rows_address(detail.view.id, table.name))
            for table in detail.tables
        ]
        async with self:
            fresh: dict[str, Any] = {"row": row, "facts": facts, "places": places, "groups": groups, "tables": tables}
            fresh["warnings"] = list(detail.warnings)
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
        server=f"PostgreSQL {detail.server_version}" if detail.server_version else "",
        database=detail.database,
        made=_TRIGGERS.get(view.trigger, view.trigger),
        full_id=view.id,
        error_hint=view.error.hint if view.error else "",
        read=_read(detail),
        base_id=detail.base_id or "",
        base_name=detail.base_name or "",
        frees_bytes=detail.frees_bytes,
        proven_at={"stored": wording.iso(view.when)} | {one.level: wording.iso(one.at) for one in detail.proofs},
    )


def _read(detail: BackupDetail) -> str:
    """How much of the tables was read for it; the page adds on whom the rest leans."""
    view = detail.view
    if not view.segments_total or view.state != "complete":
        return ""
    if view.segments_read >= view.segments_total:
        return f"All {wording.plural(view.segments_total, 'segment')} read"
    reused = view.segments_total - view.segments_read
    return (
        f"{wording.number(view.segments_read)} of {wording.plural(view.segments_total, 'segment')} read, "
        f"{wording.number(reused)} reused"
    )


def _places(view: BackupView, made: tuple[CopyView, ...]) -> list[PlacePart]:
    """Where it rests, with what is known of each copy."""
    known = {copy.store: copy for copy in made}
    parts = []
    for place in view.places:
        copy = known.get(place.store)
        parts.append(
            PlacePart(
                store=place.store,
                kind=place.kind,
                state=place.state,
                same_server=place.same_server,
                is_copy=copy is not None,
                adds_bytes=copy.stored_bytes if copy else view.stored_bytes,
                level=(copy.verified_level if copy else view.verified_level) or "",
                checked_at=wording.iso(copy.verified_at if copy else view.verified_at),
                error=copy.error if copy else "",
            )
        )
    return parts
