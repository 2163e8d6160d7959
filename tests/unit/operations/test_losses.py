from __future__ import annotations

import pytest

from rxbackup.operations._telling.losses import Counted, find_losses


def _kinds(rows: int, *before: int, **more: object) -> list[str]:
    new = {"t": Counted("t", "G", rows, **more)}  # type: ignore[arg-type]
    history = [{"t": count} for count in before]
    previous = {"t": Counted("t", "G", before[0])} if before else {}
    return [loss.kind for loss in find_losses(new, history, previous, groups=None)]


@pytest.mark.parametrize(
    ("rows", "before", "kinds"),
    [
        (0, (5,), ["emptied"]),
        (0, (5, 0, 7), []),  # a queue
        (0, (0,), []),
        (0, (), []),
        (500, (1000,), ["shrunk"]),
        (501, (1000,), []),
        (20, (110,), []),  # 90 rows fewer
        (10, (110,), ["shrunk"]),
        (450, (600, 1000, 1000, 1000), ["shrunk"]),  # in two steps, neither of which is half
        (2000, (1000,), []),
    ],
)
def test_a_table_that_is_empty_or_half_gone_is_found(rows: int, before: tuple[int, ...], kinds: list[str]) -> None:
    assert _kinds(rows, *before) == kinds


def test_a_dropped_table_is_found_where_it_was_asked_for() -> None:
    previous = {"t": Counted("t", "G", 5), "empty": Counted("empty", "G", 0)}
    assert [loss.kind for loss in find_losses({}, [{"t": 5}], previous, groups=None)] == ["dropped"]
    assert [loss.kind for loss in find_losses({}, [{"t": 5}], previous, groups=frozenset({"G"}))] == ["dropped"]
    assert find_losses({}, [{"t": 5}], previous, groups=frozenset({"H"})) == ()


def _changed(share: float, *, before: float | None = 0.1, files: int = 1) -> list[str]:
    new = {"t": Counted("t", "G", 5000, 20, share, frozenset({files}))}
    previous = {"t": Counted("t", "G", 5000, 20, before, frozenset({1}))}
    return [loss.kind for loss in find_losses(new, [{"t": 5000}], previous, groups=None)]


def test_a_mass_change_is_found_in_a_table_that_was_quiet() -> None:
    assert _changed(0.9) == ["rewritten"]
    assert _changed(0.4) == []
    assert _changed(0.9, before=0.8) == []
    assert _changed(0.9, before=None) == []
    assert _changed(1.0, files=2) == []  # VACUUM FULL


def test_words_are_for_people() -> None:
    (loss,) = find_losses({"t": Counted("t", "G", 400)}, [{"t": 12000}], {"t": Counted("t", "G", 12000)}, groups=None)
    assert loss.in_words == "400 rows, 12\N{NO-BREAK SPACE}000 before (-97%)"
