"""The leader asks what changed, and hires copiers only for what must be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self, cast

import pytest

from rxbackup.backup import sharing
from rxbackup.backup.copier import CopierSetup, EarlierSegment, SegmentCopied, SegmentTask

MIB = 1 << 20


class Work:
    """Stands for server and copiers: what was asked, copied here, copied by a crew."""

    def __init__(self, changed: set[int]) -> None:
        self.changed = changed
        self.asked: list[int] = []
        self.here: list[int] = []
        self.crew: list[SegmentTask] = []
        self.hired = 0

    def take_over(self, _: object, task: SegmentTask) -> SegmentCopied | None:
        self.asked.append(task.position)
        return None if task.position in self.changed else _copied(task, was_read=False)

    def copy_segment(self, _: object, __: object, task: SegmentTask) -> SegmentCopied:
        self.here.append(task.position)
        return _copied(task, was_read=True)

    def run(
        self, tasks: Sequence[SegmentTask], *, usual_bytes: int = 4 * MIB, processes: int | None = None
    ) -> set[int]:
        nothing = cast("Any", None)
        copied = sharing.copy_all(
            nothing, nothing, tasks, setup=self._setup, usual_bytes=usual_bytes, processes=processes
        )
        return {each.task.position for each in copied if each}

    def _setup(self) -> CopierSetup:
        self.hired += 1
        return cast("CopierSetup", self)


class Crew:
    def __init__(self, setup: object, processes: int) -> None:
        self._work = cast("Work", setup)
        assert processes >= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def copy(self, tasks: Sequence[SegmentTask]) -> Iterator[SegmentCopied]:
        self._work.crew += tasks
        return (_copied(task, was_read=True) for task in tasks)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    it = Work(set())
    monkeypatch.setattr(sharing, "take_over", it.take_over)
    monkeypatch.setattr(sharing, "copy_segment", it.copy_segment)
    monkeypatch.setattr(sharing, "Crew", Crew)
    return it


def _copied(task: SegmentTask, *, was_read: bool) -> SegmentCopied:
    return SegmentCopied(task, 1, 1, (), (), was_read=was_read)


def _task(position: int, *, known: bool = True, raw_bytes: int = 4 * MIB, horizon: int | None = 1) -> SegmentTask:
    earlier = EarlierSegment(1, raw_bytes, ("anchor",), horizon) if known else None
    return SegmentTask(0, position, "public", "t", ("id",), position, position + 1, earlier)


def test_where_nothing_changed_nobody_is_hired(work: Work) -> None:
    assert work.run([_task(i) for i in range(200)]) == set(range(200))
    assert (work.asked, work.here, work.hired) == (list(range(200)), [], 0)


def test_a_little_that_changed_is_read_by_the_leader(work: Work) -> None:
    work.changed |= {3, 7}
    assert work.run([_task(i) for i in range(100)]) == set(range(100))
    assert (work.here, work.hired) == ([3, 7], 0)


def test_a_full_backup_hires_at_once(work: Work) -> None:
    assert work.run([_task(i, known=False) for i in range(50)]) == set(range(50))
    assert (work.asked, work.here, work.hired) == ([], [], 1)


def test_a_small_full_backup_hires_nobody_however_many_tables_there_are(work: Work) -> None:
    assert work.run([_task(i, known=False) for i in range(100)], usual_bytes=8192) == set(range(100))
    assert (work.hired, len(work.here)) == (0, 100)


def test_when_much_changed_a_crew_takes_over_and_asks_for_nothing_twice(work: Work) -> None:
    work.changed |= set(range(200))
    assert work.run([_task(i) for i in range(200)]) == set(range(200))
    assert work.hired == 1
    assert 0 < len(work.asked) < 30
    asked_again = [t.position for t in work.crew if t.position in work.asked and t.earlier and t.earlier.horizon]
    assert asked_again == []
    assert all(t.earlier and t.earlier.chunks for t in work.crew)


def test_segments_that_cannot_be_compared_are_not_asked_about(work: Work) -> None:
    assert work.run([_task(0, horizon=None), _task(1)]) == {0, 1}
    assert (work.asked, work.here) == ([1], [0])


def test_a_given_number_of_copiers_is_hired_whatever_there_is_to_do(work: Work) -> None:
    assert work.run([_task(0)], processes=2) == {0}
    assert (work.asked, work.hired) == ([], 1)
