"""Choices as SQL. Nothing is random: each is a hash of the row's number `i` and of the column's own salt."""

from __future__ import annotations

from collections.abc import Sequence

THREE_YEARS = 3 * 365
NOW = "date_trunc('hour', now())"


def pick(salt: int, count: int, key: str = "i") -> str:
    """A number from 0 to count - 1 that belongs to the row and the salt."""
    return f"((hashint8extended(({key})::bigint, {salt}) & 9223372036854775807) % {max(1, count)})"


def listed(items: Sequence[object], kind: str = "text") -> str:
    """An array of constants."""
    return f"(ARRAY[{', '.join(quoted(item) for item in items)}]::{kind}[])"


def quoted(item: object) -> str:
    """A constant."""
    return "NULL" if item is None else "'" + str(item).replace("'", "''") + "'"


def one_of(items: Sequence[object], salt: int, kind: str = "text", *, key: str = "i") -> str:
    """One of the items."""
    if kind in ("text", "int"):
        return f"{listed(items, kind)}[1 + {pick(salt, len(items), key)}]"
    # A list of enum values would be read anew for every row: choose the text first.
    return f"({listed(items)}[1 + {pick(salt, len(items), key)}])::{kind}"


def some_of(items: Sequence[str], salt: int, most: int) -> str:
    """An array of up to `most` neighbours among the items."""
    start = f"1 + {pick(salt, len(items) - most)}"
    return f"{listed(items)}[{start} : {start} + {pick(salt + 1, most + 1)} - 1]"


def ago(salt: int, days: int = THREE_YEARS, *, bend: float = 1.4) -> str:
    """A moment in working hours within so many days before now, more often lately than long ago."""
    # In floating point: a power of numerics would take longer than all the rest of the row.
    day = f"(power({pick(salt, 1_000_000)}::float8 / 1000000, {bend}::float8) * {days})::int"
    second = f"({pick(salt + 1, 36000)} + 27000)"
    return f"least(date_trunc('day', now()) - {day} * interval '1 day' + {second} * interval '1 second', {NOW})"
