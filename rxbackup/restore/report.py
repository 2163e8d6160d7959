"""What a restore did, or would do, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableResult:
    """What happened to one table, in rows; `rows` is what it holds now."""

    added: int
    changed: int
    removed: int
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore did, by qualified table name, and the sequences it moved on."""

    tables: dict[str, TableResult]
    sequences: tuple[str, ...]
    seconds: float
