"""Some of the rows that setting a table right would add, change or remove."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldSample:
    """One column of a sample: the value now and the value afterwards, as PostgreSQL writes it, cut; None is NULL."""

    column: str
    before: str | None
    after: str | None
    differs: bool


@dataclass(frozen=True, slots=True)
class RowSample:
    """One row; `change` is "add" (`before` is None everywhere), "change" or "remove" (`after` is None everywhere)."""

    change: str
    fields: tuple[FieldSample, ...]
