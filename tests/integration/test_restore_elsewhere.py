"""A backup restored into another database: nothing there is known to be unchanged, and what is missing is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from rxbackup.errors import PlanRefused
from rxbackup.restore.plan import RestoreRequest
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up, run_psql, take_image
from tests.support.postgres import NewDatabase
from tests.support.vaults import new_local_vault

pytestmark = pytest.mark.integration

_TABLES = """
CREATE TABLE public.firms (id int PRIMARY KEY, body text);
CREATE TABLE public.items (id serial PRIMARY KEY, firm int REFERENCES public.firms, body text);
"""
_ROWS = """
INSERT INTO public.firms SELECT n, md5(n::text) FROM generate_series(1, 300) n;
INSERT INTO public.items (firm, body) SELECT n, md5(n::text) FROM generate_series(1, 300) n;
"""


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with new_local_vault(tmp_path) as vault:
        yield vault


@pytest.mark.parametrize("maintenance", [False, True])
def test_into_another_database(
    system_database: str, database: str, vault: Vault, monkeypatch: pytest.MonkeyPatch, maintenance: bool
) -> None:
    monkeypatch.setattr("rxbackup.restore.plan._LARGE_BYTES", 0)
    run_psql(system_database, _TABLES + _ROWS)
    outcome, before = back_up(system_database, vault), take_image(system_database)
    run_psql(database, _TABLES + "INSERT INTO public.firms VALUES (7, 'other'), (9000, 'other');")
    plan = prepare_restore(outcome.manifest, RestoreRequest(maintenance=maintenance), source_url=database)
    report = run_restore(plan, outcome.manifest, vault=vault, source_url=database)
    assert take_image(database).rows == before.rows == take_image(system_database).rows
    assert all(result.segments is None for result in report.tables.values())
    assert report.tables["public.firms"].reloaded is maintenance
    with psycopg.connect(database) as conn:
        assert conn.execute("INSERT INTO public.items (body) VALUES ('new') RETURNING id").fetchone() == (301,)


def test_a_copy_of_the_database_that_went_its_own_way(
    new_system_database: NewDatabase, postgres_server: object, vault: Vault
) -> None:
    """It has the watermark, too; but its rows are others."""
    here, there = new_system_database(), new_system_database()
    run_psql(here, _TABLES + _ROWS)
    outcome, before = back_up(here, vault), take_image(here)
    run_psql(there, _TABLES + _ROWS.replace("md5(n::text)", "md5((n + 1)::text)"))
    with psycopg.connect(here) as source, psycopg.connect(there) as target:
        source.execute("SET rxbackup.actor = 'system'")
        target.execute("SET rxbackup.actor = 'system'")
        rows = source.execute("SELECT * FROM rxbackup.watermarks").fetchall()
        assert rows
        for row in rows:
            target.execute(f"INSERT INTO rxbackup.watermarks VALUES ({', '.join(['%s'] * len(row))})", row)
    plan = prepare_restore(outcome.manifest, RestoreRequest(), source_url=there)
    run_restore(plan, outcome.manifest, vault=vault, source_url=there)
    assert take_image(there).rows == before.rows


def test_tables_that_are_missing_there_are_said(system_database: str, database: str, vault: Vault) -> None:
    run_psql(system_database, _TABLES + _ROWS)
    outcome = back_up(system_database, vault)
    plan = prepare_restore(outcome.manifest, RestoreRequest(), source_url=database)
    with pytest.raises(PlanRefused, match=r"public\.firms, public\.items is in the backup but not") as caught:
        run_restore(plan, outcome.manifest, vault=vault, source_url=database)
    assert "Create the tables" in caught.value.hint
