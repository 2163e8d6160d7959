"""What is proven about a backup, written on its row.

The level is the greatest proof there is, with its time. The times of all proofs are kept beside, in the metadata:
a lesser look later says that the bytes are still there, and takes nothing away.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from rxbackup.operations.views import BackupView
from rxbackup.operations.views.proofs import ProofView, VerifyView
from rxbackup.tables.system import Backup, BackupCopy

_PROOFS = ("stored", "readable", "decrypted", "restored")
_MOST_OBSTACLES_KEPT = 20


def note_proof(session: Session, view: BackupView, found: VerifyView) -> None:
    """Write on the backup what is proven now: damage takes every proof away, a lesser look no greater proof."""
    row = session.exec(
        select(Backup.verified_level, Backup.metadata_, func.clock_timestamp())
        .where(col(Backup.id) == UUID(view.id))
        .with_for_update()
    ).one()
    level, metadata, now = row
    values = _damaged(found, now) if not found.ok else _proven(found, level, now)
    session.exec(
        update(Backup)
        .where(col(Backup.id) == UUID(view.id))
        .values(**values, metadata_=_remember(dict(metadata or {}), found, now))
    )


def note_copy_proof(session: Session, view: BackupView, store: str, found: VerifyView) -> None:
    """Write on a copy what is proven of it: nothing is said of the backup itself."""
    copy = (col(BackupCopy.backup_id) == UUID(view.id), col(BackupCopy.store) == store)
    level, now = session.exec(
        select(BackupCopy.verified_level, func.clock_timestamp()).where(*copy).with_for_update()
    ).one()
    values = _damaged(found, now) if not found.ok else _proven(found, level, now)
    session.exec(update(BackupCopy).where(*copy).values(**values))


def read_proofs(session: Session, backup_id: str) -> tuple[ProofView, ...]:
    """When a backup was last proven at each level, the least first."""
    metadata = session.exec(select(Backup.metadata_).where(col(Backup.id) == UUID(backup_id))).first() or {}
    kept: Mapping[str, Mapping[str, Any]] = metadata.get("proofs", {})
    return tuple(
        ProofView(level, datetime.fromisoformat(kept[level]["at"]), float(kept[level]["seconds"]))
        for level in _PROOFS
        if level in kept
    )


def _proven(found: VerifyView, level: str | None, now: datetime) -> dict[str, Any]:
    proof = found.proof or "stored"
    if level is not None and _PROOFS.index(level) > _PROOFS.index(proof):
        return {"verified_level": level}
    return {"verified_level": proof, "verified_at": now, "error": None}


def _damaged(found: VerifyView, now: datetime) -> dict[str, Any]:
    more = f" (and {len(found.damaged) - 1} more)" if len(found.damaged) > 1 else ""
    return {
        "verified_level": None,
        "verified_at": now,
        "error": {
            "code": "corrupt",
            "message": f"This backup is damaged: {found.damaged[0]}{more}",
            "hint": "Take a new backup now, and verify the others.",
        },
    }


def _remember(metadata: dict[str, Any], found: VerifyView, now: datetime) -> dict[str, Any]:
    if found.proof is None:
        return {name: value for name, value in metadata.items() if name not in {"proofs", "drill"}}
    proofs = {**metadata.get("proofs", {}), found.proof: {"at": now.isoformat(), "seconds": found.seconds}}
    drill = {
        "at": now.isoformat(),
        "seconds": found.seconds,
        "tables": found.tables_checked,
        "rows": found.rows_checked,
        "place": found.place,
        "unproven": list(found.unproven[:_MOST_OBSTACLES_KEPT]),
    }
    return {**metadata, "proofs": proofs} | ({"drill": drill} if found.level == "drill" else {})
