"""What one chooses to restore: in the address, in words, and as the operations take it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxbackup.operations.views import UndoView
from rxbackup.ui.pages.restore.choice import (
    Choice,
    Contents,
    address,
    asked,
    decided,
    read_choice,
    read_numbers,
    undoing,
    write_numbers,
)
from rxbackup.ui.pages.restore.lines import Rows, chosen_words, how_words, paged, pick_lines
from rxbackup.ui.pages.restore.steps import allowed_step, neighbour, stepper, steps_of

CONTENTS = Contents((("Users", ("public.users", "public.teams")), ("Assets", ("public.assets",))))


@given(st.frozensets(st.integers(0, 500)))
def test_numbers_in_an_address_come_back_as_they_were(numbers: frozenset[int]) -> None:
    assert read_numbers(write_numbers(numbers), below=501) == numbers


@pytest.mark.parametrize("text", ["x", "-", "1-", "-2", "3-1", "1-99999999999", "9999", "", "..", "²"])
def test_a_strange_address_chooses_no_table_that_is_not_there(text: str) -> None:
    assert read_numbers(text, below=3) <= {0, 1, 2}


@given(
    st.builds(
        Choice,
        left=st.frozensets(st.integers(0, 2)),
        mode=st.sampled_from(["exact", "missing", "changed"]),
        set_aside=st.booleans(),
        own=st.booleans(),
        undo=st.sampled_from(["", "job-1"]),
    )
)
def test_an_address_holds_the_whole_choice(choice: Choice) -> None:
    query = dict(parse_qsl(urlsplit(address("b/1", "how", choice, preview="p")).query))
    assert read_choice(query, CONTENTS) == choice
    assert query["step"] == "how"
    assert query["preview"] == "p"


def test_everything_is_asked_for_without_names() -> None:
    new = asked(Choice(), CONTENTS, "b1")
    assert (new.groups, new.tables, new.mode) == (None, None, "exact")


def test_whole_groups_are_asked_for_as_groups_and_parts_of_them_as_tables() -> None:
    whole = asked(Choice(left=frozenset({2})), CONTENTS, "b1")
    assert (whole.groups, whole.tables) == (("Users",), None)
    part = asked(Choice(left=frozenset({0})), CONTENTS, "b1")
    assert (part.groups, part.tables) == (("Users", "Assets"), ("public.teams", "public.assets"))


def test_another_page_may_name_the_one_table_it_means() -> None:
    assert read_choice({"table": "public.assets"}, CONTENTS).left == {0, 1}
    assert read_choice({"group": "Users"}, CONTENTS).left == {2}
    assert read_choice({"table": "nobody.knows"}, CONTENTS).left == frozenset()


def test_only_an_exact_restore_loads_tables_anew() -> None:
    assert not Choice(maintenance=True).by("missing").maintenance
    assert not read_choice({"mode": "changed", "maintenance": "1"}, CONTENTS).maintenance


def test_decisions_change_the_choice_and_nothing_else() -> None:
    start = Choice(left=frozenset({0, 1}))
    assert decided(start, CONTENTS, "add-group", "Users").left == frozenset()
    assert decided(start, CONTENTS, "skip-group", "Assets").left == {0, 1, 2}
    assert decided(start, CONTENTS, "add-table", "public.teams").left == {0}
    assert decided(start, CONTENTS, "skip-table", "public.assets").left == {0, 1, 2}
    assert decided(start, CONTENTS, "mode", "missing").mode == "missing"
    assert decided(start, CONTENTS, "set-aside", "").set_aside
    assert decided(start, CONTENTS, "mode", "'; DROP") == start
    assert decided(start, CONTENTS, "restore", "") == start


def test_an_undo_begins_with_the_tables_that_were_restored() -> None:
    def undo(**changes: Any) -> UndoView:
        values: dict[str, Any] = {"groups": None, "skip": (), "tables": None, **changes}
        return UndoView("j1", "Nightly", datetime.now(UTC), SimpleNamespace(), **values)

    assert undoing(undo(), CONTENTS) == Choice(undo="j1")
    assert undoing(undo(skip=("Users",)), CONTENTS).left == {0, 1}
    assert undoing(undo(groups=("Users",)), CONTENTS).left == {2}
    assert undoing(undo(groups=("Users",), tables=("public.teams",)), CONTENTS).left == {0, 2}


def test_lines_are_groups_that_open_into_their_tables() -> None:
    rows = {"public.users": Rows(5, 7), "public.teams": Rows(2, 2), "public.assets": Rows(9)}
    folded = pick_lines(CONTENTS, Choice(left=frozenset({1})), rows, opened=frozenset())
    assert [(line.name, line.ticked, line.backup_rows, line.live_rows) for line in folded] == [
        ("Users", "some", 7, 9),
        ("Assets", "all", 9, -1),
    ]
    opened = pick_lines(CONTENTS, Choice(left=frozenset({1})), rows, opened=frozenset({"Users"}))
    assert [(line.key, line.ticked) for line in opened] == [
        ("gUsers", "some"),
        ("t0", "all"),
        ("t1", "none"),
        ("gAssets", "all"),
    ]
    found = pick_lines(CONTENTS, Choice(), rows, opened=frozenset(), search="team")
    assert [line.key for line in found] == ["t1"]


def test_four_hundred_tables_come_a_page_at_a_time() -> None:
    many = Contents((("All", tuple(f"public.t{number}" for number in range(400))),))
    lines = pick_lines(many, Choice(), {}, opened=frozenset({"All"}))
    page, where = paged(lines, 99, 60)
    assert (where.number, where.pages, where.total, len(page)) == (7, 7, 401, 41)


def test_the_choice_in_words() -> None:
    assert chosen_words(CONTENTS, Choice()) == "Everything: 2 groups, 3 tables"
    assert chosen_words(CONTENTS, Choice(left=frozenset({0}))) == "2 of 2 groups, 2 of 3 tables"
    assert chosen_words(CONTENTS, Choice(left=frozenset({0, 1, 2}))) == "Nothing is chosen"
    assert how_words(Choice(set_aside=True)).startswith("exactly as it was, setting aside")


def test_no_address_leads_past_what_was_asked_for() -> None:
    assert allowed_step("result", undo=False, run=False) == "what"
    assert allowed_step("confirm", undo=False, run=True) == "progress"
    assert allowed_step("how", undo=True, run=False) == "preview"
    assert allowed_step("", undo=True, run=False) == "preview"
    assert neighbour("what", -1, undo=False) == "what"
    assert neighbour("what", 1, undo=True) == "preview"


def test_only_steps_behind_are_links_and_none_once_it_was_asked_for() -> None:
    places = {name: f"/{name}" for name in steps_of(undo=False)}
    line = {one.name: one for one in stepper("preview", places, undo=False)}
    assert (line["how"].state, line["how"].href) == ("done", "/how")
    assert (line["preview"].state, line["preview"].href) == ("here", "")
    assert (line["confirm"].state, line["confirm"].href) == ("ahead", "")
    assert all(not one.href for one in stepper("progress", places, undo=False))
