"""Changes that leave no trace in the rows: a backup that leans on an earlier one must see them all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from rxbackup.backup.run import BackupOutcome, BackupRequest, run_backup
from rxbackup.errors import SchemaMoved
from rxbackup.postgres.connecting import connect
from rxbackup.progress import Progress
from rxbackup.vault.vault import Vault
from tests.support.postgres import admin_url
from tests.support.vaults import new_local_vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return new_local_vault(tmp_path)


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


def _lean(
    url: str,
    vault: Vault,
    base: BackupOutcome | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> BackupOutcome:
    request = BackupRequest(str(uuid4()), "Later", "", "admin@example.com")
    found = [base.manifest] if base else []
    return run_backup(request, source_url=url, vault=vault, bases=found, on_progress=on_progress)


def _rows(vault: Vault, outcome: BackupOutcome, table: str) -> bytes:
    [entry] = [t for t in outcome.manifest.tables if t.name == table]
    return b"".join(vault.get_chunk(chunk) for segment in entry.segments for chunk in segment.chunks)


def _segments_read(outcome: BackupOutcome, table: str) -> int | None:
    [entry] = [t for t in outcome.manifest.tables if t.name == table]
    return entry.segments_read


THINGS = """
CREATE TYPE public.mood AS ENUM ('ok', 'broken');
CREATE TABLE public.boxes (id int PRIMARY KEY, mood public.mood, width int, note text);
INSERT INTO public.boxes SELECT n, 'ok', n, 'box ' || n FROM generate_series(1, 20) n
"""


@pytest.mark.parametrize(
    ("prepare", "change", "rows"),
    [
        (
            "CREATE TABLE public.t (id int, note text); INSERT INTO public.t VALUES (1, 'a')",
            "ALTER TABLE public.t DROP COLUMN note; ALTER TABLE public.t ADD COLUMN note text",
            b"1\t\\N\n",
        ),
        (
            "CREATE TABLE public.t (id int, note int DEFAULT 7); INSERT INTO public.t VALUES (1)",
            "ALTER TABLE public.t DROP COLUMN note; ALTER TABLE public.t ADD COLUMN note int DEFAULT 8",
            b"1\t8\n",
        ),
        (
            "CREATE TABLE public.t (a text, b text, c text); INSERT INTO public.t VALUES ('1', '2', '3')",
            (
                "ALTER TABLE public.t DROP COLUMN a; ALTER TABLE public.t RENAME b TO a; "
                "ALTER TABLE public.t RENAME c TO b; ALTER TABLE public.t ADD COLUMN c text"
            ),
            b"2\t3\t\\N\n",
        ),
        (
            "CREATE TABLE public.t (id int, box public.boxes); INSERT INTO public.t SELECT 1, b FROM boxes b LIMIT 1",
            "ALTER TABLE public.boxes DROP COLUMN width",
            b'1\t(1,ok,"box 1")\n',
        ),
        (
            (
                "CREATE TABLE public.t (id int, box public.boxes[]);"
                "INSERT INTO public.t SELECT 1, ARRAY[b] FROM public.boxes b LIMIT 1"
            ),
            "ALTER TABLE public.boxes DROP COLUMN width",
            b'1\t{"(1,ok,\\\\"box 1\\\\")"}\n',
        ),
        (
            "CREATE TABLE public.t (id int, mood public.mood[]); INSERT INTO public.t VALUES (1, '{ok}')",
            "ALTER TYPE public.mood RENAME VALUE 'ok' TO 'fine'",
            b"1\t{fine}\n",
        ),
        (
            (
                "CREATE ROLE somebody_here; CREATE TABLE public.t (id int, who aclitem);"
                "INSERT INTO public.t VALUES (1, 'somebody_here=r/postgres')"
            ),
            "ALTER ROLE somebody_here RENAME TO somebody_there",
            b"1\tsomebody_there=r/postgres\n",
        ),
        (
            (
                "CREATE TYPE spans AS RANGE (subtype = regclass, subtype_opclass = oid_ops);"
                "CREATE TABLE public.t (id int, span spans); INSERT INTO public.t VALUES (1, '[boxes,boxes]')"
            ),
            "ALTER TABLE public.boxes RENAME TO crates",
            b"1\t[public.crates,public.crates]\n",
        ),
    ],
    ids=[
        "column dropped and added again",
        "column added again with another default",
        "columns shifted",
        "row type of a table",
        "array of row types",
        "enum in an array",
        "role in a privilege",
        "range of names",
    ],
)
def test_it_is_seen(system_database: str, vault: Vault, prepare: str, change: str, rows: bytes) -> None:
    try:
        _run(system_database, THINGS)
        _run(admin_url(system_database), prepare, "ALTER TABLE public.t OWNER TO rxbackup")
        first = _lean(system_database, vault)
        _run(admin_url(system_database), change)
        second = _lean(system_database, vault, first)
        assert _rows(vault, second, "t") == rows
    finally:
        _run(
            admin_url(system_database),
            "DROP TABLE IF EXISTS public.t",
            "DROP ROLE IF EXISTS somebody_here, somebody_there",
        )


def test_what_concerns_other_tables_costs_nothing(system_database: str, vault: Vault) -> None:
    _run(system_database, THINGS, "CREATE TABLE public.used (box public.boxes)")
    first = _lean(system_database, vault)
    with connect(system_database, application_name="app") as app:
        app.execute("CREATE TEMP TABLE draft (id int, note text)")
        _run(system_database, "CREATE TABLE public.others (id int, moods public.mood[])")
        second = _lean(system_database, vault, first)
    assert _segments_read(second, "boxes") == 0


def test_a_label_renamed_while_rows_are_read_is_no_backup(system_database: str, vault: Vault) -> None:
    """The server writes labels as they are called at that moment, not as the snapshot saw them."""
    _run(system_database, THINGS, "CREATE TABLE public.later (id int PRIMARY KEY, mood public.mood)")
    _run(system_database, "INSERT INTO public.later VALUES (1, 'ok')")
    calls = 0

    def rename(progress: Progress) -> None:
        nonlocal calls
        if progress.stage == "Reading rows":
            calls += 1
            if calls == 1:
                _run(system_database, "ALTER TYPE public.mood RENAME VALUE 'ok' TO 'fine'")

    with pytest.raises(SchemaMoved):
        _lean(system_database, vault, on_progress=rename)
    assert calls > 1
    assert vault.manifest_ids() == []
