"""One operation of rxbackup in a process of its own, for the benchmark to time and weigh."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from rxbackup.backup.run import BackupRequest, run_backup
from rxbackup.restore.plan import RestoreRequest
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.stores.base import Store, StoreRecipe
from rxbackup.stores.local import LocalStore
from rxbackup.stores.opening import open_store
from rxbackup.vault.keyring import create_key_file, read_key_file
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault


def _vault(store: str, url: str, folder: Path) -> Vault:
    key, place = folder / "key", folder / "store"
    if key.exists():
        return Vault.open(_store(store, url, place), read_key_file(key))
    folder.mkdir(parents=True)
    LocalStore.create(place)
    return Vault.create(_store(store, url, place), create_key_file(key))


def _store(kind: str, url: str, folder: Path) -> Store:
    return open_store(StoreRecipe(kind, {"path": str(folder)} if kind == "local" else {}, system_url=url))


def back_up(vault: Vault, url: str, base: str) -> dict[str, object]:
    leaning: Manifest | None = vault.get_manifest(base) if base else None
    request = BackupRequest(str(uuid4()), "Benchmark", "", "bench@example.com")
    outcome = run_backup(request, source_url=url, vault=vault, bases=[leaning] if leaning else [])
    totals = outcome.manifest.totals
    return {
        "id": outcome.manifest.backup_id,
        "rows": totals.rows,
        "raw_bytes": totals.raw_bytes,
        "stored_bytes": outcome.stored_bytes,
        "segments": f"{totals.segments_read}/{totals.segments_total}",
    }


def restore(vault: Vault, url: str, backup: str, *, maintenance: bool = False) -> dict[str, object]:
    manifest = vault.get_manifest(backup)
    plan = prepare_restore(manifest, RestoreRequest(maintenance=maintenance), source_url=url, counted=False)
    report = run_restore(plan, manifest, vault=vault, source_url=url)
    return {"added": sum(t.added for t in report.tables.values())}


def maintain(vault: Vault, url: str, backup: str) -> dict[str, object]:
    return restore(vault, url, backup, maintenance=True)


def _peak_mib() -> float:
    """The high-water mark of this process or the largest that it started, whichever is larger."""
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return max(int(own.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


if __name__ == "__main__":
    verb, kind, url, folder, argument = sys.argv[1:]
    with _vault(kind, url, Path(folder)) as vault:
        verbs: dict[str, Callable[[Vault, str, str], dict[str, object]]] = {
            "backup": back_up,
            "restore": restore,
            "maintain": maintain,
        }
        answer = verbs[verb](vault, url, argument)
    print(json.dumps({**answer, "peak_mib": _peak_mib()}))
