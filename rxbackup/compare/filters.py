r"""Conditions on rows of COPY text: COLUMN=VALUE, COLUMN~TEXT, COLUMN is null, COLUMN is not null.

Values are compared as PostgreSQL wrote them. Most rows of a large table do not fit: a needle is searched for in whole
blocks first, and only the lines around it are taken apart.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rxbackup.compare.tables import KeptTable
from rxbackup.compare.text import as_text
from rxbackup.errors import UsageError
from rxbackup.postgres.copy_format import NULL, escape, unescape
from rxbackup.vault.manifest import TableEntry

_NULLNESS = re.compile(r"(?P<column>.*\S)\s+is\s+(?P<no>not\s+)?null\s*", re.IGNORECASE | re.DOTALL)
_TRUTHS = {"true": "t", "false": "f"}

# Of what a person searches for, what surely stands in the block as it is: no escapes, and no letter that another
# character becomes when lowered (the Kelvin sign, a dotted capital I).
_SAFE_RUN = re.compile(r"[^\x00-\x1f\x7f-\U0010ffff\\ki]+")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: `kind` is "is", "has" (somewhere in it, whatever the case), "null" or "not-null"."""

    column: str
    kind: str
    value: str = ""


def parse_filter(text: str, table: KeptTable) -> Filter:
    """Read a condition as people write it.

    Raises:
        UsageError: it is none, or the table has no such column.
    """
    names = [column.name for column in table.columns]
    # A column's name may hold the signs itself: the longest one that fits is meant.
    for name in sorted(names, key=len, reverse=True):
        sign, value = text[len(name) : len(name) + 1], text[len(name) + 1 :]
        if text.startswith(name) and sign in {"=", "~"}:
            return Filter(name, "is" if sign == "=" else "has", value)
    found = _NULLNESS.fullmatch(text)
    if found and found["column"] in names:
        return Filter(found["column"], "not-null" if found["no"] else "null")
    column = found["column"] if found else re.split("[=~]", text, maxsplit=1)[0].strip()
    if not found and column == text.strip():
        raise UsageError(
            f"{text[:80]!r} is no condition.", hint="Write COLUMN=VALUE, COLUMN~TEXT, or 'COLUMN is null'."
        )
    if column in table.computed:
        raise UsageError(f"{column} is computed by the server: no backup holds its values.", hint="Use another column.")
    near = difflib.get_close_matches(column, names, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"The columns are: {', '.join(names[:30])}."
    raise UsageError(f"{table.name} has no column {column[:80]!r}.", hint=hint)


class RowTest:
    """All conditions at once, for the rows of one entry. Without conditions every row fits."""

    def __init__(self, filters: Sequence[Filter], entry: TableEntry, codec: str) -> None:
        columns = {column.name: (place, column) for place, column in enumerate(entry.copied_columns)}
        self._tests: list[tuple[int, Callable[[bytes], bool]]] = []
        needles: list[tuple[bytes, bool]] = []
        for each in filters:
            place, column = columns[each.column]
            value = _TRUTHS.get(each.value.lower(), each.value) if column.type == "boolean" else each.value
            test, needle, folded = _TESTS[each.kind](value, codec)
            self._tests.append((place, test))
            needles.append((needle, folded))
        self._needle, self._folded = max(needles, key=lambda each: len(each[0]), default=(b"", False))

    def lines(self, block: bytes | bytearray, start: int = 0) -> Iterator[tuple[int, int]]:
        """Where lines that fit begin and end in a block of whole rows, from a line's start on."""
        if not self._needle:
            yield from self._all_lines(block, start)
            return
        searched = block.lower() if self._folded else block
        while (hit := searched.find(self._needle, start)) >= 0:
            first = block.rfind(b"\n", start, hit) + 1 or start
            start = block.index(b"\n", hit + len(self._needle) - 1) + 1
            if self.fits(bytes(block[first : start - 1])):
                yield first, start

    def fits(self, line: bytes) -> bool:
        """Whether one row fits; `line` without its newline."""
        fields = line.split(b"\t")
        return all(test(fields[place]) for place, test in self._tests)

    def _all_lines(self, block: bytes | bytearray, start: int) -> Iterator[tuple[int, int]]:
        while start < len(block):
            end = block.index(b"\n", start) + 1
            if not self._tests or self.fits(bytes(block[start : end - 1])):
                yield start, end
            start = end


def _is(value: str, codec: str) -> tuple[Callable[[bytes], bool], bytes, bool]:
    field = escape(value.encode(codec, errors="backslashreplace"))
    return lambda found: found == field, field, False


def _has(value: str, codec: str) -> tuple[Callable[[bytes], bool], bytes, bool]:
    wanted = value.lower()
    runs = _SAFE_RUN.findall(wanted)
    needle = max(runs, key=len, default="").encode("ascii")
    return lambda found: found != NULL and wanted in as_text(unescape(found), codec).lower(), needle, True


def _null(value: str, codec: str) -> tuple[Callable[[bytes], bool], bytes, bool]:
    del value, codec
    return lambda found: found == NULL, NULL, False


def _not_null(value: str, codec: str) -> tuple[Callable[[bytes], bool], bytes, bool]:
    del value, codec
    return lambda found: found != NULL, b"", False


_TESTS = {"is": _is, "has": _has, "null": _null, "not-null": _not_null}
