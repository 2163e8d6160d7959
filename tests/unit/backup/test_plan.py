"""Which tables are read, in which order and pieces."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from rxbackup.backup.plan import SEGMENT_BYTES, cut_segments, plan_backup
from rxbackup.groups.group import Group
from rxbackup.postgres.introspection import Catalogue, Column, ForeignKey, Table

COLUMN = Column("id", "integer", not_null=True, has_default=False, identity="", generated="", collation=None)


def table(oid: int, name: str, *, blocks: int = 1, size: int = 8192, kind: str = "r", root: int | None = None) -> Table:
    return Table(
        oid=oid,
        schema="public",
        name=name,
        kind=kind,
        relfilenode=oid,
        is_partition=root is not None,
        root=root or oid,
        blocks=blocks,
        bytes=size,
        estimated_rows=10,
        readable=True,
        owned=True,
        has_rules=False,
        columns=(COLUMN,),
        unique_keys=(),
    )


def refers(child: int, parent: int) -> ForeignKey:
    return ForeignKey("fk", child, ("id",), parent, ("id",), "a", "a", deferrable=False, validated=True)


@pytest.mark.parametrize("blocks", [0, 1, 7, 512, 513, 100_000])
@pytest.mark.parametrize("wide", [1, 3, 1000])
def test_segments_cover_a_table_without_gap_or_overlap(blocks: int, wide: int) -> None:
    segments = cut_segments(table(1, "t", blocks=blocks, size=blocks * 8192 * wide))
    assert segments[0].first_block == 0
    assert segments[-1].end_block is None
    for before, after in pairwise(segments):
        assert before.end_block == after.first_block
    lengths = {s.end_block - s.first_block for s in segments[:-1] if s.end_block is not None}
    assert len(lengths) <= 1
    for length in lengths:
        assert length & (length - 1) == 0
        if length > 1:
            assert SEGMENT_BYTES / 1.5 <= length * 8192 * wide <= SEGMENT_BYTES * 1.5


def test_a_table_that_grows_keeps_its_boundaries() -> None:
    small = cut_segments(table(1, "t", blocks=5000, size=5000 * 8192))
    large = cut_segments(table(1, "t", blocks=9000, size=9000 * 8192 + 70_000))
    assert large[: len(small) - 1] == small[:-1]


def test_parents_are_read_before_children_and_partitions_instead_of_their_root() -> None:
    catalogue = Catalogue(
        tables=(
            table(10, "child"),
            table(11, "parted", kind="p"),
            replace(table(12, "part", root=11), is_partition=True),
            table(13, "other"),
        ),
        foreign_keys=(refers(10, 11),),
        sequences=(),
        triggers=(),
    )
    groups = (Group("Things", ("public.child", "public.parted")),)

    plan = plan_backup(catalogue, groups)

    assert [t.table.name for t in plan.tables] == ["part", "child"]
    assert {t.group for t in plan.tables} == {"Things"}
    assert plan.estimated_rows == 20
