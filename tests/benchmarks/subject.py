"""One operation of rxbackup in a process of its own, for the benchmark to time and weigh."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from uuid import uuid4

from rxbackup.backup.run import BackupRequest, run_backup
from rxbackup.restore.plan import RestoreRequest
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.stores.local import LocalStore
from rxbackup.vault.keyring import create_key_file, read_key_file
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault


def _vault(folder: Path) -> Vault:
    key, store = folder / "key", folder / "store"
    if key.exists():
        return Vault.open(LocalStore(store), read_key_file(key))
    folder.mkdir(parents=True)
    return Vault.create(LocalStore.create(store), create_key_file(key))


def back_up(url: str, folder: Path, base: str) -> dict[str, object]:
    vault = _vault(folder)
    leaning: Manifest | None = vault.get_manifest(base) if base else None
    request = BackupRequest(str(uuid4()), "Benchmark", "", "bench@example.com")
    outcome = run_backup(request, source_url=url, vault=vault, base=leaning)
    totals = outcome.manifest.totals
    return {
        "id": outcome.manifest.backup_id,
        "rows": totals.rows,
        "raw_bytes": totals.raw_bytes,
        "stored_bytes": outcome.stored_bytes,
        "segments": f"{totals.segments_read}/{totals.segments_total}",
    }


def restore(url: str, folder: Path, backup: str) -> dict[str, object]:
    vault = _vault(folder)
    manifest = vault.get_manifest(backup)
    plan = prepare_restore(manifest, RestoreRequest(), source_url=url, counted=False)
    report = run_restore(plan, manifest, vault=vault, source_url=url)
    return {"added": sum(t.added for t in report.tables.values())}


if __name__ == "__main__":
    verb, url, folder, argument = sys.argv[1:]
    print(json.dumps({"backup": back_up, "restore": restore}[verb](url, Path(folder), argument)))
