"""A preview and a result as the page draws them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from rxbackup.operations.views import (
    ChoiceView,
    ConsequenceView,
    DriftView,
    FieldView,
    GroupPreview,
    ProblemView,
    RestorePreview,
    SampleRow,
    TableChange,
    TablePreview,
)
from rxbackup.ui.pages.restore.outcome import result_lines, result_summary
from rxbackup.ui.pages.restore.picture import (
    change_lines,
    consequence_lines,
    deed_words,
    drift_lines,
    other_warnings,
    sample_lines,
    verdict,
)


def table(name: str, group: str, change: TableChange | None = None, **more: Any) -> TablePreview:
    return TablePreview(name, group, 10, 12, live_rows_estimated=False, change=change, **more)


def preview(*tables: TablePreview, **more: Any) -> RestorePreview:
    groups = tuple(
        GroupPreview(name, 0, 0, sum(one.group == name for one in tables))
        for name in dict.fromkeys(one.group for one in tables)
    )
    values: dict[str, Any] = {
        "problems": (),
        "warnings": (),
        "allowed": True,
        "fingerprint": "f",
        "is_exact": all(one.change for one in tables),
    }
    backup: Any = SimpleNamespace(id="b1")
    return RestorePreview(backup, tables, groups, **{**values, **more})


LITTLE = table("public.a", "A", TableChange(1, 0, 0))
MUCH = table("public.b", "A", TableChange(0, 2, 3), segments_touched=12, segments_total=3400)
NOTHING = table("public.c", "B", TableChange(0, 0, 0))


def test_the_verdict_is_one_sentence() -> None:
    found = verdict(preview(LITTLE, MUCH, NOTHING))
    assert found.title == "1 row added, 2 changed, 3 removed in 2 tables"
    assert found.text == "1 other table needs no change."


def test_a_verdict_is_never_greener_than_what_is_known() -> None:
    assert verdict(preview(NOTHING)).tone == "good"
    assert verdict(preview(table("public.a", "A"))).tone == "idle"
    blocked = preview(LITTLE, problems=(ProblemView("No.", "Do."),), allowed=False)
    assert verdict(blocked).tone == "bad"
    orphans = ConsequenceView("orphans", "a", "b", 3, "Three rows …", (ChoiceView("set-aside", "", "Leave them"),))
    undecided = preview(table("public.a", "A"), consequences=(orphans,), allowed=False)
    assert verdict(undecided).title == "One thing must be decided first"
    assert consequence_lines(undecided)[0].choices[0].label == "Leave them"


def test_rows_set_aside_are_said_even_where_nothing_else_changes() -> None:
    found = verdict(preview(table("public.a", "A", TableChange(0, 0, 0, set_aside=4))))
    assert "4 rows set aside" in found.text


def test_tables_that_change_most_come_first_and_those_that_do_not_are_left_out() -> None:
    lines = change_lines(preview(LITTLE, MUCH, NOTHING), all_tables=False)
    assert [(line.kind, line.name) for line in lines] == [
        ("group", "A"),
        ("table", "public.b"),
        ("table", "public.a"),
    ]
    assert (lines[0].added, lines[0].changed, lines[0].removed) == (1, 2, 3)
    assert lines[1].parts == "12 of 3\u202f400 parts differ"
    assert len(change_lines(preview(LITTLE, MUCH, NOTHING), all_tables=True)) == 5
    assert [line.name for line in change_lines(preview(LITTLE, MUCH), all_tables=True, search="PUBLIC.A")] == [
        "public.a"
    ]


def test_what_nobody_computed_is_not_a_nought() -> None:
    lines = change_lines(preview(table("public.a", "A")), all_tables=False)
    assert [line.added for line in lines] == [-1, -1]


def test_a_changed_row_shows_which_it_is_and_what_differs() -> None:
    fields = (
        FieldView("id", "7", "7", differs=False),
        FieldView("name", "old", "new", differs=True),
        FieldView("note", None, "x", differs=True),
        FieldView("size", "3", "3", differs=False),
    )
    found = preview(table("public.a", "A", TableChange(0, 1, 0), samples=(SampleRow("change", fields),)))
    (sample,) = sample_lines(found, "public.a")
    assert [field.column for field in sample.fields] == ["id", "name", "note"]
    assert sample.fields[2].was_null
    assert not sample.fields[2].is_null
    (whole,) = sample_lines(found, "public.a", whole=True)
    assert [field.column for field in whole.fields] == ["id", "name", "note", "size"]


def test_a_wide_row_is_cut() -> None:
    fields = tuple(FieldView(f"c{number}", None, "x", differs=True) for number in range(30))
    found = preview(table("public.a", "A", TableChange(1, 0, 0), samples=(SampleRow("add", fields),)))
    (sample,) = sample_lines(found, "public.a")
    assert len(sample.fields) == 6


def test_a_changed_column_is_told_once() -> None:
    found = preview(
        LITTLE,
        drift=(
            DriftView("public.a", "b", "new", "Rows get no value in it.", blocks=False),
            DriftView("public.a", "c", "dropped", "There is no place for it.", blocks=True),
        ),
        warnings=("public.a: b is newer than the backup. Rows get no value in it.", "Something else."),
    )
    assert [line.column for line in drift_lines(found)] == ["public.a.b"]
    assert other_warnings(found) == ["Something else."]


def test_the_button_says_what_it_does() -> None:
    assert deed_words(preview(LITTLE, MUCH), groups=1, undo=False) == "Restore 1 group, change 6 rows"
    assert deed_words(None, groups=3, undo=False) == "Restore 3 groups"
    assert deed_words(preview(LITTLE), groups=1, undo=True) == "Undo the restore, change 1 row"


def test_the_result_of_a_restore_leaves_out_what_needed_no_change() -> None:
    tables = {
        "public.users": {"added": 0, "changed": 0, "removed": 0},
        "public.assets": {"added": 1200, "changed": 3, "removed": 0, "seconds": 2.5},
    }
    (line,) = result_lines(tables)
    assert (line.table, line.added, line.changed, line.removed, line.took) == ("public.assets", 1200, 3, 0, "2.5 s")
    words = result_summary(tables)
    assert words == "1\u202f200 rows added, 3 changed, 0 removed in 1 table; 1 table needed no change."


def test_a_restore_that_changed_nothing_says_so() -> None:
    tables = {"public.users": {"added": 0, "changed": 0, "removed": 0}}
    assert result_lines(tables) == []
    assert result_summary(tables) == "Nothing had to be changed in 1 table."
    assert "not kept" in result_summary({})
