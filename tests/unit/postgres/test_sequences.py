"""A sequence never goes back, and never hands out a value in use."""

from __future__ import annotations

import pytest

from rxbackup.postgres.introspection import Sequence
from rxbackup.postgres.sequences import Standing, safe_restart


def sequence(*, increment: int = 1, cycle: bool = False, maximum: int = 1000, minimum: int = 1) -> Sequence:
    return Sequence(1, "public", "s", 1, minimum, maximum, increment, cycle, None)


@pytest.mark.parametrize(
    ("now", "then", "used", "expected"),
    [
        (Standing(5, True), Standing(9, True), 9, 10),
        (Standing(20, True), Standing(9, True), 9, None),
        (Standing(1, False), Standing(9, True), 9, 10),
        (Standing(1, False), Standing(1, False), None, None),
        (Standing(5, True), Standing(5, True), 70, 71),
        (Standing(5, False), Standing(4, True), 4, None),
    ],
)
def test_the_furthest_of_all_wins(now: Standing, then: Standing, used: int | None, expected: int | None) -> None:
    assert safe_restart(sequence(), now, then, used=used) == expected


def test_a_descending_sequence_goes_down() -> None:
    down = sequence(increment=-5, minimum=-1000, maximum=100)
    assert safe_restart(down, Standing(100, False), Standing(90, True), used=80) == 75


def test_a_cycling_sequence_stays_where_it_is() -> None:
    assert safe_restart(sequence(cycle=True), Standing(1, False), Standing(9, True), used=9) is None


def test_a_sequence_at_its_end_stays_there() -> None:
    assert safe_restart(sequence(maximum=10), Standing(3, True), Standing(10, True), used=10) is None
