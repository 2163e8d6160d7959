"""What a channel can hear of, in the words of the page and in the groups that people think in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rxbackup.ui import wording

GROUPS: Final[tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]] = (
    (
        "Problems",
        (
            ("failure", "A backup, copy or clean-up failed", "failures"),
            ("overdue", "No good backup in time", "late backups"),
            ("verification-failed", "A backup is damaged", "damage"),
            ("suspicious-change", "Rows seem lost", "lost rows"),
            ("store-nearly-full", "A store is nearly full", "full stores"),
            ("paused", "A schedule paused itself", "paused schedules"),
        ),
    ),
    (
        "Good news",
        (
            ("recovered", "It works again", "recoveries"),
            ("first-success", "First backup of a schedule", "first backups"),
            ("success", "Every good backup", "every good backup"),
        ),
    ),
    (
        "Restores",
        (
            ("restore", "A restore is done, or failed", "restores"),
            ("undo", "A restore was taken back", "undone restores"),
        ),
    ),
)
"""Heading, then of each event its name, the words beside its box, and those within a sentence."""
_SHORT = {name: short for _, events in GROUPS for name, _, short in events}
_PROBLEMS = tuple(name for name, _, _ in GROUPS[0][1])


def heard(events: Iterable[str]) -> str:
    """What a channel hears of: "Every problem, recoveries, first backups and restores"."""
    chosen = list(events)
    words: list[str] = []
    if set(_PROBLEMS) <= set(chosen):
        words.append("every problem")
        chosen = [name for name in chosen if name not in _PROBLEMS]
    words += [short for name, short in _SHORT.items() if name in chosen]
    words += [name for name in chosen if name not in _SHORT]
    listed = wording.listed(words, most=len(words)) if words else "nothing"
    return listed[:1].upper() + listed[1:]
