"""Several instances, each a process of its own, that look at the same clock at the same moment."""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections.abc import Callable
from datetime import datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

from rxbackup.access.actor import Actor
from rxbackup.operations import occurrences
from tests.support.installation import build

_PATIENCE = 120


def race(url: str, folder: Path, moments: list[datetime], *, processes: int, between: Callable[[], None]) -> None:
    """Let processes look at each of the moments all at once; `between` runs after each, while they wait."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes + 1)
    racers = [context.Process(target=_look, args=(url, folder, moments, barrier)) for _ in range(processes)]
    for racer in racers:
        racer.start()
    try:
        for _ in moments:
            barrier.wait(_PATIENCE)  # all are ready
            barrier.wait(_PATIENCE)  # all have looked
            between()
        for racer in racers:
            racer.join(_PATIENCE)
    finally:
        barrier.abort()
        for racer in racers:
            if racer.is_alive():
                racer.terminate()
    assert [racer.exitcode for racer in racers] == [0] * processes


def _look(url: str, folder: Path, moments: list[datetime], barrier: Barrier) -> None:
    built = build(url, url, folder)
    for moment in moments:
        services = dataclasses.replace(built.services, database_clock=lambda session, at=moment: at)
        barrier.wait(_PATIENCE)
        occurrences.queue_due_backups(services, Actor.system())
        occurrences.settle_occurrences(services, Actor.system())
        barrier.wait(_PATIENCE)
