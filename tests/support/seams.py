"""Seams of the program: calls at which a test lets something happen, before or after them."""

from __future__ import annotations

import importlib
import os
import signal
import time
from collections.abc import Callable
from typing import Any


def die() -> None:
    """SIGKILL to this very process."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def at(
    place: str,
    happens: Callable[[], object] = die,
    *,
    after: bool = False,
    when: Callable[..., bool] = lambda *_, **__: True,
) -> Callable[[], None]:
    """Makes something happen at a call, for the rest of this process's life.

    Args:
        place: `module.function` or `module.Class.method`, without `rxbackup.`.
        happens: before the call.
        after: when it is done, not before.
        when: of the call's arguments, whether it happens this time.
    """

    def arm() -> None:
        path, _, name = place.rpartition(".")
        owner = find(path)
        call = getattr(owner, name)

        def seam(*arguments: Any, **named: Any) -> Any:
            now = when(*arguments, **named)
            if now and not after:
                happens()
            answer = call(*arguments, **named)
            if now and after:
                happens()
            return answer

        setattr(owner, name, seam)

    return arm


def find(path: str) -> Any:
    """A module, or a class in one."""
    try:
        return importlib.import_module(f"rxbackup.{path}")
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(f"rxbackup.{module}"), name)
