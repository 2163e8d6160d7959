"""The values that tell about the trash."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrashView:
    """What is in the trash: how many backups, and how much they added to their stores."""

    backups: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class StayingView:
    """One backup that stays in the trash for now; `why` and `hint` are for people."""

    id: str
    name: str
    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class EmptiedView:
    """What became of the trash: how many backups were deleted for good, what they had added, and which ones stay."""

    deleted: int
    stored_bytes: int
    staying: tuple[StayingView, ...]
