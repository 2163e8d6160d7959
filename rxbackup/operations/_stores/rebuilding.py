"""Reading the catalogue out of a store: manifests say what there is, the listing says where it lies."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from rxbackup.errors import BackupNotFound, Corrupt
from rxbackup.operations._backups.facts import facts_of
from rxbackup.operations._backups.settling import settle_chunks
from rxbackup.operations._backups.taking import lock_store, vault_of_its_own
from rxbackup.operations._runs.running import Run
from rxbackup.operations._stores.adding import adopt
from rxbackup.operations._stores.collecting import alone_in_store
from rxbackup.operations.views import RebuildView
from rxbackup.operations.wording import counted
from rxbackup.progress import Progress
from rxbackup.tables.system import Backup, BackupCopy, Store
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import ChunkReceipt, Vault

_TRIGGERS = frozenset({"manual", "schedule", "safety", "import"})
_MANIFESTS = "manifests/"
_PATIENCE_SECONDS = 10.0
_KNOWN = """
SELECT n.id FROM unnest(CAST(:ids AS text[])) AS n(id)
JOIN rxbackup.chunks AS c ON c.store = :store AND c.id = decode(n.id, 'hex')
"""


def rebuild(run: Run, row: Store) -> RebuildView:
    """Bring back what the catalogue does not know of a store; oldest first, each backup in a transaction of its own."""
    services, started = run.services, time.monotonic()
    adopt(services, row)
    with (
        alone_in_store(services, row.name, patience_seconds=_PATIENCE_SECONDS),
        vault_of_its_own(services, row.name) as vault,
    ):
        with services.system.session("system") as session:
            resting = _resting(session, row.name)
        sizes = {found.name.removeprefix(_MANIFESTS): found.size for found in vault.store.list(_MANIFESTS)}
        wanted = sorted(sizes.keys() - resting)
        manifests, unreadable = _read(run, vault, wanted)
        objects = _objects(run, vault) if manifests else {}
        added, damaged = 0, []
        for manifest in manifests:
            try:
                whole = _bring_back(run, row, _Found(vault, manifest, sizes[manifest.backup_id], objects))
            except Corrupt as error:
                unreadable.append(f"{manifest.name} ({manifest.backup_id}): {error.message}")
                continue
            added += 1
            if not whole:
                damaged.append(manifest.name)
    return RebuildView(
        store=row.name,
        added=added,
        known=len(sizes) - len(wanted),
        unreadable=tuple(unreadable),
        seconds=round(time.monotonic() - started, 3),
        damaged=tuple(damaged),
    )


def _resting(session: Session, store: str) -> set[str]:
    """Ids of the backups that the catalogue knows to rest, run or be deleted in the store."""
    first = session.exec(select(Backup.id).where(col(Backup.store) == store))
    further = session.exec(select(BackupCopy.backup_id).where(col(BackupCopy.store) == store))
    return {str(i) for i in (*first, *further)}


def _read(run: Run, vault: Vault, ids: Iterable[str]) -> tuple[list[Manifest], list[str]]:
    manifests: list[Manifest] = []
    unreadable: list[str] = []
    tell = run.sink(0, 40)
    for backup_id in ids:
        tell(Progress(f"Reading what there is: {counted(len(manifests), 'backup')}"))
        try:
            manifests.append(vault.get_manifest(backup_id))
        except BackupNotFound as error:
            # Deleted since it was listed, or never the name of a backup.
            unreadable.append(f"{backup_id}: {error.message}")
        except Corrupt as error:
            unreadable.append(f"{backup_id}: {error.message}")
    return sorted(manifests, key=lambda manifest: manifest.snapshot.taken_at), unreadable


def _objects(run: Run, vault: Vault) -> dict[str, ChunkReceipt]:
    """Of each chunk the newest object that is in the store; what is inside is not looked at."""
    objects: dict[str, ChunkReceipt] = {}
    tell = run.sink(40, 60)
    for count, (chunk, generation, found) in enumerate(vault.chunk_objects()):
        if count % 1000 == 0:
            tell(Progress("Looking at what lies there"))
        if chunk not in objects or objects[chunk].generation < generation:
            objects[chunk] = ChunkReceipt(chunk, 0, found.size, "", False, found.name, generation)
    return objects


class _Found:
    """One backup as it lies in the store."""

    def __init__(self, vault: Vault, manifest: Manifest, size: int, objects: Mapping[str, ChunkReceipt]) -> None:
        self.manifest = manifest
        self.size = size
        self.leans = manifest.leans if manifest.leans is not None else _leans(vault, manifest)
        self.anchors = set(self.leans.values())
        needed = manifest.chunk_ids() | self.anchors
        self.missing = needed - objects.keys()
        self.there = {chunk: objects[chunk] for chunk in needed - self.missing}


def _leans(vault: Vault, manifest: Manifest) -> dict[str, str]:
    """The anchors of an old backup's differences: only the chunks themselves know. Reads them all."""
    leans = {}
    for chunk in manifest.chunk_ids():
        try:
            anchor = vault.sealed_chunk(chunk).anchor
        except Corrupt:
            continue  # it will be told as missing or damaged
        if anchor is not None:
            leans[chunk] = anchor
    return leans


def _bring_back(run: Run, row: Store, found: _Found) -> bool:
    """Write one backup into the catalogue; whether all its parts are there.

    Raises:
        ChunkMissing: chunks of it are being deleted at this moment.
    """
    manifest = found.manifest
    run.sink(60, 99)(Progress(f"Bringing back {manifest.name}"))
    with run.services.system.session("system") as session:
        lock_store(session, row.name, exclusive=False)
        run.require_running(session)
        _write(session, row, found)
        session.flush()
        known = session.connection().execute(text(_KNOWN), {"store": row.name, "ids": list(found.there)}).scalars()
        fresh = found.there.keys() - set(known)
        settle_chunks(
            session,
            store=row.name,
            store_kind=row.kind,
            backup_id=manifest.backup_id,
            entrant=manifest.backup_id,
            receipts=[_adopted(found.there[chunk], found.leans) for chunk in sorted(fresh)],
            needed=found.there,
            anchors=found.anchors - found.missing,
        )
    return not found.missing


def _adopted(receipt: ChunkReceipt, leans: Mapping[str, str]) -> ChunkReceipt:
    # How long it is unpacked, and how it was squeezed, nobody knows who has not read it.
    return ChunkReceipt(
        id=receipt.id,
        plain_bytes=None,  # type: ignore[arg-type]
        stored_bytes=receipt.stored_bytes,
        codec=None,  # type: ignore[arg-type]
        is_new=False,
        object_name=receipt.object_name,
        generation=receipt.generation,
        anchor=leans.get(receipt.id),
    )


def _write(session: Session, row: Store, found: _Found) -> None:
    manifest, backup_id = found.manifest, UUID(found.manifest.backup_id)
    now = func.clock_timestamp()
    damage = _damage(len(found.missing))
    proof: dict[str, Any] = {"verified_level": None if damage else "stored", "verified_at": now, "error": damage}
    if session.get(Backup, backup_id) is not None:
        # It is known, but not that it rests here as well.
        state = "failed" if damage else "complete"
        values: dict[str, Any] = {"stored_bytes": found.size, "finished_at": now, **proof}
        session.add(BackupCopy(backup_id=backup_id, store=row.name, state=state, **values))
        return
    facts: dict[str, Any] = facts_of(manifest, stored_bytes=manifest.totals.stored_bytes, manifest_bytes=found.size)
    if facts["base_id"] is not None and session.get(Backup, facts["base_id"]) is None:
        facts["base_id"] = None
    session.add(
        Backup(
            id=backup_id,
            name=manifest.name[:255],
            description=manifest.description,
            created_by=manifest.created_by[:255],
            created_at=datetime.fromisoformat(manifest.created_at),
            store=row.name,
            trigger=manifest.trigger if manifest.trigger in _TRIGGERS else "manual",
            origin={"kind": "rebuild", "foreign": False, "signer": manifest.vault_id, "file": ""},
            **{**facts, **proof},
        )
    )


def _damage(missing: int) -> dict[str, str] | None:
    if not missing:
        return None
    return {
        "code": "corrupt",
        "message": f"This backup is damaged: {counted(missing, 'part')} of it are not in the store.",
        "hint": "Verify it to see which tables are whole; take a new backup now.",
    }
