"""Groups proposed from a schema."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from rxbackup import errors
from rxbackup.groups.bundled import BUNDLED_GROUPS
from rxbackup.groups.discovery import OTHER, discover_groups
from rxbackup.groups.group import Group, choose_groups
from rxbackup.postgres.introspection import Catalogue, ForeignKey, Table


def catalogue(names: Iterable[str], references: Iterable[tuple[str, str]] = ()) -> Catalogue:
    oids = {name: 100 + i for i, name in enumerate(names)}
    tables = []
    for name, oid in oids.items():
        schema, _, bare = name.rpartition(".")
        tables.append(Table(oid, schema or "public", bare, "r", oid, False, oid, 1, 8192, 1, True, True, False, (), ()))
    keys = tuple(
        ForeignKey("fk", oids[a], ("x",), oids[b], ("id",), "a", "a", deferrable=False, validated=True)
        for a, b in references
    )
    return Catalogue(tuple(tables), keys, (), ())


def named(groups: Iterable[Group]) -> dict[str, set[str]]:
    return {g.name: {t.removeprefix("public.") for t in g.tables} for g in groups}


def test_tables_that_share_a_prefix_belong_together() -> None:
    groups = discover_groups(catalogue(["ipam_vlan", "ipam_prefix", "dcim_site", "dcim_rack"]))
    assert named(groups) == {"Ipam": {"ipam_vlan", "ipam_prefix"}, "Dcim": {"dcim_site", "dcim_rack"}}


def test_loose_tables_join_by_foreign_keys_and_are_named_after_their_hub() -> None:
    groups = discover_groups(
        catalogue(["album", "artist", "track", "genre"], [("track", "album"), ("album", "artist"), ("track", "genre")])
    )
    assert list(named(groups).values()) == [{"album", "artist", "track", "genre"}]


def test_a_loose_table_joins_the_one_group_it_refers_to() -> None:
    groups = discover_groups(catalogue(["shop_order", "shop_item", "voucher", "log"], [("voucher", "shop_order")]))
    assert named(groups) == {"Shop": {"shop_order", "shop_item", "voucher"}, OTHER: {"log"}}


def test_every_table_is_in_exactly_one_group() -> None:
    names = ["a_x", "a_y", "b", "c", "d", "other.a_x", "other.a_z", "Odd Name", "x;y"]
    groups = discover_groups(catalogue(names, [("b", "a_x"), ("c", "d")]))
    tables = [t for g in groups for t in g.tables]
    assert len(tables) == len(set(tables)) == len(names)
    assert len({g.name for g in groups}) == len(groups)


def test_the_bundled_application_has_its_seven_groups_and_more_tables_get_their_own() -> None:
    bundled = [t for tables in BUNDLED_GROUPS.values() for t in tables]
    groups = discover_groups(catalogue([*bundled, "public.wiki_page", "public.wiki_link"]))
    assert [g.name for g in groups] == [*BUNDLED_GROUPS, "Wiki"]


def test_groups_are_chosen_by_name_without_regard_to_case() -> None:
    groups = (Group("Assets", ("a",)), Group("Users", ("u",)), Group("Issues", ("i",)))
    assert [g.name for g in choose_groups(groups, ["issues", "Assets"])] == ["Assets", "Issues"]
    assert [g.name for g in choose_groups(groups, skip=["USERS"])] == ["Assets", "Issues"]
    with pytest.raises(errors.UsageError, match="no group named Nope"):
        choose_groups(groups, ["Nope"])
    with pytest.raises(errors.UsageError, match="No group is chosen"):
        choose_groups(groups, ["Users"], skip=["Users"])
