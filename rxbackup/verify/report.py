"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that would be missing from a restore.

    Attributes:
        table: `schema.name`.
        segment: its number in the table, from 0.
        chunk: the chunk's id, or '' when the segment as a whole is wrong.
        rows: how many rows the segment holds: so many are affected.
        reason: what is wrong, for people.
    """

    table: str
    segment: int
    chunk: str
    rows: int
    reason: str

    def __str__(self) -> str:
        return f"{self.table}, segment {self.segment} ({self.rows} rows): {self.reason}"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a drill could not prove something, though nothing of the backup is damaged. `table` may be empty."""

    table: str
    reason: str

    def __str__(self) -> str:
        return f"{self.table}: {self.reason}" if self.table else self.reason


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The outcome of one verification.

    Attributes:
        level: structure, contents or drill.
        checked_chunks: different chunks looked at, anchors of differences among them.
        checked_bytes: of them; stored bytes for structure, plain bytes otherwise.
        damaged: everything that is wrong.
        seconds: how long it took.
        tables, rows: how many tables and rows were looked at; for a drill, restored and found the same.
        unproven: what a drill could not prove, and why.
        place: where a drill restored to: database or schema.
    """

    level: str
    checked_chunks: int
    checked_bytes: int
    damaged: tuple[Damage, ...]
    seconds: float
    tables: int = 0
    rows: int = 0
    unproven: tuple[Obstacle, ...] = ()
    place: str = ""

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.damaged

    @property
    def damaged_tables(self) -> tuple[str, ...]:
        """The names of the tables that are affected, in the backup's order."""
        return tuple(dict.fromkeys(damage.table for damage in self.damaged))
