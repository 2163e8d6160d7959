"""Take one file in, inside a running job: file → vault → catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from rxbackup.errors import Refused, WorkerLost
from rxbackup.intake.archive import Source, open_source, read_manifest, take_other, take_same, unlock
from rxbackup.intake.archive_file import ArchiveFile
from rxbackup.intake.json_document import JsonFile
from rxbackup.intake.limits import Bounds
from rxbackup.intake.recognising import FileKind, open_file, recognise
from rxbackup.intake.spool import keys_beside
from rxbackup.intake.taken import TakenIn
from rxbackup.operations._backups.facts import facts_of
from rxbackup.operations._backups.settling import retired_chunks, settle_chunks
from rxbackup.operations._backups.taking import check_new, enter, lock_store, vault_of_its_own
from rxbackup.operations._runs.running import Run
from rxbackup.operations.views import NewBackup
from rxbackup.progress import Progress, ProgressSink
from rxbackup.tables.system import Backup
from rxbackup.vault.keyring import Keyring, load_keyring
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.marker import open_marker, vault_id_of
from rxbackup.vault.sealing import VaultKeys
from rxbackup.vault.vault import Vault

_PIECE_BYTES = 1 << 20
_CHECKED = 10
"""Percent of the bar for the first look at the file."""

_Take = Callable[[Vault, str, ProgressSink], TakenIn]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants imported.

    Attributes:
        path: the file.
        file_name: how it was called, for people.
        name: of the backup; None takes its own.
        store: where it shall rest.
        passphrase, key: what opens an archive that was made elsewhere.
    """

    path: Path
    file_name: str
    name: str | None
    store: str
    passphrase: str | None = None
    key: Keyring | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A file that may be taken in.

    Attributes:
        manifest: what it says it holds.
        digest: of its contents: the same file has the same.
        take: does it.
    """

    kind: FileKind
    manifest: Manifest
    digest: str
    foreign: bool
    signer: str | None
    take: _Take


@dataclass(frozen=True, slots=True)
class Imported:
    """A backup that is ready, but not yet called complete; or `backup_id` alone where it was there already."""

    backup_id: str
    foreign: bool
    store: str
    store_kind: str = ""
    taken: TakenIn | None = None
    origin: dict[str, Any] | None = None

    def finish(self, session: Session, run: Run, *, seconds: float) -> None:
        """Write chunks and facts and say `complete`, in the caller's transaction."""
        taken = self.taken
        if taken is None:
            return
        stored = sum(r.stored_bytes for r in taken.receipts if r.is_new) + taken.manifest_bytes
        facts = facts_of(taken.manifest, stored_bytes=stored, manifest_bytes=taken.manifest_bytes)
        lock_store(session, self.store, exclusive=False)
        changed = session.exec(
            update(Backup)
            .where(
                col(Backup.id) == UUID(self.backup_id),
                col(Backup.state) == "running",
                col(Backup.job_id) == UUID(run.id),
            )
            # The earlier backup that it took segments over from may not be here; nothing is needed of it.
            .values(**{**facts, "base_id": None, "origin": self.origin, "seconds": seconds})
        )
        if changed.rowcount != 1:
            raise WorkerLost("The import was given up by somebody else before it was finished.")
        settle_chunks(
            session,
            store=self.store,
            store_kind=self.store_kind,
            backup_id=self.backup_id,
            entrant=self.backup_id,
            receipts=taken.receipts,
            needed=taken.needed,
            anchors={receipt.anchor for receipt in taken.receipts if receipt.anchor},
        )


def take_in(run: Run, wish: Wish) -> Imported:
    """Take the file in. The row says *running* before, and still does after; see `Imported.finish`.

    Raises:
        FileCorrupt: it is torn, changed, or says what no file of ours says.
        Refused: it is no file of ours, no key opens it, or it holds what is not taken in.
    """
    services = run.services
    with open_file(wish.path) as file, vault_of_its_own(services, wish.store) as vault:
        found = _look(run, wish, file, vault)
        there = _find_same(run, found)
        if there is not None:
            return Imported(there, found.foreign, wish.store)
        backup_id = _free_id(run, found.manifest.backup_id)
        new = NewBackup(
            name=found.manifest.name if wish.name is None else wish.name,
            description=found.manifest.description,
            store=wish.store,
            trigger="import",
        )
        check_new(new)
        kind = enter(run, new, backup_id)
        with services.system.session(run.actor.identity) as session:
            retired = retired_chunks(session, wish.store)
        taken = found.take(vault.avoiding(retired), backup_id, run.sink(_CHECKED, 99))
    origin = {
        "kind": found.kind.value,
        "foreign": found.foreign,
        "signer": found.signer,
        "file": wish.file_name,
        "of": found.manifest.backup_id,
        "digest": found.digest,
    }
    return Imported(backup_id, found.foreign, wish.store, kind, taken, origin)


def bounds_of(run: Run) -> Bounds:
    """What the settings allow."""
    return Bounds(run.services.settings.import_max_row_bytes)


def _look(run: Run, wish: Wish, file: BinaryIO, vault: Vault) -> _Found:
    kind = recognise(file)
    bounds = bounds_of(run)
    on_progress = run.sink(0, _CHECKED)
    if kind is FileKind.JSON:
        digest = _digest(file, on_progress)
        document = JsonFile(file, bounds)
        return _Found(kind, document.manifest, digest, foreign=True, signer=None, take=_from_document(document))
    archive = ArchiveFile.check(file, on_progress=on_progress)
    source = open_source(archive, vault, lambda marker: _unlocked(run, wish, marker))
    manifest = read_manifest(source, bounds)
    digest = hashlib.sha256(manifest.to_json()).hexdigest()
    return _Found(kind, manifest, digest, source.foreign, manifest.vault_id, _from_archive(source, manifest))


def _from_document(document: JsonFile) -> _Take:
    return lambda into, backup_id, sink: document.take(into, backup_id=backup_id, on_progress=sink)


def _from_archive(source: Source, manifest: Manifest) -> _Take:
    take = take_same if source.same else take_other
    return lambda into, backup_id, sink: take(source, manifest, into, backup_id=backup_id, on_progress=sink)


def _unlocked(run: Run, wish: Wish, marker: bytes) -> tuple[VaultKeys, bool]:
    own = load_keyring(run.services.settings)
    beside = keys_beside(wish.path)
    if beside.exists():
        # Opened when it was uploaded, and wrapped by our own key since: a passphrase rests nowhere.
        kept = beside.read_bytes()
        if vault_id_of(kept) != vault_id_of(marker):
            raise Refused("The keys that were kept for this file are those of another one.")
        return open_marker(kept, own), True
    return unlock(marker, own, passphrase=wish.passphrase, other=wish.key)


def _digest(file: BinaryIO, on_progress: ProgressSink) -> str:
    digest = hashlib.sha256()
    total = file.seek(0, 2)
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
        on_progress(Progress("Checking the file", bytes_done=file.tell(), bytes_total=total))
    return digest.hexdigest()


def _find_same(run: Run, found: _Found) -> str | None:
    """The complete backup that the file holds, if it is here already."""
    origin = col(Backup.origin)
    with run.services.system.session(run.actor.identity) as session:
        rows = session.exec(
            select(Backup.id, Backup.origin, Backup.backup_data).where(
                col(Backup.state) == "complete",
                or_(
                    col(Backup.id) == UUID(found.manifest.backup_id),
                    origin["of"].astext == found.manifest.backup_id,
                ),
            )
        ).all()
    for backup_id, came, data in rows:
        if came and came.get("digest") == found.digest and came.get("foreign") == found.foreign:
            return str(backup_id)
        if not found.foreign and data and _alike(Manifest.from_dict(data), found.manifest):
            return str(backup_id)
    return None


def _alike(here: Manifest, there: Manifest) -> bool:
    """Whether two manifests of one vault describe the same rows; how chunks rest may differ."""
    return replace(here, leans=None, backup_id=there.backup_id) == replace(there, leans=None)


def _free_id(run: Run, wanted: str) -> str:
    with run.services.system.session("system") as session:
        taken = session.exec(select(Backup.id).where(col(Backup.id) == UUID(wanted))).first()
    return wanted if taken is None else str(uuid4())
