"""Where backups rest, and reading one from wherever that is."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlmodel import Session, col, select

from rxbackup.errors import Corrupt, DatabaseTrouble, KeyTrouble, NotFound, RxbackupError, StoreTrouble
from rxbackup.operations._backups.taking import vault_of_its_own
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, PlaceView
from rxbackup.postgres.connecting import connect, translated
from rxbackup.tables.system import BackupCopy, Store
from rxbackup.vault.vault import Vault, open_vault

_IDENTIFIER = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SHOWN = {"running": "running", "pending": "running", "failed": "failed", "interrupted": "failed"}
_ASK_AGAIN_SECONDS = 60.0
_same_server: dict[tuple[str, str], tuple[float, bool]] = {}


def with_places(services: Services, session: Session, views: Iterable[BackupView]) -> tuple[BackupView, ...]:
    """The same views, saying where each backup rests: first where it was taken, then its copies by name."""
    views = tuple(views)
    stores = {name: (kind, settings) for name, kind, settings in session.exec(_STORES)}
    lost = {name: is_lost_with_database(services, *facts) for name, facts in stores.items()}

    def place(store: str, state: str) -> PlaceView:
        kind = stores[store][0] if store in stores else ""
        return PlaceView(store, kind, _SHOWN.get(state, "complete"), same_server=lost.get(store, False))

    copies: dict[str, list[PlaceView]] = {}
    ids = [UUID(view.id) for view in views]
    rows = session.exec(
        select(BackupCopy.backup_id, BackupCopy.store, BackupCopy.state)
        .where(col(BackupCopy.backup_id).in_(ids), col(BackupCopy.state) != "deleting")
        .order_by(col(BackupCopy.store))
    )
    for backup_id, store, state in rows:
        copies.setdefault(str(backup_id), []).append(place(store, state))
    return tuple(
        dataclasses.replace(view, places=(place(view.store, view.state), *copies.get(view.id, ()))) for view in views
    )


_STORES = select(Store.name, Store.kind, Store.settings)


def is_lost_with_database(services: Services, kind: str, settings: Mapping[str, Any]) -> bool:
    """Whether a store is lost together with the protected database: it is on the same server, or the same machine."""
    match kind:
        case "database":
            return _shares_server(services)
        case "local":
            return services.embedded
        case _:
            return services.embedded and (urlsplit(str(settings.get("endpoint", ""))).hostname in _LOOPBACK)


@contextmanager
def reading_vault(services: Services, view: BackupView, store: str | None = None) -> Iterator[Vault]:
    """The vault that a complete backup is read from: where it was taken, or a copy in the store named.

    Raises:
        NotFound: no complete copy of it rests in that store.
        StoreTrouble, Corrupt, KeyTrouble: it cannot be read there; the hint names the copies that there are.
    """
    name = store or view.store
    others = _resting(services, view) - {name}
    if store is not None and store != view.store and store not in _resting(services, view):
        raise NotFound(f"{view.name} does not rest in {store}.", hint=f"It rests in: {', '.join(sorted(others))}.")
    try:
        with vault_of_its_own(services, name) as vault:
            yield vault
    except (StoreTrouble, Corrupt, KeyTrouble) as error:
        if others:
            first = view.store if view.store in others else min(others)
            also = f"The backup also rests in {', '.join(sorted(others))}: choose that copy (`--from {first}`)."
            error.hint = f"{also} {error.hint}"
        raise


@contextmanager
def reading_place(services: Services, view: BackupView, *, but: str) -> Iterator[tuple[str, Vault]]:
    """Any place that a complete backup can be read from, except one; the place where it was taken is asked first.

    Raises:
        StoreTrouble, Corrupt, KeyTrouble: none of them can be opened; says of the first one why.
    """
    names = [view.store, *sorted(_resting(services, view) - {view.store})]
    trouble: RxbackupError | None = None
    for name in (n for n in names if n != but):
        try:
            vault = open_vault(services.open_vault(name).recipe())
        except (StoreTrouble, Corrupt, KeyTrouble) as error:
            trouble = trouble or error
            continue
        with vault:
            yield name, vault
        return
    raise trouble or NotFound(f"{view.name} rests nowhere else.")


def _resting(services: Services, view: BackupView) -> set[str]:
    with services.system.session("system") as session:
        copies = session.exec(
            select(BackupCopy.store).where(
                col(BackupCopy.backup_id) == UUID(view.id), col(BackupCopy.state) == "complete"
            )
        ).all()
    return {view.store, *copies}


def _shares_server(services: Services) -> bool:
    if services.source_url == services.system_url:
        return True
    pair = (services.source_url, services.system_url)
    known = _same_server.get(pair)
    if known is None or time.monotonic() - known[0] > _ASK_AGAIN_SECONDS:
        try:
            answers = {_identifier(url) for url in pair}
        except DatabaseTrouble:
            # Nobody can say at this moment: better one warning too many.
            return True
        known = _same_server[pair] = (time.monotonic(), len(answers) == 1)
    return known[1]


def _identifier(url: str) -> str:
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with connect(plain, application_name="rxbackup") as conn, translated("looking at the server"):
        row = conn.execute(_IDENTIFIER).fetchone()
    return str(row[0]) if row else ""
