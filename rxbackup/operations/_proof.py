"""What is proven about a backup, written on its row."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import Session, col

from rxbackup.operations.views import BackupView, VerifyView
from rxbackup.tables.system import Backup

_PROVES = {"structure": "readable", "contents": "decrypted", "drill": "restored"}
_PROOFS = ("stored", "readable", "decrypted", "restored")


def note_proof(session: Session, view: BackupView, found: VerifyView) -> None:
    """Write on the backup what is proven now: damage takes every proof away, a lesser look no greater proof."""
    values: dict[str, Any]
    if found.ok:
        proof = _PROVES[found.level]
        if view.verified_level is not None and _PROOFS.index(view.verified_level) > _PROOFS.index(proof):
            return
        values = {"verified_level": proof, "error": None}
    else:
        more = f" (and {len(found.damaged) - 1} more)" if len(found.damaged) > 1 else ""
        values = {
            "verified_level": None,
            "error": {
                "code": "corrupt",
                "message": f"This backup is damaged: {found.damaged[0]}{more}",
                "hint": "Take a new backup now, and verify the others.",
            },
        }
    session.exec(
        update(Backup).where(col(Backup.id) == UUID(view.id)).values(**values, verified_at=func.clock_timestamp())
    )
