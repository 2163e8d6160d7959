from __future__ import annotations

from collections.abc import Sequence

import pytest

from rxbackup.prune.comparing import ChunkObject, ChunkRow, Finding, Misnoted, Missing, Orphan, Outdated, compare
from rxbackup.prune.manifests import ManifestFindings, judge_manifests

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("objects", "rows", "expected"),
    [
        ([], [], []),
        ([(A, 0, 9)], [(A, 0, 9, True)], []),
        ([(A, 0, 9)], [], [Orphan(A, 0, 1, 9)]),
        ([(A, 0, 9), (A, 2, 8)], [], [Orphan(A, 2, 2, 17)]),
        ([], [(A, 0, 9, True)], [Missing(A)]),
        ([], [(A, 0, 9, False)], []),
        ([(A, 0, 9)], [(A, 0, 9, False)], []),
        ([(A, 0, 9), (A, 1, 8)], [(A, 0, 9, False)], [Orphan(A, 1, 1, 8)]),
        ([(A, 0, 9), (A, 1, 8)], [(A, 1, 8, True)], [Outdated(A, 0, 1, 9)]),
        ([(A, 0, 9), (A, 1, 8)], [(A, 0, 9, True)], [Outdated(A, 1, 0, 8)]),
        ([(A, 2, 8)], [(A, 0, 9, True)], [Misnoted(A, 2, 8)]),
        ([(A, 0, 7)], [(A, 0, 9, True)], [Misnoted(A, 0, 7)]),
        ([(A, 0, 9)], [(B, 0, 9, True)], [Orphan(A, 0, 1, 9), Missing(B)]),
        ([(B, 0, 9)], [(A, 0, 9, True)], [Missing(A), Orphan(B, 0, 1, 9)]),
    ],
)
def test_what_does_not_agree(
    objects: Sequence[tuple[str, int, int]], rows: Sequence[tuple[str, int, int, bool]], expected: list[Finding]
) -> None:
    assert list(compare([ChunkObject(*o) for o in objects], [ChunkRow(*r) for r in rows])) == expected


def test_manifests_belong_to_somebody_to_nobody_or_to_no_one_any_more() -> None:
    known = {"1": "complete", "2": "complete", "3": "interrupted", "4": "running", "5": "deleting", "6": "failed"}
    assert judge_manifests(["9", "1", "3", "4", "5"], known) == ManifestFindings(("9",), ("3", "5"), ("2",))
