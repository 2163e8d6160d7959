"""Letting one more user pass through a folder gives nothing else to anybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rxbackup.postgres.search_permission import Entry, let_pass, may_pass, with_search_for

OWNER, USER, OWNING_GROUP, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32
UID = 4242


def effective(entries: list[Entry]) -> dict[tuple[int, int], int]:
    """What each entry is worth, the mask applied."""
    mask = next((e.permissions for e in entries if e.tag == MASK), 7)
    return {
        (e.tag, e.id): e.permissions & (mask if e.tag in (USER, OWNING_GROUP, GROUP) else 7)
        for e in entries
        if e.tag != MASK
    }


@pytest.mark.parametrize(
    "before",
    [
        [Entry(OWNER, 7), Entry(OWNING_GROUP, 0), Entry(OTHER, 0)],
        [Entry(OWNER, 7), Entry(OWNING_GROUP, 5), Entry(OTHER, 0)],
        [Entry(OWNER, 7), Entry(USER, 7, 5), Entry(OWNING_GROUP, 7), Entry(MASK, 4), Entry(OTHER, 0)],
        [Entry(OWNER, 7), Entry(OWNING_GROUP, 5), Entry(GROUP, 7, 9), Entry(MASK, 0), Entry(OTHER, 4)],
        [Entry(OWNER, 6), Entry(USER, 0, UID), Entry(OWNING_GROUP, 0), Entry(MASK, 0), Entry(OTHER, 0)],
    ],
    ids=["private", "group may read", "mask hides search", "empty mask", "user shut out"],
)
def test_only_the_user_gains_and_only_search(before: list[Entry]) -> None:
    after = effective(with_search_for(before, UID))
    assert after.pop((USER, UID)) == 1
    expected = effective(before)
    expected.pop((USER, UID), None)
    assert after == expected


def test_folder_that_lets_everybody_pass_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    before = folder.stat().st_mode
    assert may_pass(folder, uid=UID, gids=frozenset({UID}))
    assert folder not in let_pass(folder, uid=UID, gids=frozenset({UID}))
    assert folder.stat().st_mode == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give access away")
def test_closed_folder_is_opened_for_one_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o700)
    assert not may_pass(folder, uid=UID, gids=frozenset({UID}))
    let_pass(folder, uid=UID, gids=frozenset({UID}))
    assert may_pass(folder, uid=UID, gids=frozenset({UID}))
    assert not may_pass(folder, uid=UID + 1, gids=frozenset({UID}))
