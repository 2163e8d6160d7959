"""The places where backups rest."""

from __future__ import annotations

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import DatabaseTrouble
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import StoreView
from rxbackup.postgres.connecting import connect, translated
from rxbackup.tables.system import Backup, Store

__all__ = ["StoreView", "list_stores"]

_IDENTIFIER = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"


@requires(Permission.VIEW)
def list_stores(services: Services, actor: Actor) -> tuple[StoreView, ...]:
    """Every store, with whether it is lost together with the protected database."""
    with services.system.session(actor.identity) as session:
        stores = session.exec(select(Store).order_by(col(Store.name))).all()
        used = {
            name: (count, int(stored or 0))
            for name, count, stored in session.exec(
                select(Backup.store, func.count(), func.sum(Backup.stored_bytes))
                .where(col(Backup.state) == "complete")
                .group_by(col(Backup.store))
            )
        }
        same_server = _is_same_server(services, session)
        return tuple(_view(services, store, used.get(store.name, (0, 0)), same_server=same_server) for store in stores)


def _view(services: Services, store: Store, used: tuple[int, int], *, same_server: bool) -> StoreView:
    match store.kind:
        case "database":
            where = "rxbackup's own database"
            shared = same_server
            note = "It is on the same server as the protected data: it does not survive the loss of that server."
        case "local":
            where = str(store.settings.get("path", ""))
            shared = services.embedded
            note = "It is on the same machine as the embedded database: it does not survive the loss of that machine."
        case _:
            where, shared, note = store.kind, False, ""
    return StoreView(
        name=store.name,
        kind=store.kind,
        where=where,
        same_server=shared,
        note=note if shared else "",
        backups=used[0],
        stored_bytes=used[1],
    )


def _is_same_server(services: Services, session: Session) -> bool:
    if services.source_url == services.system_url:
        return True
    try:
        ours = session.connection().execute(text(_IDENTIFIER)).scalar_one()
        with connect(services.source_url, application_name="rxbackup") as conn, translated("looking at the server"):
            row = conn.execute(_IDENTIFIER).fetchone()
    except DatabaseTrouble:
        # Nobody can say at this moment: better one warning too many.
        return True
    return bool(row and row[0] == ours)
