"""A rehearsal shows some of the rows that would be added, changed or removed, and how much of a table differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rxbackup.backup.run import BackupOutcome
from rxbackup.postgres.connecting import connect
from rxbackup.postgres.sampling import RowSample
from rxbackup.restore.plan import RestoreRequest
from rxbackup.restore.report import RestoreReport
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up, take_image
from tests.support.postgres import admin_url
from tests.support.vaults import new_local_vault

_SCHEMA = (
    'CREATE TABLE public.items (id int PRIMARY KEY, label text, price numeric, flag bool, code char(5), "o "" é" json)',
    "ALTER TABLE public.items ADD twice numeric GENERATED ALWAYS AS (price * 2) STORED",
    "INSERT INTO public.items SELECT n, 'item ' || n, n, true, 'c', '{}' FROM generate_series(1, 100) n",
    "CREATE TABLE public.loose (label text, point point)",
    "INSERT INTO public.loose SELECT 'loose ' || n % 10, '(1,2)' FROM generate_series(1, 100) n",
)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with new_local_vault(tmp_path) as vault:
        yield vault


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


def _rehearse(
    url: str, vault: Vault, outcome: BackupOutcome, *, samples: int = 20, mode: str = "exact"
) -> RestoreReport:
    plan = prepare_restore(outcome.manifest, RestoreRequest(mode=mode), source_url=url)
    return run_restore(plan, outcome.manifest, vault=vault, source_url=url, rehearse=True, samples=samples)


def _set_up(url: str, vault: Vault) -> BackupOutcome:
    _run(url, *_SCHEMA)
    return back_up(url, vault)


def _essence(samples: Sequence[RowSample], column: str = "id") -> list[tuple[str, str | None]]:
    found = []
    for row in samples:
        (field,) = (f for f in row.fields if f.column == column)
        found.append((row.change, field.after if row.change == "add" else field.before))
    return found


def test_rows_of_every_kind_are_shown_in_the_order_of_their_keys(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "DELETE FROM public.items WHERE id IN (30, 4)",
        "UPDATE public.items SET price = 7, label = NULL WHERE id IN (9, 8)",
        "INSERT INTO public.items (id, label) VALUES (300, 'new'), (200, 'new')",
    )
    before = take_image(system_database)
    samples = _rehearse(system_database, vault, outcome).tables["public.items"].samples
    assert take_image(system_database) == before
    assert _essence(samples) == [
        ("add", "4"),
        ("add", "30"),
        ("change", "8"),
        ("change", "9"),
        ("remove", "200"),
        ("remove", "300"),
    ]
    assert [(f.column, f.before, f.after) for f in samples[2].fields if f.differs] == [
        ("label", None, "item 8"),
        ("price", "7", "8"),
    ]
    assert [(f.column, f.before, f.after, f.differs) for f in samples[0].fields] == [
        ("id", None, "4", True),
        ("label", None, "item 4", True),
        ("price", None, "4", True),
        ("flag", None, "t", True),
        ("code", None, "c    ", True),
        ('o " é', None, "{}", True),
    ]
    assert {f.after for f in samples[5].fields} == {None}


def test_a_difference_is_marked_although_the_cut_values_look_alike(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "UPDATE public.items SET price = 3.00 WHERE id = 3",
        "UPDATE public.items SET label = 'item 5' || repeat('ü', 5000) WHERE id = 5",
    )
    numeric, long = _rehearse(system_database, vault, outcome).tables["public.items"].samples
    assert [(f.before, f.after) for f in numeric.fields if f.differs] == [("3.00", "3")]
    (label,) = (f for f in long.fields if f.differs)
    assert label.before is not None
    assert len(label.before) == 200


def test_no_more_rows_are_shown_than_asked_for_and_each_kind_has_its_share(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "DELETE FROM public.items WHERE id <= 40",
        "UPDATE public.items SET flag = false WHERE id > 50",
        "INSERT INTO public.items (id) VALUES (500)",
    )
    report = _rehearse(system_database, vault, outcome, samples=11)
    kinds = [row.change for row in report.tables["public.items"].samples]
    assert kinds == ["add"] * 5 + ["change"] * 5 + ["remove"]
    assert (report.tables["public.items"].added, report.tables["public.items"].changed) == (40, 50)
    assert all(t.samples == () for t in _rehearse(system_database, vault, outcome, samples=0).tables.values())


@pytest.mark.parametrize(("mode", "kinds"), [("missing", {"add"}), ("changed", {"add", "change"})])
def test_only_what_the_mode_does_is_shown(system_database: str, vault: Vault, mode: str, kinds: set[str]) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "DELETE FROM public.items WHERE id = 1",
        "UPDATE public.items SET flag = false WHERE id = 2",
        "INSERT INTO public.items (id) VALUES (500)",
        "INSERT INTO public.loose VALUES ('new')",
        "DELETE FROM public.loose WHERE label = 'loose 3'",
    )
    report = _rehearse(system_database, vault, outcome, mode=mode)
    assert {row.change for row in report.tables["public.items"].samples} == kinds
    assert _essence(report.tables["public.loose"].samples, "label") == [("add", "loose 3")] * 10


def test_rows_without_a_key_are_shown_copy_by_copy(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "DELETE FROM public.loose WHERE ctid IN (SELECT ctid FROM public.loose WHERE label = 'loose 1' LIMIT 2)",
        "INSERT INTO public.loose VALUES ('loose 2', '(1,2)'), ('a', NULL)",
    )
    samples = _rehearse(system_database, vault, outcome).tables["public.loose"].samples
    assert _essence(samples, "label") == [
        ("add", "loose 1"),
        ("add", "loose 1"),
        ("remove", "loose 2"),
        ("remove", "a"),
    ]


def test_it_is_told_how_many_parts_of_a_table_differ(system_database: str, vault: Vault) -> None:
    _run(
        system_database,
        "CREATE TABLE public.parts (id int PRIMARY KEY, body text)",
        "INSERT INTO public.parts SELECT n, repeat(md5(n::text), 12) FROM generate_series(1, 6000) n",
        "CREATE TABLE public.calm (id int PRIMARY KEY)",
        "INSERT INTO public.calm VALUES (1)",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rxbackup.backup.plan.SEGMENT_BYTES", 256 * 1024)
        outcome = back_up(system_database, vault)
    _run(system_database, "UPDATE public.parts SET body = 'spoiled' WHERE id = 3")
    report = _rehearse(system_database, vault, outcome)
    segments = report.tables["public.parts"].segments
    assert segments is not None
    assert segments[0] in {1, 2}
    assert segments[1] >= 8
    assert report.tables["public.calm"].segments == (0, 1)
    assert [row.change for row in report.tables["public.parts"].samples] == ["change"]
    _run(admin_url(system_database), "DELETE FROM rxbackup.watermarks")
    assert _rehearse(system_database, vault, outcome).tables["public.parts"].segments is None


def test_a_table_may_have_as_many_columns_as_postgresql_allows(system_database: str, vault: Vault) -> None:
    columns = ", ".join(f"c{n} int" for n in range(1599))
    _run(
        system_database,
        f"CREATE TABLE public.wide (id int PRIMARY KEY, {columns})",
        "INSERT INTO public.wide (id, c1598) VALUES (1, 1)",
    )
    outcome = back_up(system_database, vault)
    _run(system_database, "UPDATE public.wide SET c1598 = 2")
    (row,) = _rehearse(system_database, vault, outcome).tables["public.wide"].samples
    assert [(f.column, f.before, f.after) for f in row.fields if f.differs] == [("c1598", "2", "1")]
