"""The values that tell what is proven about a backup; doors take them from `views`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class VerifyView:
    """What a verification found.

    Attributes:
        level: structure, contents or drill.
        ok: nothing is damaged. A drill that could not prove everything is ok, but not `proven`.
        damaged: in words what is broken.
        tables_checked, rows_checked: how many were looked at; for a drill, restored and found the same.
        unproven: in words what a drill could not prove, though nothing is damaged, and why.
        place: where a drill restored to: database or schema.
        store: the store that it was read from.
    """

    backup_id: str
    level: str
    ok: bool
    checked_chunks: int
    damaged: tuple[str, ...]
    seconds: float
    job: str = ""
    tables_checked: int = 0
    rows_checked: int = 0
    unproven: tuple[str, ...] = ()
    place: str = ""
    store: str = ""

    @property
    def proven(self) -> bool:
        """Whether the backup is all that its level asks for."""
        return self.ok and not self.unproven

    @property
    def proof(self) -> str | None:
        """What is proven by it: readable, decrypted or restored; None if it is damaged."""
        if not self.ok:
            return None
        # Whatever a drill could not restore, it opened.
        return {"structure": "readable", "contents": "decrypted"}.get(
            self.level, "decrypted" if self.unproven else "restored"
        )


@dataclass(frozen=True, slots=True)
class ProofView:
    """When a backup was last proven at one level: readable, decrypted or restored; and how long that took."""

    level: str
    at: datetime
    seconds: float
