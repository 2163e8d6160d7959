"""Numbers, sizes and moments in words. Pure; doors may use it too."""

from __future__ import annotations

from datetime import datetime, timedelta

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_KILO = 1000
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def size(count: float) -> str:
    """Bytes in decimal units: 1 234 567 → "1.2 MB"."""
    unit = 0
    while count >= _KILO and unit < len(_UNITS) - 1:
        count, unit = count / _KILO, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 backup", "2 backups"."""
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"


def moment(at: datetime) -> str:
    """A moment for a name: "22 Nov 2026, 19:40"."""
    # strftime would write the month in the language of the process.
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"


def lapse(span: timedelta) -> str:
    """How long, roughly: "5 minutes", "3 hours", "12 days"."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 2 * 60:
        return counted(minutes, "minute")
    return counted(minutes // 60, "hour") if minutes < 2 * 24 * 60 else counted(minutes // (24 * 60), "day")
