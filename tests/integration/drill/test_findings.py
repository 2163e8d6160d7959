"""A drill tells damage from what cannot be proven, and names both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rxbackup.backup.run import BackupOutcome
from rxbackup.postgres.scratch_trying import read_back
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.manifest import Manifest, SegmentEntry, TableEntry
from rxbackup.vault.vault import Vault
from rxbackup.verify.drill import verify_drill
from rxbackup.verify.report import VerifyReport
from tests.support.databases import back_up
from tests.support.drills import drill, leftovers, run
from tests.support.vaults import new_vault

SHOP = """
CREATE TYPE size AS ENUM ('small', 'large');
CREATE TABLE kinds (id int, code text, size size);
CREATE TABLE things (id serial PRIMARY KEY, kind int, price int);
INSERT INTO kinds SELECT n, 'code ' || n, 'small' FROM generate_series(1, 9) n;
INSERT INTO things (kind, price) SELECT 1 + n % 9, n FROM generate_series(1, 90) n;
"""


ORPHANS = """
DELETE FROM kinds WHERE id = 3;
ALTER TABLE kinds ADD PRIMARY KEY (id);
ALTER TABLE things ADD CONSTRAINT known FOREIGN KEY (kind) REFERENCES kinds NOT VALID;
"""


@pytest.fixture
def shop(database: str) -> str:
    run(database, SHOP)
    return database


@pytest.mark.parametrize(
    ("breach", "named"),
    [
        ("ALTER TABLE things ADD CONSTRAINT cheap CHECK (price < 50) NOT VALID", "the check cheap"),
        (
            ORPHANS,
            "the foreign key known",
        ),
    ],
)
def test_rows_that_break_a_constraint_which_never_looked_at_them(shop: str, breach: str, named: str) -> None:
    run(shop, breach)
    vault = new_vault()
    outcome = back_up(shop, vault)

    report = drill(shop, vault, outcome)

    assert report.ok
    (obstacle,) = report.unproven
    assert obstacle.table == "public.things"
    assert f"its rows do not keep {named}" in obstacle.reason
    assert report.rows == outcome.manifest.totals.rows
    assert leftovers(shop) == []


def test_a_domain_that_refuses_its_own_rows(database: str) -> None:
    run(database, "CREATE DOMAIN word AS text; CREATE TABLE words (w word); INSERT INTO words VALUES ('a'), ('B')")
    run(database, "ALTER DOMAIN word ADD CONSTRAINT small CHECK (VALUE = lower(VALUE)) NOT VALID")
    vault = new_vault()
    outcome = back_up(database, vault)

    report = drill(database, vault, outcome)

    assert report.ok
    (obstacle,) = report.unproven
    assert "the database does not take its rows" in obstacle.reason
    assert 'violates check constraint "small"' in obstacle.reason


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("DROP TABLE things", "public.things: the table is no longer in the database"),
        ("ALTER TABLE things DROP COLUMN price", "public.things: the column price is no longer in the database"),
        ("ALTER TABLE things ALTER price TYPE text", "public.things: the column price was integer and is text now"),
        (
            "ALTER TABLE things ADD new text NOT NULL DEFAULT ''; ALTER TABLE things ALTER new DROP DEFAULT",
            "column new",
        ),
        ("ALTER TABLE kinds DROP COLUMN size; DROP TYPE size", "public.kinds: the database has no type public.size"),
        ("ALTER TYPE size RENAME VALUE 'small' TO 'tiny'", "invalid input value for enum"),
        ("ALTER TABLE things ADD extra int DEFAULT 1; CREATE UNIQUE INDEX wide ON things (id, extra)", "wide needs a"),
    ],
)
def test_a_database_that_changed_since_is_no_damage(shop: str, change: str, named: str) -> None:
    vault = new_vault()
    outcome = back_up(shop, vault)
    run(shop, change)

    report = drill(shop, vault, outcome)

    assert report.ok
    assert any(named in str(each) for each in report.unproven), [str(each) for each in report.unproven]
    assert {each.table for each in report.unproven} <= {"public.things", "public.kinds"}
    assert len({each.table for each in report.unproven}) == 1
    assert leftovers(shop) == []


def test_every_flipped_byte_is_found_and_named(shop: str) -> None:
    store = MemoryStore()
    vault = new_vault(store)
    outcome = back_up(shop, vault)
    for number, found in enumerate(list(store.list("chunks/"))):
        sealed = store.get(found.name)
        store.put(found.name, sealed[:140] + bytes([sealed[140] ^ 1]) + sealed[141:])
        report = drill(shop, vault, outcome)
        assert len({each.chunk for each in report.damaged}) == number + 1
        assert "cannot be used" in report.damaged[0].reason
    assert report.damaged_tables == ("public.kinds", "public.things")
    assert report.rows == 0
    assert leftovers(shop) == []


def _lie(manifest: Manifest, name: str, vault: Vault, content: bytes, *, rows: int) -> Manifest:
    """The manifest with other rows in one table."""

    def changed(table: TableEntry) -> TableEntry:
        if table.name != name:
            return table
        segment = SegmentEntry(0, None, rows, len(content), [vault.put_chunk(content).id])
        return replace(table, rows=rows, raw_bytes=len(content), segments=[segment])

    tables = [changed(table) for table in manifest.tables]
    totals = replace(manifest.totals, rows=sum(t.rows for t in tables), raw_bytes=sum(t.raw_bytes for t in tables))
    return replace(manifest, tables=tables, totals=totals)


def _drill_lie(url: str, vault: Vault, outcome: BackupOutcome, content: bytes, *, rows: int) -> VerifyReport:
    return verify_drill(vault, _lie(outcome.manifest, "things", vault, content, rows=rows), source_url=url)


@pytest.mark.parametrize(
    ("content", "rows", "said"),
    [
        (b"1\t1\t1\n2\t2\t2\n", 3, "it holds 2 rows, the manifest says 3"),
        (b"1\t1\t1\n\\.\n3\t3\t3\n", 3, "PostgreSQL finds"),
        (b"1\t1\n", 1, "make no sense"),
        (b"01\t1\t1\n", 1, "are not those that the backup holds"),
        (b"1\t1\t1", 1, "cut off"),
    ],
    ids=["too few", "end mark", "short row", "other text", "cut"],
)
def test_rows_that_are_not_what_the_manifest_says_are_damage(shop: str, content: bytes, rows: int, said: str) -> None:
    vault = new_vault()
    report = _drill_lie(shop, vault, back_up(shop, vault), content, rows=rows)

    assert report.damaged_tables == ("public.things",)
    assert any(said in each.reason for each in report.damaged), [str(each) for each in report.damaged]
    assert leftovers(shop) == []


def test_rows_that_break_a_key_are_not_proven(shop: str) -> None:
    vault = new_vault()
    report = _drill_lie(shop, vault, back_up(shop, vault), b"1\t1\t1\n1\t2\t2\n", rows=2)

    assert report.ok
    assert "the primary key things_pkey" in report.unproven[0].reason


def test_a_type_in_a_manifest_never_becomes_a_statement(shop: str) -> None:
    vault = new_vault()
    manifest = back_up(shop, vault).manifest
    evil = "integer); DROP TABLE public.kinds; CREATE TABLE public.evil (x integer"
    tables = [replace(t, columns=[replace(c, type=evil) for c in t.columns]) for t in manifest.tables]

    report = verify_drill(vault, replace(manifest, tables=tables), source_url=shop)

    assert all("the database has no type" in each.reason for each in report.unproven)
    assert len(report.unproven) == 2
    assert len(drill(shop, vault, back_up(shop, vault)).unproven) == 0


def test_rows_in_another_order_are_the_same_rows(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def backwards(*args: Any, **kwargs: Any) -> list[tuple[bytes, int]]:
        rows = b"".join(bytes(piece) for piece, _ in read_back(*args, **kwargs)).splitlines(keepends=True)
        return [(row, 1) for row in reversed(rows)]

    monkeypatch.setattr("rxbackup.verify.drill_run.read_back", backwards)
    vault = new_vault()
    outcome = back_up(shop, vault)

    report = drill(shop, vault, outcome)

    assert report.damaged == ()
    assert report.rows == outcome.manifest.totals.rows
