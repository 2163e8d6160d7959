"""Demo data for the bundled asset-management application: a believable company, the same one every time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from rxbackup.demo.bulk import unhindered
from rxbackup.demo.statements import Sizes, fillings
from rxbackup.errors import Refused, UsageError
from rxbackup.groups.bundled import BUNDLED_GROUPS
from rxbackup.postgres.connecting import Connection, connect, translated
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.tables.migrating import make_bundled_application
from rxbackup.tables.session import SystemDatabase
from rxbackup.tables.system import Setting

LARGEST_SCALE = 5000.0
_TABLES = tuple(name for tables in BUNDLED_GROUPS.values() for name in tables)
# Users and departments may be there before: the first admin is a user of the application.
_MUST_BE_EMPTY = tuple(name for name in _TABLES if name not in ("public.users", "public.notification_preferences"))
_STRANGERS = b"""
    SELECT c.relname FROM pg_catalog.pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND 'public.' || c.relname <> ALL (%s::text[])
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What was loaded: rows by qualified table name, and how long it took."""

    rows: Mapping[str, int]
    seconds: float

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.rows.values())


def load_demo(
    url: str, *, scale: float = 1, on_progress: ProgressSink | None = None, system_url: str | None = None
) -> DemoReport:
    """Make the bundled application in a database, if it is not there, and fill it. All of it, or nothing.

    Args:
        url: the database to fill.
        scale: 1 is a company of 300 people with 2 000 assets and 5 000 issues; 0.05 and 500 work as well.
        on_progress: watches; may raise Cancelled.
        system_url: where rxbackup's own tables are, if elsewhere: it remembers that the users of the application
            decide who is an admin.

    Raises:
        UsageError: the scale makes no sense.
        Refused: the database holds tables of another application, or the application's tables hold data.
        DatabaseUnavailable: the database cannot be reached.
    """
    if not 0 < scale <= LARGEST_SCALE:
        raise UsageError(f"A scale of {scale:g} makes no sense.", hint=f"Choose one above 0, up to {LARGEST_SCALE:g}.")
    began = time.monotonic()
    with connect(url, application_name="rxbackup demo") as conn, translated("loading demo data"):
        _refuse_strangers(conn)
        make_bundled_application(url)
        with conn.transaction():
            rows = _fill(conn, scale, on_progress or ignore_progress)
        conn.execute(("ANALYZE " + ", ".join(_TABLES)).encode())
    _remember(system_url or url)
    return DemoReport(rows, time.monotonic() - began)


def _refuse_strangers(conn: Connection) -> None:
    strangers = [str(name) for (name,) in conn.execute(_STRANGERS, (list(_TABLES),))]
    ours = conn.execute("SELECT to_regclass('public.asset_categories') IS NOT NULL").fetchone()
    tables = conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    if not strangers and tables and ours and (tables[0] == 0 or ours[0]):
        return
    shown = ", ".join(strangers[:3]) + (f" and {len(strangers) - 3} more" if len(strangers) > 3 else "")  # noqa: PLR2004
    raise Refused(
        f"The database holds tables of another application: {shown or 'some named like those of the demo'}.",
        hint="Load the demo data into an empty database: create one, and set RXBACKUP_DATABASE_URL to it.",
    )


def _fill(conn: Connection, scale: float, on_progress: ProgressSink) -> dict[str, int]:
    for setting in ("search_path = public", "work_mem = '64MB'", "maintenance_work_mem = '256MB'", "jit = off"):
        conn.execute(f"SET LOCAL {setting}".encode())
    conn.execute(("LOCK TABLE " + ", ".join(_TABLES) + " IN ACCESS EXCLUSIVE MODE").encode())
    for name in _MUST_BE_EMPTY:
        if conn.execute(f"SELECT 1 FROM {name} LIMIT 1".encode()).fetchone():
            raise Refused(
                f"There is data already: {name} is not empty. Nothing was changed.",
                hint="Demo data only goes into an empty application, so that it never mixes with yours.",
            )
    first_user = conn.execute("SELECT coalesce(max(id), 0) FROM public.users").fetchone()
    todo = fillings(Sizes.at(scale, first_user=int(first_user[0]) if first_user else 0))
    total, done = sum(filling.rows for filling in todo), 0
    rows: dict[str, int] = {}
    with unhindered(conn, _TABLES):
        conn.execute("ALTER TABLE public.asset_events ALTER COLUMN id RESTART")
        for number, filling in enumerate(todo):
            stage = f"Making {filling.table.replace('_', ' ')}"
            on_progress(Progress(stage, done, total, tables_done=number, tables_total=len(todo)))
            rows[f"public.{filling.table}"] = conn.execute(filling.statement.encode()).rowcount
            done += filling.rows
        on_progress(Progress("Building indexes", done, total, tables_done=len(todo), tables_total=len(todo)))
    _restart_sequences(conn)
    return rows


def _restart_sequences(conn: Connection) -> None:
    """The next row that anybody inserts gets the number after the last of ours."""
    for name in (table for table in _TABLES if table != "public.notification_preferences"):
        highest = conn.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {name}".encode()).fetchone()
        sequence = conn.execute(f"SELECT pg_get_serial_sequence('{name}', 'id')".encode()).fetchone()
        if highest and sequence:
            conn.execute(f"ALTER SEQUENCE {sequence[0]} RESTART WITH {highest[0]}".encode())
    tag = conn.execute("SELECT coalesce(max(id), 0) + 1000 FROM public.assets").fetchone()
    if tag:
        conn.execute(f"ALTER SEQUENCE public.asset_tag_seq RESTART WITH {tag[0]}".encode())


def _remember(system_url: str) -> None:
    """From now on the application's users decide who is an admin; where our tables are not yet, migrate them first."""
    system = SystemDatabase(system_url)
    try:
        with system.session("system") as session:
            session.merge(Setting(key="bundled_application", value=True, updated_by="system"))
    finally:
        system.dispose()
