"""Rows and comparisons as the pages draw them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rxbackup.operations.views import (
    ColumnView,
    ComparisonView,
    FieldView,
    GroupComparison,
    RowsView,
    RowView,
    TableComparison,
)
from rxbackup.ui.addresses import compare_address, rows_address, rows_file_address
from rxbackup.ui.components.changed_rows import changed_row
from rxbackup.ui.pages.compare.lines import difference_lines, outcome_of
from rxbackup.ui.pages.rows.lines import chip_of, condition, foot_words, row_lines

BACKUP: Any = object()


def table(name: str, group: str, *counts: int, notes: tuple[str, ...] = (), by_key: bool = True) -> TableComparison:
    added, changed, removed = counts
    return TableComparison(name, group, added, changed, removed, 10, 10, by_key, notes)


def comparison(*tables: TableComparison) -> ComparisonView:
    groups = tuple(GroupComparison(name, 1, 2, 3, 2, 1) for name in dict.fromkeys(t.group for t in tables))
    return ComparisonView("j", BACKUP, None, datetime.now(UTC), groups, tables, (), 6, 1200, 0.4)


def test_a_comparison_is_one_sentence() -> None:
    found = outcome_of(comparison(table("public.a", "A", 1, 285, 0), table("public.b", "B", 0, 0, 3)))
    assert (found.tone, found.title) == ("run", "1 row added, 285 changed, 3 removed in 2 tables")
    assert found.text == "6 of 1\u202f200 parts had to be opened, 0.4 s"
    assert outcome_of(comparison()).title == "Nothing differs"
    columns_only = comparison(table("public.a", "A", 0, 0, 0, notes=("Column x is new.",)))
    assert outcome_of(columns_only).title == "No row differs, but columns do in 1 table"


def test_tables_stand_below_their_group_the_busiest_first() -> None:
    found = comparison(
        table("public.a", "A", 1, 0, 0), table("public.z", "A", 9, 0, 0), table("public.b", "B", 0, 1, 0)
    )
    assert [(line.kind, line.name) for line in difference_lines(found)] == [
        ("group", "A"), ("table", "public.z"), ("table", "public.a"), ("group", "B"), ("table", "public.b"),
    ]  # fmt: skip
    assert [line.name for line in difference_lines(found, "PUBLIC.B")] == ["public.b"]


def test_a_table_without_a_key_says_so_once() -> None:
    plain, told = (
        table("public.a", "A", 1, 0, 0, by_key=False),
        table("public.b", "A", 1, 0, 0, by_key=False, notes=("The primary key was (a) and is missing: …",)),
    )
    lines = {line.name: line.notes for line in difference_lines(comparison(plain, told))}
    assert lines["public.a"] == ["No primary key: whole rows are compared."]
    assert lines["public.b"] == ["The primary key was (a) and is missing: …"]


def test_what_differs_comes_behind_what_tells_the_row() -> None:
    fields = [FieldView("id", "1", "1", False), FieldView("a", "x", "x", False), FieldView("b", None, "", True)]
    row = changed_row("k", "changed", fields, whole=False)
    assert [(one.column, one.before, one.was_null, one.after, one.is_null) for one in row.fields] == [
        ("id", "1", False, "1", False), ("b", "", True, "", False),
    ]  # fmt: skip
    assert len(changed_row("k", "changed", fields, whole=True).fields) == 3
    many = [FieldView(str(n), None, "v", True) for n in range(20)]
    assert len(changed_row("k", "added", many, whole=False).fields) == 6


@pytest.mark.parametrize(
    ("sign", "value", "text", "words"),
    [
        ("is", "7", "a=7", "a is 7"),
        ("is", "", "a=", "a is empty"),
        ("has", "x=y", "a~x=y", "a contains x=y"),
        ("null", "", "a is null", "a is NULL"),
        ("not-null", "", "a is not null", "a is not NULL"),
    ],
)
def test_conditions_in_words(sign: str, value: str, text: str, words: str) -> None:
    assert condition("a", sign, value) == text
    assert chip_of(text, ["a", "ab"]).words == words


def test_how_far_a_page_looked() -> None:
    assert foot_words(first=51, shown=50, total=3400, looked_at=0, filtered=False) == "Rows 51–100 of 3\u202f400"
    assert foot_words(first=1, shown=0, total=0, looked_at=0, filtered=False) == "No rows"
    assert foot_words(first=1, shown=0, total=9, looked_at=9, filtered=True) == "No row found in all 9"
    assert foot_words(first=1, shown=1, total=9, looked_at=5, filtered=True) == "1 row found, 5 of 9 looked through"


def test_rows_keep_null_and_empty_apart_and_are_numbered_on() -> None:
    view = RowsView(
        BACKUP, "t", "T", (ColumnView("a", "text", True), ColumnView("b", "text", False)), (),
        (RowView("0.0.0.0", (None, "")), RowView("0.0.0.5", ("long", "x"), (0,))), 2, 2, None,
    )  # fmt: skip
    first, second = row_lines(view, 51)
    assert [(cell.text, cell.is_null) for cell in first.cells] == [("", True), ("", False)]
    assert (second.number, [cell.cut for cell in second.cells]) == ("52", [True, False])


def test_addresses_hold_what_is_asked() -> None:
    assert rows_address("id", "public.a b", ["a=1", "b~&"]) == "/backups/id/rows?table=public.a+b&where=a%3D1%0Ab~%26"
    assert rows_address("id") == "/backups/id/rows"
    assert rows_file_address("id", "t", ["a=1", "b~&"], "csv") == (
        "/api/v1/backups/id/rows/file?table=t&format=csv&where=a%3D1&where=b~%26"
    )
    assert compare_address("a", "now") == "/compare?a=a&b=now"
