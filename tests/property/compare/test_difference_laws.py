"""However rows are cut, spread and put aside: the difference is that of a naive look at all rows in memory."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxbackup.compare import pairing, reading
from rxbackup.compare.columns import ColumnThen, match_columns
from rxbackup.compare.pairing import Pairing
from rxbackup.compare.pairs import Kept, pair_backups
from rxbackup.compare.run import compare_tables, different_rows
from rxbackup.postgres.copy_format import join_row
from rxbackup.vault.manifest import TableEntry
from rxbackup.vault.vault import Vault
from tests.support.vaults import column, manifest, new_vault, table

Row = tuple[str | None, str | None, str | None]
_NAMES = ("a", "b", "c")

values = st.one_of(st.none(), st.sampled_from(["", "x", "y\t", "\\N", "zz" * 20]))
keys = st.integers(-9, 30).map(str)
keyed = st.dictionaries(st.tuples(keys, st.sampled_from("pq")), values, max_size=25).map(
    lambda found: [(a, b, c) for (a, b), c in found.items()]
)
keyless = st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("rs"), values), max_size=25)
cuts = st.lists(st.integers(0, 25), max_size=4)


def _entry(
    vault: Vault, rows: list[Row], cut: list[int], order: tuple[int, ...], key: tuple[str, ...], limit: int
) -> TableEntry:
    bounds = [0, *sorted(cut), len(rows)]
    texts = [
        b"".join(join_row(None if (v := row[at]) is None else v.encode() for at in order) for row in rows[a:b])
        for a, b in itertools.pairwise(bounds)
    ]
    made = table(vault, "things", [column(_NAMES[at]) for at in order], texts, limit=limit)
    return replace(made, primary_key=list(key))


def _naive(before: list[Row], after: list[Row], key: tuple[int, ...]) -> Counter[tuple[str, Row | None, Row | None]]:
    if not key:
        old, new = Counter(before), Counter(after)
        gone = Counter({("removed", row, None): n for row, n in (old - new).items()})
        return gone + Counter({("added", None, row): n for row, n in (new - old).items()})
    first = {tuple(row[at] for at in key): row for row in before}
    second = {tuple(row[at] for at in key): row for row in after}
    found = Counter(("removed", row, None) for name, row in first.items() if name not in second)
    found.update(("added", None, row) for name, row in second.items() if name not in first)
    found.update(
        ("changed", row, second[name]) for name, row in first.items() if name in second and second[name] != row
    )
    return found  # type: ignore[return-value]


def _row(fields: list[tuple[str, bytes | None]]) -> Row:
    by_name = {name: None if value is None else value.decode() for name, value in fields}
    return tuple(by_name[name] for name in _NAMES)  # type: ignore[return-value]


orders = st.permutations(range(3)).map(tuple)


contents = st.one_of(
    st.tuples(keyed, keyed, st.just(("a", "b"))),
    st.tuples(keyed, keyed, st.just(("b", "a"))),
    st.tuples(keyless, keyless, st.just(())),
)
bounds = st.tuples(st.integers(1, 60), st.sampled_from([1, 50, 1 << 20]), st.sampled_from([0, 40, 1 << 20]))


@given(contents, st.tuples(cuts, cuts), st.tuples(orders, orders), bounds)
def test_it_is_what_a_naive_look_finds(
    sides: tuple[list[Row], list[Row], tuple[str, ...]],
    cut: tuple[list[int], list[int]],
    order: tuple[tuple[int, ...], tuple[int, ...]],
    bound: tuple[int, int, int],
) -> None:
    before, after, key = sides
    limit, memory, held = bound
    vault = new_vault()
    old = Kept(vault, manifest(vault, [_entry(vault, before, cut[0], order[0], key, limit)]))
    new = Kept(vault, manifest(vault, [_entry(vault, after, cut[1], order[1], key, limit)]))
    expected = _naive(before, after, tuple(_NAMES.index(name) for name in key))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairing, "MEMORY_BYTES", memory)
        patch.setattr(pairing, "_FILES", 4)
        patch.setattr(reading, "HELD_BYTES", held)
        (pair,) = pair_backups(old, new)
        (found,) = compare_tables([pair], Path(folder))
        listed = list(different_rows(pair, Path(folder)))
        assert not list(Path(folder).iterdir())
    counts = Counter(change for change, _, _ in expected.elements())
    assert (found.added, found.changed, found.removed) == (counts["added"], counts["changed"], counts["removed"])
    assert (found.rows_before, found.rows_after) == (len(before), len(after))
    got = Counter(
        (
            row.change,
            None if row.change == "added" else _row([(f.column, f.before) for f in row.fields]),
            None if row.change == "removed" else _row([(f.column, f.after) for f in row.fields]),
        )
        for row in listed
    )
    assert got == expected
    for row in listed:
        assert all(f.differs == (row.change != "changed" or f.before != f.after) for f in row.fields)


@given(keyed, cuts, st.data())
def test_equal_segments_are_never_opened(rows: list[Row], cut: list[int], data: st.DataObject) -> None:
    vault = new_vault()
    key = ("a", "b")
    changed = list(rows)
    if rows and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(rows) - 1))
        changed[at] = (rows[at][0], rows[at][1], "another")
    sides = [Kept(vault, manifest(vault, [_entry(vault, each, cut, (0, 1, 2), key, 1000)])) for each in (rows, changed)]
    opened: list[str] = []
    real = vault.get_chunk
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(vault, "get_chunk", lambda chunk: (opened.append(chunk), real(chunk))[1])
        (found,) = compare_tables(pair_backups(*sides), Path(folder))
    expected = 0 if changed == rows else 2
    assert (len(opened), found.parts_opened, found.changed) == (expected, expected, expected // 2)


def test_keys_that_are_unique_in_each_partition_only() -> None:
    with TemporaryDirectory() as folder, Pairing((0,), Path(folder)) as pile:
        pile.add(0, [b"1\ta", b"1\tb", b"1\tc", b"2\td"])
        pile.add(1, [b"1\tc", b"1\ta", b"1\tx", b"10\te"])
        assert list(pile.differences()) == [(b"1\tb", b"1\tx"), (b"2\td", None), (None, b"10\te")]


def test_differences_come_by_key_as_people_count() -> None:
    with TemporaryDirectory() as folder, Pairing((0,), Path(folder)) as pile:
        pile.add(1, [b"b\t", b"10\t", b"9\t", b"-3\t"])
        assert [after for _, after in pile.differences()] == [b"-3\t", b"9\t", b"10\t", b"b\t"]


def _columns(*named: tuple[str, str, int]) -> list[ColumnThen]:
    return [ColumnThen(*each) for each in named]


def test_columns_are_told_in_words() -> None:
    found = match_columns(
        _columns(("id", "integer", 1), ("title", "text", 2), ("size", "integer", 3), ("old", "text", 4)),
        _columns(("id", "integer", 1), ("name", "text", 2), ("size", "bigint", 3), ("fresh", "text", 5)),
        key_before=("id",), key_after=("id",), same_table=True,
    )  # fmt: skip
    assert (found.before, found.after, found.key) == (("id", "title", "size"), ("id", "name", "size"), (0,))
    assert found.notes == (
        "Column title looks renamed to name.",
        "Column size was integer and is bigint.",
        "Column old is gone: its values are not compared.",
        "Column fresh is new: its values are not compared.",
    )


def test_another_key_means_whole_rows() -> None:
    columns = _columns(("id", "integer", 1), ("kind", "text", 2))
    found = match_columns(columns, columns, key_before=("id",), key_after=("id", "kind"), same_table=True)
    assert (found.key, found.notes) == (
        (), ("The primary key was (id) and is (id, kind): rows are compared as wholes.",)
    )  # fmt: skip
