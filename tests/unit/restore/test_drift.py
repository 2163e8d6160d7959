"""What is said about columns that moved since the backup, and whether the restore may go on."""

from __future__ import annotations

from rxbackup.postgres.introspection import Column, Table
from rxbackup.restore.drift import Drift, find_drift
from rxbackup.vault.manifest import ColumnEntry, TableEntry


def _table(*columns: Column) -> Table:
    return Table(
        1, "public", "notes", "r", 1, False, 1, 0, 0, -1, readable=True, owned=True, has_rules=False,
        columns=columns, unique_keys=(),
    )  # fmt: skip


def _live(
    name: str,
    number: int,
    kind: str = "text",
    *,
    not_null: bool = False,
    default: bool = False,
    identity: str = "",
    generated: str = "",
) -> Column:
    return Column(name, kind, not_null, default, identity, generated, None, number)


def _entry(*columns: ColumnEntry) -> TableEntry:
    return TableEntry("public", "notes", 1, 1, None, "Notes", list(columns), [], 0, 0, 0, [])


def _stored(name: str, number: int | None, kind: str = "text", generated: str = "") -> ColumnEntry:
    return ColumnEntry(name, kind, not_null=False, identity="", generated=generated, collation=None, number=number)


def _said(live: tuple[Column, ...], stored: tuple[ColumnEntry, ...]) -> list[tuple[str, str, bool, str]]:
    return [(d.column, d.kind, d.blocks, d.now) for d in _found(live, stored)]


def _found(live: tuple[Column, ...], stored: tuple[ColumnEntry, ...]) -> tuple[Drift, ...]:
    return find_drift(_table(*live), [_entry(*stored)])


def test_what_stayed_is_no_drift() -> None:
    assert _said((_live("id", 1), _live("body", 2)), (_stored("id", 1), _stored("body", 2))) == []


def test_a_column_that_kept_its_number_was_renamed_whatever_else_is_new() -> None:
    live = (_live("id", 1), _live("words", 2), _live("more", 3))
    found = _found(live, (_stored("id", 1), _stored("body", 2)))
    assert [(d.column, d.kind, d.now) for d in found] == [("body", "renamed", "words"), ("more", "new", "")]
    assert found[0].blocks
    assert "no longer has the column body" in found[0].message
    assert "renamed to words" in found[0].message


def test_without_numbers_only_the_single_pair_of_one_type_looks_renamed() -> None:
    live = (_live("words", 2), _live("stars", 3, "integer"))
    assert _said(live, (_stored("body", None),)) == [("body", "renamed", True, "words"), ("stars", "new", False, "")]
    two = (_live("words", 2), _live("title", 3))
    assert _said(two, (_stored("body", None),))[0] == ("body", "dropped", True, "")
    assert _said((_live("words", 5),), (_stored("body", None), _stored("title", None))) == [
        ("body", "dropped", True, ""),
        ("title", "dropped", True, ""),
        ("words", "new", False, ""),
    ]


def test_another_type_is_no_rename() -> None:
    assert _said((_live("words", 2, "integer"),), (_stored("body", 2),)) == [
        ("body", "dropped", True, ""),
        ("words", "new", False, ""),
    ]


def test_a_new_column_blocks_only_if_it_must_have_a_value() -> None:
    new = (
        _live("a", 1),
        _live("b", 2, not_null=True),
        _live("c", 3, not_null=True, default=True),
        _live("d", 4, not_null=True, identity="a"),
        _live("e", 5, not_null=True, generated="s", default=True),
    )
    assert _said((*new, _live("id", 9)), (_stored("id", 9),)) == [
        ("a", "new", False, ""),
        ("b", "new", True, ""),
        ("c", "new", False, ""),
        ("d", "new", False, ""),
    ]


def test_a_column_that_is_computed_now_has_no_place_for_values() -> None:
    (found,) = _found((_live("twice", 1, generated="s"),), (_stored("twice", 1),))
    assert (found.kind, found.blocks) == ("dropped", True)
    assert "computes" in found.message


def test_a_column_that_was_computed_holds_nothing_to_put_back() -> None:
    assert _said((_live("id", 2),), (_stored("twice", 1, generated="s"), _stored("id", 2))) == []


def test_another_type_is_said_with_both_types() -> None:
    (found,) = _found((_live("id", 1, "bigint"),), (_stored("id", 1, "integer"),))
    assert (found.kind, found.blocks, found.now) == ("retyped", False, "bigint")
    assert "from integer to bigint" in found.message


def test_a_table_of_which_nothing_is_stored_tells_nothing() -> None:
    assert find_drift(_table(_live("id", 1, not_null=True)), []) == ()
