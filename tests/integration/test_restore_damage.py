"""A restore costs the damage: segments that did not change since the backup are neither opened nor staged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rxbackup.backup.run import BackupOutcome
from rxbackup.errors import PlanRefused
from rxbackup.postgres.connecting import connect
from rxbackup.restore.plan import RestoreRequest
from rxbackup.restore.report import RestoreReport
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.vault.vault import Vault
from tests.support.databases import Image, back_up, take_image
from tests.support.postgres import admin_url
from tests.support.vaults import new_local_vault

pytestmark = pytest.mark.integration

_SCHEMA = (
    "CREATE TABLE public.firm_makers (id int PRIMARY KEY, code text UNIQUE, body text)",
    "INSERT INTO public.firm_makers SELECT n, 'code ' || n, repeat(md5(n::text), 12) FROM generate_series(1, 3000) n",
    "CREATE TABLE public.firm_notes (id int PRIMARY KEY)",
    "CREATE TABLE public.item_things (id int PRIMARY KEY, maker int REFERENCES public.firm_makers {action}, body text)",
    "INSERT INTO public.item_things SELECT n, 1 + n % 3000, repeat(md5(n::text), 12) FROM generate_series(1, 6000) n",
    "CREATE TABLE public.item_parts (id int, kind int, body text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind)",
    "CREATE TABLE public.item_parts_1 PARTITION OF public.item_parts FOR VALUES IN (1)",
    "CREATE TABLE public.item_parts_2 PARTITION OF public.item_parts FOR VALUES IN (2)",
    "INSERT INTO public.item_parts SELECT n, 1 + n % 2, repeat(md5(n::text), 12) FROM generate_series(1, 4000) n",
)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with new_local_vault(tmp_path) as vault:
        yield vault


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


def _backed_up(url: str, vault: Vault, action: str = "") -> tuple[BackupOutcome, Image]:
    _run(url, *(statement.format(action=action) for statement in _SCHEMA))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rxbackup.backup.plan.SEGMENT_BYTES", 256 * 1024)
        return back_up(url, vault), take_image(url)


class Counting:
    """How many chunks a restore opens."""

    def __init__(self, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = 0
        real = vault.get_chunk

        def get_chunk(chunk: str) -> bytes:
            self.opened += 1
            return real(chunk)

        monkeypatch.setattr(vault, "get_chunk", get_chunk)


def _restore(
    url: str, vault: Vault, outcome: BackupOutcome, *, groups: tuple[str, ...] | None = None, rehearse: bool = False
) -> RestoreReport:
    plan = prepare_restore(outcome.manifest, RestoreRequest(groups=groups), source_url=url)
    return run_restore(plan, outcome.manifest, vault=vault, source_url=url, rehearse=rehearse)


def test_only_damaged_segments_are_opened(system_database: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, before = _backed_up(system_database, vault)
    total = outcome.manifest.totals.segments_total
    _run(
        system_database,
        "DELETE FROM public.item_things WHERE id BETWEEN 100 AND 149",
        "UPDATE public.item_things SET body = 'spoiled' WHERE id = 5900",
        "INSERT INTO public.item_things VALUES (70000, 1, 'new')",
        "UPDATE public.item_parts SET kind = 2 WHERE id = 2",
    )
    counting = Counting(vault, monkeypatch)
    rehearsed = _restore(system_database, vault, outcome, rehearse=True)
    report = _restore(system_database, vault, outcome)
    assert take_image(system_database).differing(before) == []
    things, parts = report.tables["public.item_things"], report.tables["public.item_parts"]
    assert (things.added, things.changed, things.removed) == (50, 1, 1)
    assert (parts.added, parts.changed, parts.removed) == (1, 0, 1)
    assert things.rows == 6000
    for name, result in report.tables.items():
        foretold = rehearsed.tables[name]
        assert (foretold.added, foretold.changed, foretold.removed) == (result.added, result.changed, result.removed)
    assert total >= 15
    assert counting.opened <= 2 * 7


def test_what_is_as_it_was_is_not_opened_at_all(
    system_database: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, before = _backed_up(system_database, vault)
    counting = Counting(vault, monkeypatch)
    report = _restore(system_database, vault, outcome)
    assert counting.opened == 0
    assert not any(t.added or t.changed or t.removed for t in report.tables.values())
    assert take_image(system_database).differing(before) == []


@pytest.mark.parametrize(
    "change",
    [
        "VACUUM FULL public.item_things",
        "ALTER TABLE public.item_things ALTER body TYPE varchar",
        "DELETE FROM rxbackup.watermarks",
    ],
)
def test_in_doubt_a_table_is_taken_whole(
    system_database: str, vault: Vault, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    outcome, before = _backed_up(system_database, vault)
    chunks = next(
        sum(len(s.chunks) for s in t.segments) for t in outcome.manifest.tables if t.qualified == "public.item_things"
    )
    _run(admin_url(system_database), change)
    counting = Counting(vault, monkeypatch)
    _restore(system_database, vault, outcome)
    assert counting.opened >= chunks
    _run(admin_url(system_database), "ALTER TABLE public.item_things ALTER body TYPE text")
    assert take_image(system_database).differing(before) == []


@pytest.mark.parametrize("action", ["", "ON DELETE SET NULL", "ON DELETE CASCADE", "ON DELETE SET DEFAULT"])
def test_rows_turn_to_a_parent_in_an_untouched_segment_and_back(
    system_database: str, vault: Vault, action: str
) -> None:
    """Parents that swapped a unique value are replaced, and what the key does meanwhile to untouched rows is mended."""
    outcome, before = _backed_up(system_database, vault, action)
    _run(
        system_database,
        # One row refers to a newcomer that must go, one to another old parent; a unique value changed hands.
        "INSERT INTO public.firm_makers VALUES (90000, 'code new', 'new')",
        "UPDATE public.item_things SET maker = 90000 WHERE id = 5",
        "UPDATE public.item_things SET maker = 2900 WHERE id = 6",
        "UPDATE public.firm_makers SET code = 'aside' WHERE id = 7",
        "UPDATE public.firm_makers SET code = 'code 7' WHERE id = 8",
        "UPDATE public.firm_makers SET code = 'code 8' WHERE id = 7",
    )
    report = _restore(system_database, vault, outcome)
    assert take_image(system_database).differing(before) == []
    assert report.tables["public.firm_makers"].removed == 1
    if not action:
        assert report.tables["public.item_things"].changed == 2


@pytest.mark.parametrize("action", ["ON DELETE CASCADE", "ON DELETE SET NULL"])
def test_borders_hold_where_only_a_part_is_staged(system_database: str, vault: Vault, action: str) -> None:
    outcome, _ = _backed_up(system_database, vault, action)
    _run(
        system_database,
        "INSERT INTO public.firm_makers VALUES (90000, 'code new', 'new')",
        "UPDATE public.item_things SET maker = 90000 WHERE id = 5",
    )
    damaged = take_image(system_database)
    with pytest.raises(PlanRefused, match="1 of its rows refer"):
        _restore(system_database, vault, outcome, groups=("Firm",))
    assert take_image(system_database).differing(damaged) == []
