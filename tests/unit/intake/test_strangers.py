"""Somebody with a key of his own can seal anything. What his manifest may say all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rxbackup.errors import FileCorrupt, Refused
from rxbackup.intake.limits import Bounds
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault
from tests.support.bombs import changed
from tests.support.imports import PHRASE, rows_of, take_archive
from tests.support.vaults import new_vault


def _table(made: Manifest, **changes: object) -> Manifest:
    return replace(made, tables=[replace(made.tables[0], **changes), *made.tables[1:]])


def _rows(rows: bytes):
    """The first table holds other bytes, counted as if they were its rows."""

    def change(vault: Vault, made: Manifest) -> Manifest:
        old = made.tables[0]
        chunk = vault.put_chunk(rows).id
        segment = replace(old.segments[0], chunks=[chunk], rows=rows.count(b"\n"), raw_bytes=len(rows))
        table = replace(old, segments=[segment], rows=segment.rows, raw_bytes=len(rows))
        totals = replace(made.totals, rows=made.totals.rows - old.rows + segment.rows)
        return replace(made, tables=[table, *made.tables[1:]], totals=totals, leans={})

    return change


LIES = {
    "a setting": lambda v, m: replace(m, pins={**m.pins, "session_replication_role": "replica"}),
    "another search path": lambda v, m: replace(m, pins={**m.pins, "search_path": "evil"}),
    "other dates": lambda v, m: replace(m, pins={**m.pins, "DateStyle": "German"}),
    "no dates": lambda v, m: replace(m, pins={}),
    "our schema": lambda v, m: _table(m, schema="rxbackup", name="accounts"),
    "the system's": lambda v, m: _table(m, schema="pg_catalog", name="pg_authid"),
    "a long name": lambda v, m: _table(m, name="x" * 1_000_000),
    "a zero in a name": lambda v, m: _table(m, name="a\0"),
    "an odd identity": lambda v, m: _table(m, columns=[replace(c, identity="always") for c in m.tables[0].columns]),
    "no time": lambda v, m: replace(m, created_at="now"),
    "another backup": lambda v, m: replace(m, backup_id="22222222-2222-4333-8444-555555555555"),
    "another vault": lambda v, m: replace(m, vault_id="22222222-2222-4333-8444-555555555555"),
    "a chunk that is not there": lambda v, m: _table(
        m, segments=[replace(m.tables[0].segments[0], chunks=["ab" * 32])]
    ),
    "more rows": lambda v, m: _table(m, rows=m.tables[0].rows + 1),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_lies_of_a_manifest_are_refused(lie) -> None:
    store = MemoryStore()
    with pytest.raises((FileCorrupt, Refused)) as caught:
        take_archive(changed(lie), new_vault(store), passphrase=PHRASE)
    assert len(caught.value.message) < 500
    assert [found.name for found in store.list()] == ["vault.json"]


ROWS = {
    "an end mark": b"1\ta\t1.00\tx\n\\.\n2\tb\t1.00\tx\n",
    "an end mark first": b"\\.\n2\tb\t1.00\tx\n",
    "no last newline": b"1\ta\t1.00\tx\n2\tb\t1.00\tx",
    "a column more": b"1\ta\t1.00\tx\ty\n",
    "a column less": b"1\ta\t1.00\n",
    "a zero byte": b"1\ta\0\t1.00\tx\n",
    "a carriage return": b"1\ta\r\t1.00\tx\n",
    "no UTF-8": b"1\t\xff\t1.00\tx\n",
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_that_copy_would_read_otherwise_are_refused(rows: bytes) -> None:
    store = MemoryStore()
    with pytest.raises(FileCorrupt):
        take_archive(changed(_rows(rows)), new_vault(store), passphrase=PHRASE)
    assert not list(store.list("manifests/"))


def test_more_rows_than_are_allowed_are_refused() -> None:
    with pytest.raises(Refused, match="bytes of rows"):
        take_archive(changed(lambda v, m: m), new_vault(), passphrase=PHRASE, bounds=Bounds(row_bytes=10_000))


def test_an_honest_stranger_is_taken_in() -> None:
    into = new_vault()
    taken = take_archive(changed(_rows(b"1\ta\\.\t1.00\tx\n")), into, passphrase=PHRASE)
    assert rows_of(into, taken.manifest)["public.assets"] == b"1\ta\\.\t1.00\tx\n"
