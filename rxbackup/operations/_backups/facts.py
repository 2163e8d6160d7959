"""What the catalogue says about a complete backup, taken from its manifest."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func

from rxbackup.vault.manifest import Manifest


def facts_of(manifest: Manifest, *, stored_bytes: int, manifest_bytes: int) -> dict[str, Any]:
    """The values of the row, but for those of who asked for it.

    Args:
        manifest: of the backup.
        stored_bytes: what the backup added to its store.
        manifest_bytes: what of that is the sealed manifest.
    """
    totals = manifest.totals
    now = func.clock_timestamp()
    return {
        "state": "complete",
        "timestamp": datetime.fromisoformat(manifest.snapshot.taken_at),
        "metadata_": {**_summary(manifest), "manifest_bytes": manifest_bytes},
        "backup_data": manifest.to_dict(),
        "finished_at": now,
        "rows": totals.rows,
        "tables": totals.tables,
        "raw_bytes": totals.raw_bytes,
        "stored_bytes": stored_bytes,
        "segments_total": totals.segments_total,
        "segments_read": totals.segments_read,
        "seconds": totals.seconds,
        "verified_level": "stored",
        "verified_at": now,
        "error": None,
        "base_id": UUID(manifest.base_id) if manifest.base_id else None,
    }


def _summary(manifest: Manifest) -> dict[str, Any]:
    groups: dict[str, dict[str, Any]] = {
        g.name: {"tables": list(g.tables), "rows": 0, "raw_bytes": 0} for g in manifest.groups
    }
    for table in manifest.tables:
        group = groups.setdefault(table.group, {"tables": [], "rows": 0, "raw_bytes": 0})
        group["rows"] += table.rows
        group["raw_bytes"] += table.raw_bytes
    return {
        "groups": [g.name for g in manifest.groups],
        "counts": groups,
        "tables": {t.qualified: t.rows for t in manifest.tables},
        "raw_bytes": manifest.totals.raw_bytes,
        "seconds": manifest.totals.seconds,
        "server": {"version": manifest.server.version, "database": manifest.server.database},
        "trigger": manifest.trigger,
        "vault_id": manifest.vault_id,
        "warnings": list(manifest.warnings),
    }
