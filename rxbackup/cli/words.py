"""Numbers as people read them."""

from __future__ import annotations

from datetime import datetime

from rxbackup.operations.wording import counted, size

__all__ = ["age", "counted", "moment", "number", "size", "span"]

_MINUTE = 60


def number(count: int) -> str:
    """With thin groups: 1234567 → "1 234 567"."""
    return f"{count:,}".replace(",", " ")


def moment(at: datetime | None) -> str:
    """Local time with its zone; a dash for never."""
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}" if at else "–"


def age(at: datetime | None, now: datetime) -> str:
    """How long ago, roughly: "just now", "5 min ago", "3 h ago", "12 d ago"; a dash for never."""
    if at is None:
        return "–"
    seconds = max(0.0, (now - at).total_seconds())
    for unit, size_of_unit, first in (("d", 86400, 48 * 3600), ("h", 3600, 3600), ("min", 60, 60)):
        if seconds >= first:
            return f"{int(seconds // size_of_unit)} {unit} ago"
    return "just now"


def span(seconds: float) -> str:
    """A duration: "0.4 s", "12 s", "3 min 5 s"."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - one digit more is noise
    return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"
