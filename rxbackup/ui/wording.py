"""Facts as words: what a state, a level of proof, a stage or a span of time is called on the page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

STATE_WORDS: Final = {
    "complete": "Complete",
    "running": "Running",
    "failed": "Failed",
    "interrupted": "Interrupted",
    "deleting": "Deleting",
}

PROOF_WORDS: Final = {
    "": "Not checked",
    "stored": "Stored",
    "readable": "Readable",
    "decrypted": "Decrypted",
    "restored": "Restored",
}

PROOF_STEPS: Final = ("stored", "readable", "decrypted", "restored")

FOREIGN_MEANING: Final = "Another key than yours signed it: rxbackup cannot say who made it."

PROOF_MEANINGS: Final = {
    "": "Nobody has looked yet whether it can be read back.",
    "stored": "Its list of contents was written and read back. The contents themselves were not opened yet.",
    "readable": "Every part is there and has the right size. The contents were not opened yet.",
    "decrypted": "Every part was opened, decrypted and counted: the rows are what was written.",
    "restored": "It was restored into a scratch space and compared with what was written.",
}

ACTIVITY_KINDS: Final = {
    "backup": "Backups",
    "restore": "Restores",
    "check": "Checks",
    "copy": "Copies and imports",
    "deletion": "Deletions and trash",
    "look": "Looking and downloads",
    "schedule": "Schedules",
    "store": "Stores",
    "notification": "Notifications",
    "person": "Sign-ins and accounts",
    "other": "Anything else",
}

ACTIVITY_OUTCOMES: Final = {
    "done": "Done",
    "failed": "Failed",
    "stopped": "Stopped",
    "refused": "Refused",
    "missed": "Did not run",
}

_TRADE_WORDS: Final = {
    "Looking for chunks": "Looking for every part",
    "Reading chunks": "Opening every part",
    "Writing the manifest and reading it back": "Writing the list of contents and reading it back",
}

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def stage(words: str) -> str:
    """What is being done, in words that need no knowledge of how backups are stored."""
    return _TRADE_WORDS.get(words, words)


def number(value: int) -> str:
    """A whole number with narrow spaces between thousands: read alike in every language."""
    return f"{value:,}".replace(",", "\u202f")


def plural(value: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 group", "6 groups"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def span(seconds: float) -> str:
    """A span of time in at most two units: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 10:  # noqa: PLR2004 - below ten seconds the tenths matter
        return f"{max(seconds, 0.1):.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        minutes, rest = divmod(whole, _MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(whole, _HOUR)
    minutes = rest // _MINUTE
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def time_left(seconds: float) -> str:
    """A guess at what remains; deliberately rough, so that it does not flicker."""
    if seconds < 5:  # noqa: PLR2004
        return "a few seconds left"
    if seconds < _MINUTE:
        return f"about {round(seconds / 5) * 5} s left"
    if seconds < _HOUR:
        return f"about {round(seconds / _MINUTE)} min left"
    return f"about {span(round(seconds / 600) * 600)} left"


def listed(names: list[str] | tuple[str, ...], *, most: int = 4) -> str:
    """Names as one phrase: "Assets, Users and 3 more"."""
    names = list(names)
    if len(names) <= most:
        return names[0] if len(names) == 1 else " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def iso(moment: datetime | None) -> str:
    """A moment for the browser, always with its offset; "" for none."""
    return moment.astimezone(UTC).isoformat() if moment else ""
