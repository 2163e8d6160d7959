"""Single tables are chosen within groups, and a wrong name gets the right ones proposed."""

from __future__ import annotations

import pytest

from rxbackup.errors import UsageError
from rxbackup.groups.group import Group, choose_tables

GROUPS = (Group("Shop", ("public.shop_customers", "public.shop_notes")), Group("Sale", ("sales.orders",)))


def test_all_tables_are_chosen_where_none_is_named() -> None:
    assert choose_tables(GROUPS, None) == GROUPS


def test_groups_keep_only_the_named_tables_and_vanish_without_one() -> None:
    assert choose_tables(GROUPS, [" public.shop_notes "]) == (Group("Shop", ("public.shop_notes",)),)
    assert choose_tables(GROUPS, ["sales.orders", "public.shop_notes", "sales.orders"]) == (
        Group("Shop", ("public.shop_notes",)),
        Group("Sale", ("sales.orders",)),
    )


def test_naming_none_is_refused() -> None:
    with pytest.raises(UsageError, match="No table is chosen"):
        choose_tables(GROUPS, [])


@pytest.mark.parametrize(
    ("name", "near"),
    [("public.shop_note", "public.shop_notes"), ("orders", "sales.orders"), ("ORDERS", "sales.orders")],
)
def test_a_name_like_one_there_is_gets_that_one_proposed(name: str, near: str) -> None:
    with pytest.raises(UsageError, match="There is no table") as refused:
        choose_tables(GROUPS, [name])
    assert refused.value.hint is not None
    assert near in refused.value.hint


def test_a_name_like_none_gets_the_form_of_names() -> None:
    with pytest.raises(UsageError) as refused:
        choose_tables(GROUPS, ["zzz"])
    assert refused.value.hint == "Name tables with their schema, like public.users."
