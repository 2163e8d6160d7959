"""How much a file may claim before it is not believed. docs/import.md names them."""

from __future__ import annotations

from dataclasses import dataclass

MOST_OBJECTS = 500_000
"""Objects in one archive: 2 TB of chunks of the usual size."""
MOST_MANIFEST_BYTES = 32 * 1024 * 1024
MOST_MANIFEST_VALUES = 2_000_000
"""Of another vault's manifest: its text, and how many values may be in it."""
MOST_HEAD_BYTES = 16 * 1024 * 1024
MOST_HEAD_DEPTH = 32
"""Of what a JSON document says about itself."""
MOST_ROW_BYTES = 64 * 1024 * 1024
MOST_VALUE_DEPTH = 6_000
"""Of one row in a JSON document."""
MOST_TABLES = 20_000
MOST_NAME_BYTES = 63
"""PostgreSQL's own limit of a name."""
MOST_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the installation allows.

    Attributes:
        row_bytes: rows as text, all of them, unpacked.
    """

    row_bytes: int
