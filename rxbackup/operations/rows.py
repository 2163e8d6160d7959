"""Looking into a backup: its tables, and their rows page by page or as a file. Nothing is restored for it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO
from uuid import UUID

from sqlmodel import col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.compare.filters import Filter, parse_filter
from rxbackup.compare.rows import Place, RowPage
from rxbackup.compare.rows import read_rows as read_page
from rxbackup.compare.selection import write_csv, write_json
from rxbackup.compare.tables import KeptTable, find_table
from rxbackup.compare.text import as_text, codec_of, cut_text
from rxbackup.errors import Refused, UsageError
from rxbackup.operations._backups.catalogue import find_backup
from rxbackup.operations._backups.cutting import while_signed_in
from rxbackup.operations._backups.file_names import file_name
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._backups.places import reading_vault
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, ColumnView, Download, KeptTableView, RowsView, RowView
from rxbackup.tables.system import Backup
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault

__all__ = ["FORMATS", "export_rows", "list_tables", "open_rows", "read_rows"]

_Write = Callable[[Vault, Manifest, KeptTable, Sequence[Filter]], Iterator[bytes]]
_WRITERS: dict[str, tuple[_Write, str]] = {
    "csv": (write_csv, "text/csv; charset=utf-8"),
    "json": (write_json, "application/json"),
}
FORMATS = tuple(_WRITERS)
_MOST_ROWS = 1000
_MOST_CONDITIONS = 20


@requires(Permission.VIEW)
def list_tables(
    services: Services, actor: Actor, backup: str, *, text: str = "", limit: int = 100
) -> tuple[KeptTableView, ...]:
    """The first tables of a backup, by name, whose name or group holds a text.

    Raises:
        BackupNotFound: there is no such backup.
    """
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
        manifest = session.exec(select(Backup.backup_data).where(col(Backup.id) == UUID(view.id))).first() or {}
    found: dict[str, KeptTableView] = {}
    for entry in manifest.get("tables", ()):
        name = entry.get("root") or f"{entry['schema']}.{entry['name']}"
        so_far = found.get(name) or KeptTableView(name, entry["group"], 0, 0)
        found[name] = KeptTableView(
            name, so_far.group, so_far.rows + entry["rows"], so_far.raw_bytes + entry["raw_bytes"]
        )
    wanted = text.strip().casefold()
    fitting = [t for t in found.values() if wanted in t.name.casefold() or wanted in t.group.casefold()]
    return tuple(sorted(fitting, key=lambda t: t.name)[: max(1, limit)])


@requires(Permission.DOWNLOAD)
def read_rows(
    services: Services,
    actor: Actor,
    backup: str,
    table: str,
    *,
    where: Sequence[str] = (),
    after: str | None = None,
    limit: int = 50,
    cut: int | None = None,
    most_bytes: int | None = None,
    store: str | None = None,
) -> RowsView:
    """Read some rows of a table in a backup; only the chunks that hold them are opened.

    Args:
        where: conditions that all have to fit: COLUMN=VALUE, COLUMN~TEXT, COLUMN is null, COLUMN is not null.
        after: where to go on, from an earlier view's `next`, or a row's `place`.
        limit: at most 1 000.
        cut: show so many characters of a value.
        most_bytes: stop for now after looking through so many bytes of rows.
        store: read the copy that rests there.

    Raises:
        BackupNotFound, NotFound: there is no such backup, or no such table in it.
        UsageError: a condition makes no sense.
        Refused: the backup is not complete.
        Corrupt, StoreTrouble: it cannot be read.
    """
    view = _readable(services, actor, backup)
    with _reading(services, view, store) as (vault, manifest):
        kept = find_table(manifest, table)
        filters = _filters(where, kept)
        start = Place.parse(after, kept) if after else None
        _audit(services, actor, view, kept, filters, "backup.rows.read")
        page = read_page(
            vault,
            manifest,
            kept,
            filters=filters,
            start=start,
            limit=max(1, min(limit, _MOST_ROWS)),
            most_bytes=most_bytes,
        )
        return _view(view, manifest, kept, page, cut)


@requires(Permission.DOWNLOAD)
def open_rows(
    services: Services,
    actor: Actor,
    backup: str,
    table: str,
    *,
    where: Sequence[str] = (),
    format_name: str = "csv",
) -> Download:
    """All rows of a table that fit, as a file to stream: csv or json. Raises as `read_rows`."""
    view, kept, filters = _selection(services, actor, backup, table, where, format_name=format_name)
    content = _stream(services, view, table, filters, format_name)
    name = file_name(view, format_name, part=kept.name)
    return Download(name, _WRITERS[format_name][1], while_signed_in(services, actor, content))


@requires(Permission.DOWNLOAD)
def export_rows(
    services: Services,
    actor: Actor,
    backup: str,
    table: str,
    stream: BinaryIO,
    *,
    where: Sequence[str] = (),
    format_name: str = "csv",
    store: str | None = None,
) -> int:
    """Write all rows of a table that fit as csv or json; the number of bytes written. Raises as `read_rows`."""
    view, _, filters = _selection(services, actor, backup, table, where, format_name=format_name, store=store)
    written = 0
    for piece in _stream(services, view, table, filters, format_name, store):
        stream.write(piece)
        written += len(piece)
    return written


def _selection(
    services: Services,
    actor: Actor,
    backup: str,
    table: str,
    where: Sequence[str],
    *,
    format_name: str,
    store: str | None = None,
) -> tuple[BackupView, KeptTable, tuple[Filter, ...]]:
    """What is asked for, checked before the first byte leaves."""
    if format_name not in _WRITERS:
        raise UsageError(f"Rows cannot be written as {format_name!r}.", hint=f"The formats are: {', '.join(FORMATS)}.")
    view = _readable(services, actor, backup)
    with _reading(services, view, store) as (_, manifest):
        kept = find_table(manifest, table)
        filters = _filters(where, kept)
    _audit(services, actor, view, kept, filters, "backup.rows.downloaded")
    return view, kept, filters


def _stream(
    services: Services,
    view: BackupView,
    table: str,
    filters: Sequence[Filter],
    format_name: str,
    store: str | None = None,
) -> Generator[bytes]:
    with _reading(services, view, store) as (vault, manifest):
        yield from _WRITERS[format_name][0](vault, manifest, find_table(manifest, table), filters)


@contextmanager
def _reading(services: Services, view: BackupView, store: str | None) -> Iterator[tuple[Vault, Manifest]]:
    with hold_backup(services, view.id), reading_vault(services, view, store) as vault:
        yield vault, vault.get_manifest(view.id)


def _readable(services: Services, actor: Actor, backup: str) -> BackupView:
    with services.system.session(actor.identity) as session:
        view = find_backup(session, backup)
    if view.state != "complete":
        raise Refused(f"{view.name} is {view.state}: there are no rows to read.", hint="Choose a complete backup.")
    return view


def _filters(where: Sequence[str], table: KeptTable) -> tuple[Filter, ...]:
    if len(where) > _MOST_CONDITIONS:
        raise UsageError(f"These are {len(where)} conditions.", hint=f"Give at most {_MOST_CONDITIONS}.")
    return tuple(parse_filter(text, table) for text in where)


def _view(view: BackupView, manifest: Manifest, table: KeptTable, page: RowPage, cut: int | None) -> RowsView:
    codec = codec_of(manifest.server.encoding)
    rows = []
    for row in page.rows:
        values: list[str | None] = []
        was_cut = []
        for number, value in enumerate(row.values):
            text = None if value is None else as_text(value, codec)
            if text is not None and cut is not None:
                text, is_longer = cut_text(text, cut)
                was_cut += [number] if is_longer else []
            values.append(text)
        rows.append(RowView(str(row.place), tuple(values), tuple(was_cut)))
    return RowsView(
        backup=view,
        table=table.name,
        group=table.group,
        columns=tuple(ColumnView(c.name, c.type, c.name in table.key) for c in table.columns),
        computed=table.computed,
        rows=tuple(rows),
        total=table.rows,
        looked_at=page.looked_at,
        next=str(page.next) if page.next else None,
    )


def _audit(
    services: Services, actor: Actor, view: BackupView, table: KeptTable, filters: Sequence[Filter], action: str
) -> None:
    """Say who looks at which table; values of conditions may be secrets, so only their columns are kept."""
    details = {
        "name": view.name,
        "table": table.name,
        "conditions_on": sorted({each.column for each in filters}),
        "door": actor.door,
    }
    with services.system.session(actor.identity) as session:
        audit.append(
            session, actor=actor.email, action=action, object_type="backup", object_id=view.id, details=details
        )
