from __future__ import annotations

from dataclasses import replace

import pytest

from rxbackup.errors import ChunkCorrupt, Corrupt, ManifestCorrupt
from rxbackup.export.json_document import write_json
from rxbackup.export.sql_script import write_sql
from rxbackup.progress import Progress
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault
from tests.support.vaults import column, manifest, new_vault, sequence, table


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def vault(store: MemoryStore) -> Vault:
    return new_vault(store)


@pytest.fixture
def whole(vault: Vault) -> Manifest:
    parents = table(vault, "parents", [column("id", "integer")], [b"1\n"])
    columns = [column("id", "integer"), column('na"me'), column("twice", generated="s")]
    children = table(vault, "children", columns, [b"1\ta\\nb\n", b"2\t\\N\n"])
    return manifest(vault, [parents, children], [sequence(), sequence("new", last_value=1, is_called=False)])


def test_script_holds_rows_untouched_in_the_order_of_the_manifest(vault: Vault, whole: Manifest) -> None:
    script = b"".join(write_sql(vault, whole)).decode()
    assert 'COPY "public"."children" ("id", "na""me") FROM stdin;\n1\ta\\nb\n2\t\\N\n\\.\n' in script
    assert script.index('COPY "public"."parents"') < script.index('COPY "public"."children"')
    assert """SELECT pg_catalog.setval('"public"."things_id_seq"', 41, true);""" in script
    assert """SELECT pg_catalog.setval('"public"."new"', 1, false);""" in script
    assert script.endswith("\nCOMMIT;\n")
    for line in ("SET client_encoding = 'UTF8';", "SET DateStyle = 'ISO, YMD';", "SET search_path = '';", "BEGIN;"):
        assert f"\n{line}\n" in script


@pytest.mark.parametrize("name", ["a\n\\! id", "a\r\\! id", "a\u2028b", "a\\g", "-- x\n;DROP TABLE t;"])
def test_names_never_leave_their_comment(vault: Vault, whole: Manifest, name: str) -> None:
    evil = replace(whole, name=name, server=replace(whole.server, database=name))
    comments = [line for line in b"".join(write_sql(vault, evil)).decode().split("\n") if "?" in line]
    assert comments
    assert all(line.startswith("-- ") and "\\" not in line for line in comments)
    assert "\r" not in "".join(comments)


def test_pins_that_are_no_value_settings_are_left_out(vault: Vault, whole: Manifest) -> None:
    odd = replace(whole, pins={"x'; DROP TABLE t; --": "1", "role": "postgres", "TimeZone": "o'clock"})
    script = b"".join(write_sql(vault, odd)).decode()
    assert "DROP TABLE" not in script
    assert "SET role" not in script
    assert "SET TimeZone = 'o''clock';" in script


@pytest.mark.parametrize("write", [write_json, write_sql])
def test_progress_reaches_the_end(vault: Vault, whole: Manifest, write: type) -> None:
    seen: list[Progress] = []
    list(write(vault, whole, on_progress=seen.append))
    assert (seen[-1].rows_done, seen[-1].tables_done) == (3, 2)
    assert seen[-1].bytes_done == whole.totals.raw_bytes


@pytest.mark.parametrize("write", [write_json, write_sql])
def test_damaged_chunk_ends_the_export_before_it_looks_complete(
    store: MemoryStore, vault: Vault, whole: Manifest, write: type
) -> None:
    chunk = whole.tables[1].segments[1].chunks[0]
    store.put(f"chunks/{chunk[:2]}/{chunk}-0", b"x" * 200)
    written = []
    with pytest.raises(ChunkCorrupt):
        written.extend(write(vault, whole))
    assert not b"".join(written).endswith((b"COMMIT;\n", b"}}\n"))


@pytest.mark.parametrize("write", [write_json, write_sql])
def test_segment_with_other_rows_than_counted_is_damage(vault: Vault, whole: Manifest, write: type) -> None:
    other = vault.put_chunk(b"1\tx\n2\ty\n").id
    entry = whole.tables[1]
    segments = [replace(entry.segments[0], chunks=[other]), entry.segments[1]]
    wrong = replace(whole, tables=[whole.tables[0], replace(entry, segments=segments)])
    with pytest.raises(ManifestCorrupt, match=r"public\.children"):
        list(write(vault, wrong))
    assert issubclass(ManifestCorrupt, Corrupt)
