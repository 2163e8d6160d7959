"""A copier that ends says why, and the leader hears it even if it was just about to speak itself."""

from __future__ import annotations

from multiprocessing import Pipe
from typing import Any, cast

import pytest

from rxbackup.backup.crew import Crew
from rxbackup.errors import StoreFull, WorkerLost


def test_reason_is_heard_before_the_line_is_called_dead() -> None:
    ours, theirs = Pipe()
    theirs.send(StoreFull("no space left"))
    theirs.close()
    with Crew(cast("Any", None), 0) as crew, pytest.raises(StoreFull):
        crew._tell(ours, cast("Any", None))
    ours.close()


def test_line_that_died_without_a_word_is_called_lost() -> None:
    ours, theirs = Pipe()
    theirs.close()
    with Crew(cast("Any", None), 0) as crew, pytest.raises(WorkerLost):
        crew._tell(ours, cast("Any", None))
    ours.close()
