"""However rows are cut into segments and chunks: pages are the table, filters find what a naive look finds."""

from __future__ import annotations

import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxbackup.compare.filters import Filter, RowTest, parse_filter
from rxbackup.compare.rows import Place, read_rows
from rxbackup.compare.selection import write_csv, write_json
from rxbackup.compare.tables import KeptTable, find_table
from rxbackup.errors import UsageError
from rxbackup.postgres.copy_format import join_row
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault
from tests.support.vaults import column, manifest, new_vault, table

letters = st.text(alphabet='aAkKiI\u212aäÄ\\\t\n,"N ', max_size=6)
values = st.one_of(st.none(), letters, st.sampled_from(["", "\\N", "Kelvin", "İstanbul", "x" * 40]))
rows = st.lists(st.tuples(values, values), max_size=12)


def _kept(segments: list[list[tuple[str | None, str | None]]], limit: int) -> tuple[Vault, Manifest, KeptTable]:
    vault = new_vault()
    texts = [b"".join(join_row(None if v is None else v.encode() for v in row) for row in each) for each in segments]
    entry = table(vault, "things", [column("a"), column("b")], texts, limit=limit)
    made = manifest(vault, [entry])
    return vault, made, find_table(made, "things")


def _walk(vault: Vault, made: Manifest, kept: KeptTable, limit: int, **options: object) -> list[tuple[str | None, ...]]:
    found, start, pages = [], None, 0
    while True:
        page = read_rows(vault, made, kept, start=start, limit=limit, **options)  # type: ignore[arg-type]
        assert len(page.rows) <= limit
        found += [tuple(None if v is None else v.decode() for v in row.values) for row in page.rows]
        pages += 1
        if page.next is None:
            return found
        assert start is None or page.next > start
        start = Place.parse(str(page.next), kept)
        assert pages < 400


@given(st.lists(rows, max_size=4), st.integers(1, 30), st.integers(1, 5), st.sampled_from([None, 1, 20]))
def test_pages_together_are_the_table(
    segments: list[list[tuple[str | None, str | None]]], chunk: int, limit: int, most_bytes: int | None
) -> None:
    vault, made, kept = _kept(segments, chunk)
    assert _walk(vault, made, kept, limit, most_bytes=most_bytes) == [row for each in segments for row in each]


@given(st.lists(rows, max_size=4), st.integers(1, 30))
def test_every_row_can_be_found_again_by_its_place(
    segments: list[list[tuple[str | None, str | None]]], chunk: int
) -> None:
    vault, made, kept = _kept(segments, chunk)
    for row in read_rows(vault, made, kept, limit=1000).rows:
        assert read_rows(vault, made, kept, start=row.place, limit=1).rows[0].values == row.values


def _fits(each: Filter, row: dict[str, str | None]) -> bool:
    value = row[each.column]
    match each.kind:
        case "is":
            return value == each.value
        case "has":
            return value is not None and each.value.lower() in value.lower()
        case "null":
            return value is None
        case _:
            return value is not None


filters = st.builds(Filter, st.sampled_from(["a", "b"]), st.sampled_from(["is", "has", "null", "not-null"]), letters)


@given(st.lists(rows, max_size=4), st.integers(1, 30), st.lists(filters, max_size=2), st.integers(1, 5))
def test_filters_find_what_a_naive_look_finds(
    segments: list[list[tuple[str | None, str | None]]], chunk: int, wanted: list[Filter], limit: int
) -> None:
    vault, made, kept = _kept(segments, chunk)
    expected = [row for each in segments for row in each if all(_fits(f, {"a": row[0], "b": row[1]}) for f in wanted)]
    assert _walk(vault, made, kept, limit, filters=wanted) == expected
    as_json = orjson.loads(b"".join(write_json(vault, made, kept, wanted)))
    assert as_json == [{"a": a, "b": b} for a, b in expected]
    as_csv = b"".join(write_csv(vault, made, kept, wanted)).decode()
    assert list(csv.reader(io.StringIO(as_csv, newline=""))) == [["a", "b"], *[[a or "", b or ""] for a, b in expected]]


@given(st.text(max_size=12))
def test_what_is_written_is_a_condition_or_refused(text: str) -> None:
    _, _, kept = _kept([[("x", None)]], 100)
    try:
        found = parse_filter(text, kept)
    except UsageError:
        return
    RowTest([found], kept.entries[0], "utf-8").fits(b"x\t\\N")


def test_a_place_between_rows_is_refused() -> None:
    vault, made, kept = _kept([[("one", "two"), ("three", "four")]], 100)
    for text in ("0.0.0.1", "0.0.0.99", "9.0.0.0", "0.0.7.0", "x", "0.0.0", "-1.0.0.0", "0.0.0." + "9" * 30):
        with pytest.raises(UsageError):
            read_rows(vault, made, kept, start=Place.parse(text, kept), limit=1)
