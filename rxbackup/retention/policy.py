"""What a schedule says about how long its backups are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from rxbackup.errors import UsageError

PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Policy:
    """A backup is kept as long as any line of this says so. A policy that says nothing keeps everything.

    Attributes:
        days: all backups that are at most so many days older than the newest good one.
        last: the newest so many.
        hourly, daily, weekly, monthly, yearly: of so many hours, days … that have a backup, the newest one each.
        floor: so many of the newest verified ones whatever else is said; at least 1.
    """

    days: int | None = None
    last: int | None = None
    hourly: int | None = None
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    yearly: int | None = None
    floor: int = 1

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            least = 1 if each.name == "floor" else 0
            if value is None and each.name != "floor":
                continue
            if type(value) is not int or not least <= value <= _MOST:
                raise UsageError(
                    f"A schedule cannot keep {value!r} ({each.name}).", hint=f"Write a number from {least} to {_MOST}."
                )

    @property
    def keeps_everything(self) -> bool:
        """Whether no line limits anything."""
        return all(getattr(self, each.name) is None for each in fields(self) if each.name != "floor")

    def as_json(self) -> dict[str, int]:
        """Names and values to keep; `policy_from_json` reads them."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def in_words(self) -> str:
        """As "Keep 30 days and the last 3, never fewer than 1 verified"."""
        if self.keeps_everything:
            return "Keep everything"
        parts = []
        if self.days is not None:
            parts.append(_counted(self.days, "day"))
        if self.last is not None:
            parts.append(f"the last {self.last}")
        parts += [f"{value} {name}" for name in PERIODS if (value := getattr(self, name)) is not None]
        listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        return f"Keep {listed}, never fewer than {self.floor} verified"


def policy_from_json(kept: Mapping[str, Any]) -> Policy:
    """Read what `as_json` wrote.

    Raises:
        UsageError: a name is unknown, or a value is no sensible number.
    """
    known = {each.name for each in fields(Policy)}
    unknown = sorted(set(kept) - known)
    if unknown:
        raise UsageError(f"A retention knows no {', '.join(unknown)}.", hint=f"It knows {', '.join(sorted(known))}.")
    return Policy(**{name: value for name, value in kept.items() if value is not None})


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
