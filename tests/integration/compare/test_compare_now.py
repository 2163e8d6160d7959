"""A backup against the live database: what changed since, at the price of what changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rxbackup.backup.run import BackupOutcome
from rxbackup.compare.now import pair_with_now, tables_now
from rxbackup.compare.pairs import Kept, pair_backups
from rxbackup.compare.run import RowDifference, TableDifference, compare_tables, different_rows
from rxbackup.postgres.connecting import connect
from rxbackup.postgres.consistent_read import consistent_read
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up
from tests.support.vaults import new_local_vault

_SCHEMA = (
    "CREATE TABLE public.item_things (id int PRIMARY KEY, name text, body text)",
    "INSERT INTO public.item_things SELECT n, 'thing ' || n, repeat(md5(n::text), 12) FROM generate_series(1, 6000) n",
    "CREATE TABLE public.item_parts (id int, kind int, body text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind)",
    "CREATE TABLE public.item_parts_1 PARTITION OF public.item_parts FOR VALUES IN (1)",
    "CREATE TABLE public.item_parts_2 PARTITION OF public.item_parts FOR VALUES IN (2)",
    "INSERT INTO public.item_parts SELECT n, 1 + n % 2, repeat(md5(n::text), 12) FROM generate_series(1, 4000) n",
    "CREATE TABLE public.item_marks (word text)",
    "INSERT INTO public.item_marks VALUES ('a'), ('a'), (NULL)",
)
THINGS, PARTS, MARKS = "public.item_things", "public.item_parts", "public.item_marks"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with new_local_vault(tmp_path) as vault:
        yield vault


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


@pytest.fixture
def taken(system_database: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> BackupOutcome:
    monkeypatch.setattr("rxbackup.backup.plan.SEGMENT_BYTES", 256 * 1024)
    _run(system_database, *_SCHEMA)
    return back_up(system_database, vault, processes=1)


class Opened:
    """How many chunks are opened."""

    def __init__(self, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        self.chunks = 0
        real = vault.get_chunk

        def get_chunk(chunk: str) -> bytes:
            self.chunks += 1
            return real(chunk)

        monkeypatch.setattr(vault, "get_chunk", get_chunk)


def _now(url: str, vault: Vault, taken: BackupOutcome, folder: Path) -> dict[str, TableDifference]:
    with consistent_read(url, tables_now(taken.manifest), lock_timeout_seconds=2) as read:
        pairs = pair_with_now(Kept(vault, taken.manifest), read, url)
        return {found.name: found for found in compare_tables(pairs, folder)}


def _rows(url: str, vault: Vault, taken: BackupOutcome, folder: Path, table: str) -> list[RowDifference]:
    with consistent_read(url, tables_now(taken.manifest, table), lock_timeout_seconds=2) as read:
        (pair,) = pair_with_now(Kept(vault, taken.manifest), read, url, only=table)
        return list(different_rows(pair, folder))


def _counts(found: TableDifference) -> tuple[int, int, int]:
    return found.added, found.changed, found.removed


def test_nothing_changed_and_nothing_is_opened(
    system_database: str, vault: Vault, taken: BackupOutcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(vault, monkeypatch)
    found = _now(system_database, vault, taken, tmp_path)
    assert set(found) == {THINGS, PARTS, MARKS}
    assert not any(each.differs for each in found.values())
    assert (opened.chunks, sum(each.parts_opened for each in found.values())) == (0, 0)
    assert found[THINGS].rows_after == 6000


def test_only_what_changed_is_opened(
    system_database: str, vault: Vault, taken: BackupOutcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(
        system_database,
        "DELETE FROM public.item_things WHERE id BETWEEN 100 AND 149",
        "UPDATE public.item_things SET name = NULL WHERE id = 5000",
        "INSERT INTO public.item_things VALUES (7001, 'new', E'tab\\t and \\\\ and \\n')",
        "UPDATE public.item_parts SET kind = 2 WHERE id = 2 AND kind = 1",
        "INSERT INTO public.item_marks VALUES ('a'), (NULL)",
    )
    opened = Opened(vault, monkeypatch)
    found = _now(system_database, vault, taken, tmp_path)
    assert _counts(found[THINGS]) == (1, 1, 50)
    assert _counts(found[PARTS]) == (1, 0, 1)
    assert (_counts(found[MARKS]), found[MARKS].by_key) == ((2, 0, 0), False)
    assert (found[THINGS].rows_before, found[THINGS].rows_after) == (6000, 5951)
    # The deleted rows' segment, the changed row's, the last one; in partitions both.
    assert opened.chunks <= 3 + 2 + 2 + 1 < taken.manifest.totals.chunks
    assert found[THINGS].parts_opened <= 6 < found[THINGS].parts_total

    rows = _rows(system_database, vault, taken, tmp_path, THINGS)
    assert [row.change for row in rows] == ["removed"] * 50 + ["changed", "added"]
    changed = {field.column: field for field in rows[50].fields}
    assert (changed["name"].before, changed["name"].after, changed["name"].differs) == (b"thing 5000", None, True)
    assert not changed["body"].differs
    assert rows[51].fields[2].after == b"tab\t and \\ and \n"


def test_a_rewritten_table_is_read_and_found_the_same(
    system_database: str, vault: Vault, taken: BackupOutcome, tmp_path: Path
) -> None:
    _run(system_database, "DELETE FROM public.item_things WHERE id <= 3000", "VACUUM FULL public.item_things")
    assert _counts(_now(system_database, vault, taken, tmp_path)[THINGS]) == (0, 0, 3000)


def test_a_changed_schema_is_told_in_words(
    system_database: str, vault: Vault, taken: BackupOutcome, tmp_path: Path
) -> None:
    _run(
        system_database,
        "ALTER TABLE public.item_things RENAME name TO title",
        "ALTER TABLE public.item_things ADD extra int DEFAULT 7",
        "UPDATE public.item_things SET title = 'other' WHERE id = 3",
        "DROP TABLE public.item_marks",
        "CREATE TABLE public.item_news (id int PRIMARY KEY)",
        "INSERT INTO public.item_news VALUES (1), (2)",
        "CREATE TABLE public.item_parts_3 PARTITION OF public.item_parts FOR VALUES IN (3)",
        "INSERT INTO public.item_parts VALUES (1, 3, 'x')",
    )
    found = _now(system_database, vault, taken, tmp_path)
    assert found[THINGS].notes == (
        "Column name looks renamed to title.", "Column extra is new: its values are not compared."
    )  # fmt: skip
    assert _counts(found[THINGS]) == (0, 1, 0)
    assert (_counts(found[MARKS]), found[MARKS].rows_after) == ((0, 0, 3), None)
    assert found[MARKS].notes == ("The table is gone.",)
    assert _counts(found["public.item_news"]) == (2, 0, 0)
    assert _counts(found[PARTS]) == (1, 0, 0)
    (row,) = _rows(system_database, vault, taken, tmp_path, THINGS)
    assert [(f.column, f.before, f.after) for f in row.fields][1] == ("title", b"thing 3", b"other")
    assert len(_rows(system_database, vault, taken, tmp_path, MARKS)) == 3


def test_two_backups_differ_by_what_happened_between(
    system_database: str, vault: Vault, taken: BackupOutcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(
        system_database,
        "DELETE FROM public.item_things WHERE id BETWEEN 100 AND 149",
        "UPDATE public.item_parts SET body = 'short' WHERE id IN (7, 8)",
    )
    later = back_up(system_database, vault, processes=1)
    _run(system_database, "DELETE FROM public.item_things")
    opened = Opened(vault, monkeypatch)
    pairs = pair_backups(Kept(vault, taken.manifest), Kept(vault, later.manifest))
    found = {each.name: each for each in compare_tables(pairs, tmp_path)}
    assert (_counts(found[THINGS]), _counts(found[PARTS]), _counts(found[MARKS])) == ((0, 0, 50), (0, 2, 0), (0, 0, 0))
    assert opened.chunks == sum(each.parts_opened for each in found.values())
    assert opened.chunks <= 2 + 2 * 4
    back = {each.name: each for each in compare_tables(pair_backups(*(
        Kept(vault, each.manifest) for each in (later, taken))), tmp_path)}  # fmt: skip
    assert _counts(back[THINGS]) == (50, 0, 0)
