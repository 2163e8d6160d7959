"""Drills for tests."""

from __future__ import annotations

import psycopg

from rxbackup.backup.run import BackupOutcome
from rxbackup.progress import ProgressSink, ignore_progress
from rxbackup.vault.vault import Vault
from rxbackup.verify.drill import verify_drill
from rxbackup.verify.report import VerifyReport
from tests.support.postgres import admin_url


def drill(
    url: str, vault: Vault, outcome: BackupOutcome, *, on_progress: ProgressSink = ignore_progress
) -> VerifyReport:
    """Drill a backup, with the manifest as the vault holds it."""
    manifest = vault.get_manifest(outcome.manifest.backup_id)
    return verify_drill(vault, manifest, source_url=url, on_progress=on_progress)


def leftovers(url: str) -> list[str]:
    """Schemas and databases that drills left on this server."""
    with psycopg.connect(admin_url(url), autocommit=True) as conn:
        rows = conn.execute(
            "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'rxbackup\\_drill\\_%' "
            "UNION ALL SELECT datname::text FROM pg_database WHERE datname LIKE 'rxbackup\\_drill\\_%'"
        ).fetchall()
    return [name for (name,) in rows]
