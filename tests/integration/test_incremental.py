"""A backup that leans on an earlier one holds exactly what its own snapshot saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from rxbackup.backup.run import BackupOutcome, BackupRequest, run_backup
from rxbackup.postgres.connecting import connect
from rxbackup.postgres.watermarks import act_as_system
from rxbackup.vault.vault import Vault
from tests.support.databases import restore, take_image
from tests.support.vaults import new_local_vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return new_local_vault(tmp_path)


@pytest.fixture
def assets(system_database: str) -> str:
    """One table of about six segments, one small one."""
    _run(
        system_database,
        "CREATE TYPE mood AS ENUM ('ok', 'broken')",
        "CREATE TABLE public.big (id int PRIMARY KEY, state mood, body text)",
        "INSERT INTO public.big SELECT n, 'ok', repeat(md5(n::text), 12) FROM generate_series(1, 60000) n",
        "CREATE TABLE public.names (id int PRIMARY KEY, what regclass)",
        "INSERT INTO public.names VALUES (1, 'public.big')",
        "CREATE TABLE public.small (id int PRIMARY KEY, body text)",
        "INSERT INTO public.small SELECT n, 'x' FROM generate_series(1, 100) n",
        "VACUUM ANALYZE public.big",
    )
    return system_database


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


def _lean(url: str, vault: Vault, base: BackupOutcome | None = None) -> BackupOutcome:
    request = BackupRequest(str(uuid4()), "Later", "", "admin@example.com")
    return run_backup(request, source_url=url, vault=vault, bases=[base.manifest] if base else [])


def _restores_exactly(url: str, vault: Vault, outcome: BackupOutcome) -> None:
    before = take_image(url)
    _run(url, "TRUNCATE public.big, public.small, public.names")
    restore(url, vault, outcome)
    assert take_image(url).differing(before) == []


def test_what_did_not_change_is_not_read_again(assets: str, vault: Vault) -> None:
    first = _lean(assets, vault)
    second = _lean(assets, vault, first)
    assert first.manifest.totals.segments_read == first.manifest.totals.segments_total > 6
    # The table that names others is always read.
    assert second.manifest.totals.segments_read == 1
    assert second.manifest.base_id == first.manifest.backup_id
    assert not any(r.is_new for r in second.receipts)
    assert second.manifest.totals.rows == first.manifest.totals.rows
    _restores_exactly(assets, vault, second)


def test_only_touched_segments_are_read_and_stored_as_differences(assets: str, vault: Vault) -> None:
    first = _lean(assets, vault)
    _run(
        assets, "UPDATE public.big SET body = 'new' WHERE id IN (10, 11, 12)", "DELETE FROM public.big WHERE id = 55000"
    )
    second = _lean(assets, vault, first)
    assert 3 <= second.manifest.totals.segments_read <= 4
    assert second.stored_bytes < first.stored_bytes / 8
    differences = {r.id: r.anchor for r in second.receipts if r.codec == "difference"}
    assert differences
    assert second.manifest.leans == differences
    assert first.manifest.leans == {}
    third = _lean(assets, vault, second)
    # Taken over, they still need their anchors.
    assert third.manifest.leans == differences
    assert third.manifest.needed_ids() > third.manifest.chunk_ids()
    _restores_exactly(assets, vault, third)
    _restores_exactly_as(assets, vault, first)


def _restores_exactly_as(url: str, vault: Vault, outcome: BackupOutcome) -> None:
    restore(url, vault, outcome)
    with connect(url, application_name="test") as conn:
        row = conn.execute("SELECT count(*), count(*) FILTER (WHERE body = 'new') FROM public.big").fetchone()
    assert row == (60000, 0)


def test_appended_rows_cost_only_the_end(assets: str, vault: Vault) -> None:
    first = _lean(assets, vault)
    _run(assets, "INSERT INTO public.big SELECT n, 'ok', repeat('y', 300) FROM generate_series(60001, 61500) n")
    second = _lean(assets, vault, first)
    assert second.manifest.totals.segments_read <= 3
    _restores_exactly(assets, vault, second)


@pytest.mark.parametrize(
    "change",
    [
        "VACUUM FULL public.big",
        "CLUSTER public.big USING big_pkey",
        "ALTER TABLE public.big ADD COLUMN extra int DEFAULT 7",
        "ALTER TABLE public.big DROP COLUMN body",
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
        "TRUNCATE public.big",
    ],
)
def test_a_rewritten_or_differently_written_table_is_read_whole(assets: str, vault: Vault, change: str) -> None:
    first = _lean(assets, vault)
    _run(assets, change)
    second = _lean(assets, vault, first)
    big = next(t for t in second.manifest.tables if t.name == "big")
    assert big.segments_read == len(big.segments)
    before = take_image(assets)
    _run(assets, "TRUNCATE public.big")
    restore(assets, vault, second)
    assert take_image(assets).differing(before) == []


def test_a_renamed_table_changes_the_text_of_those_that_name_it(assets: str, vault: Vault) -> None:
    first = _lean(assets, vault)
    _run(assets, "ALTER TABLE public.small RENAME TO little", "UPDATE public.names SET what = 'public.little'")
    second = _lean(assets, vault, first)
    _run(assets, "ALTER TABLE public.little RENAME TO tiny")
    third = _lean(assets, vault, second)
    before = take_image(assets)
    _run(assets, "TRUNCATE public.names")
    restore(assets, vault, third)
    assert take_image(assets).differing(before) == []


def test_without_its_watermark_nothing_is_taken_over(assets: str, vault: Vault) -> None:
    first = _lean(assets, vault)
    with connect(assets, application_name="test") as conn, conn.transaction():
        act_as_system(conn)
        assert conn.execute("DELETE FROM rxbackup.watermarks").rowcount == 1
    second = _lean(assets, vault, first)
    assert second.manifest.totals.segments_read == second.manifest.totals.segments_total
    assert not any(r.is_new for r in second.receipts)


@pytest.mark.parametrize("what", ["system_identifier", "horizon", "text_rules"])
def test_another_server_or_history_is_not_leaned_on(assets: str, vault: Vault, what: str) -> None:
    first = _lean(assets, vault)
    manifest = first.manifest
    other = {
        "system_identifier": replace(manifest, server=replace(manifest.server, system_identifier="1")),
        "horizon": replace(manifest, snapshot=replace(manifest.snapshot, horizon=str(2**40))),
        "text_rules": replace(manifest, snapshot=replace(manifest.snapshot, text_rules="")),
    }[what]
    second = _lean(assets, vault, replace(first, manifest=other))
    assert second.manifest.totals.segments_read == second.manifest.totals.segments_total


def test_a_transaction_open_during_the_first_backup_is_seen_by_the_second(assets: str, vault: Vault) -> None:
    with connect(assets, application_name="slow") as slow:
        slow.execute("BEGIN")
        slow.execute("UPDATE public.big SET body = 'late' WHERE id = 35000")
        slow.execute("SAVEPOINT s")
        slow.execute("DELETE FROM public.big WHERE id = 20000")
        first = _lean(assets, vault)
        slow.execute("COMMIT")
    second = _lean(assets, vault, first)
    assert second.manifest.totals.segments_read >= 3
    assert second.manifest.totals.rows == first.manifest.totals.rows - 1
    _restores_exactly(assets, vault, second)
