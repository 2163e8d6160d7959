"""Materialized views after a restore: they show what their tables held before, until they are refreshed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from rxbackup import errors
from rxbackup.postgres.connecting import connect, translated
from rxbackup.postgres.introspection import read_catalogue
from rxbackup.postgres.materialized_views import MaterializedView, find_readers, refresh

_APPLICATION = "rxbackup refresh"


def stale_readers(source_url: str, tables: Collection[str]) -> tuple[MaterializedView, ...]:
    """The materialized views that read from tables of these qualified names, in the order to refresh them."""
    with connect(source_url, application_name=_APPLICATION) as conn, translated("looking for materialized views"):
        catalogue = read_catalogue(conn)
        roots = {catalogue.by_name[name].oid for name in tables if name in catalogue.by_name}
        return find_readers(conn, [t.oid for t in catalogue.tables if t.root in roots])


def refresh_views(
    source_url: str,
    views: Collection[MaterializedView],
    *,
    on_view: Callable[[MaterializedView], None],
    lock_timeout_seconds: float = 30,
) -> dict[str, str]:
    """Refresh them one after the other; one that cannot be keeps showing what it showed.

    Returns:
        Why, by qualified name, for those that could not be.
    """
    left = {}
    with connect(source_url, application_name=_APPLICATION) as conn:
        for view in views:
            on_view(view)
            if not view.owned:
                left[view.qualified] = "The role of RXBACKUP_DATABASE_URL does not own it."
                continue
            try:
                refresh(conn, view, lock_timeout_seconds=lock_timeout_seconds)
            except errors.DatabaseUnavailable:
                raise
            except errors.DatabaseTrouble as error:
                left[view.qualified] = error.message
    return left
