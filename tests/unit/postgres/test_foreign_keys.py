"""The order that foreign keys ask for."""

from __future__ import annotations

from rxbackup.postgres.foreign_keys import parents_first


def test_parents_come_before_children() -> None:
    order, rings = parents_first(["line", "order", "customer"], {"line": {"order"}, "order": {"customer"}})
    assert order == ["customer", "order", "line"]
    assert rings == []


def test_strangers_and_self_references_are_ignored() -> None:
    order, rings = parents_first(["a"], {"a": {"a", "elsewhere"}})
    assert (order, rings) == (["a"], [])


def test_a_ring_is_reported_and_kept_together() -> None:
    order, rings = parents_first(["d", "a", "b", "c"], {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert rings == [{"a", "b", "c"}]
    assert order[-1] == "d"


def test_a_deep_chain_does_not_exhaust_the_stack() -> None:
    nodes = list(range(20_000))
    order, _ = parents_first(nodes, {n: {n + 1} for n in nodes[:-1]})
    assert order == nodes[::-1]
