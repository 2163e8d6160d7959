"""An archive taken into a vault.

Of the same vault: its sealed objects are authenticated and taken as they are. Of another one: every chunk is opened,
checked against the manifest, and put away under our own keys; the manifest is written anew.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, replace

from rxbackup.errors import Corrupt, FileCorrupt, KeyTrouble, Refused
from rxbackup.intake.archive_file import ArchiveFile
from rxbackup.intake.limits import MOST_MANIFEST_BYTES, MOST_MANIFEST_VALUES, Bounds
from rxbackup.intake.strangers import check_stranger, disarmed, warnings_of
from rxbackup.intake.taken import TakenIn
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.vault.chunk_pool import ChunkReceipt
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.manifest import Manifest, SegmentEntry, TableEntry
from rxbackup.vault.marker import key_ids_of, open_by_passphrase, open_marker, vault_id_of
from rxbackup.vault.sealing import VaultKeys
from rxbackup.vault.vault import ManifestBounds, Vault

_STAGE = "Taking in the archive"
_STRANGERS = ManifestBounds(MOST_MANIFEST_BYTES, MOST_MANIFEST_VALUES)
_AWAY = "Bring the key of the installation that it came from (--key-file), or make the archive with a passphrase."


@dataclass(frozen=True, slots=True)
class Source:
    """An archive that a key has opened.

    Attributes:
        file: its checked outside.
        vault: its objects, as a vault.
        same: whether it is of the vault that it is taken into.
        foreign: whether it was not this installation's own key that opened it.
    """

    file: ArchiveFile
    vault: Vault
    same: bool
    foreign: bool


def unlock(marker: bytes, own: Keyring, *, passphrase: str | None, other: Keyring | None) -> tuple[VaultKeys, bool]:
    """The keys of an archive's vault, and whether they are foreign: opened by another key than our own.

    Raises:
        Refused: none of the keys opens it.
        Corrupt: its marker is damaged.
    """
    if own.key_id in key_ids_of(marker):
        return open_marker(marker, own), False
    try:
        if other is not None:
            return open_marker(marker, other), True
        if passphrase is not None:
            return open_by_passphrase(marker, passphrase), True
    except KeyTrouble as error:
        raise Refused(error.message, hint="Check it and try again, or bring the right one.") from error
    ids = ", ".join(key_ids_of(marker)) or "another one"
    raise Refused(
        f"The archive is sealed with another key ({ids}) than this installation's ({own.key_id}).", hint=_AWAY
    )


def open_source(file: ArchiveFile, into: Vault, unlocked: Callable[[bytes], tuple[VaultKeys, bool]]) -> Source:
    """Open a checked archive.

    Args:
        file: the archive.
        into: the vault that it shall be taken into.
        unlocked: gives the keys for a marker; asked only for an archive of another vault.
    """
    if vault_id_of(file.marker) == into.id:
        # Our own keys, whatever the marker in the file says.
        return Source(file, into.over(file), same=True, foreign=False)
    keys, foreign = unlocked(file.marker)
    return Source(file, Vault(file, keys), same=False, foreign=foreign)


def read_manifest(source: Source, bounds: Bounds) -> Manifest:
    """The manifest of the backup in the archive, and that the archive holds just what it needs.

    Raises:
        FileCorrupt: the manifest is damaged, says what no manifest says, or does not fit the archive.
        Refused: it is not this installation's, and holds what is not taken in.
    """
    try:
        if source.same:
            manifest = source.vault.get_manifest(source.file.backup_id)
        else:
            manifest = source.vault.get_manifest(source.file.backup_id, bounds=_STRANGERS)
    except FileCorrupt:
        raise
    except Corrupt as error:
        raise FileCorrupt(error.message) from error
    if not source.file.holds_just(manifest.chunk_ids()):
        raise FileCorrupt("The archive does not hold just the chunks that its backup needs.")
    if not source.same:
        check_stranger(manifest, bounds)
    return manifest


def take_same(
    source: Source, manifest: Manifest, into: Vault, *, backup_id: str, on_progress: ProgressSink = ignore_progress
) -> TakenIn:
    """Take in an archive of the same vault: sealed objects as they are.

    Raises:
        FileCorrupt: an object is not what this vault has sealed.
        StoreTrouble: the store cannot be written to.
    """
    receipts: dict[str, ChunkReceipt] = {}
    done, total = 0, manifest.totals.raw_bytes
    for chunk in source.file.chunks:
        try:
            sealed = source.vault.sealed_chunk(chunk)
        except Corrupt as error:
            raise FileCorrupt(error.message) from error
        receipts[chunk] = into.put_sealed(sealed)
        done = min(done + (receipts[chunk].plain_bytes or 0), total)
        on_progress(Progress(_STAGE, bytes_done=done, bytes_total=total))
    leans = {chunk: r.anchor for chunk, r in receipts.items() if r.anchor and chunk in manifest.chunk_ids()}
    if backup_id == manifest.backup_id and leans == (manifest.leans or {}):
        sealed_manifest = source.vault.sealed_manifest(manifest.backup_id)
        size = into.put_sealed_manifest(backup_id, sealed_manifest).stored_bytes
        return TakenIn(manifest, tuple(receipts.values()), size)
    # Chunks rest here in another way than they did there, or the backup needs another id.
    kept = replace(manifest, backup_id=backup_id, leans=leans)
    return TakenIn(kept, tuple(receipts.values()), into.put_manifest(kept).stored_bytes)


def take_other(
    source: Source, manifest: Manifest, into: Vault, *, backup_id: str, on_progress: ProgressSink = ignore_progress
) -> TakenIn:
    """Take in an archive of another vault: rows opened, checked and sealed anew.

    Raises:
        FileCorrupt: the rows are not what the manifest says.
        StoreTrouble: the store cannot be written to.
    """
    taking = _Taking(source.vault, into, manifest, on_progress)
    tables = [taking.table(table) for table in manifest.tables]
    receipts = taking.receipts
    kept = disarmed(
        replace(manifest, tables=tables),
        backup_id=backup_id,
        vault_id=into.id,
        warnings=warnings_of(manifest),
        leans={chunk: r.anchor for chunk, r in receipts.items() if r.anchor},
        totals=replace(manifest.totals, chunks=len(receipts), stored_bytes=0),
    )
    return TakenIn(kept, tuple(receipts.values()), into.put_manifest(kept).stored_bytes)


class _Taking:
    """The rows of one archive on their way into a vault."""

    def __init__(self, source: Vault, into: Vault, manifest: Manifest, on_progress: ProgressSink) -> None:
        self._source = source
        self._into = into
        self._manifest = manifest
        self._on_progress = on_progress
        self._bytes = 0
        self.receipts: dict[str, ChunkReceipt] = {}

    def table(self, table: TableEntry) -> TableEntry:
        """The table as it is kept here."""
        return replace(table, segments=[self._segment(table, segment) for segment in table.segments])

    def _segment(self, table: TableEntry, segment: SegmentEntry) -> SegmentEntry:
        checked = _Rows(table, segment, is_utf8=self._manifest.server.encoding == "UTF8")
        chunks: list[str] = []
        for chunk in segment.chunks:
            try:
                plain = self._source.get_chunk(chunk)
            except FileCorrupt:
                raise
            except Corrupt as error:
                raise FileCorrupt(error.message) from error
            checked.add(plain)
            receipt = self._into.put_chunk(plain)
            known = self.receipts.get(receipt.id)
            if known is None or receipt.is_new:
                self.receipts[receipt.id] = receipt
            chunks.append(receipt.id)
            self._bytes += len(plain)
            self._on_progress(Progress(_STAGE, bytes_done=self._bytes, bytes_total=self._manifest.totals.raw_bytes))
        checked.end()
        return replace(segment, chunks=chunks)


class _Rows:
    """Sees that a segment holds the rows that are counted, in a form that COPY reads as just these rows."""

    def __init__(self, table: TableEntry, segment: SegmentEntry, *, is_utf8: bool) -> None:
        self._table = table
        self._segment = segment
        self._decoder = codecs.getincrementaldecoder("utf-8")() if is_utf8 else None
        self._rows = self._tabs = self._bytes = 0
        self._tail = b"\n"

    def add(self, plain: bytes) -> None:
        """The next chunk."""
        self._rows += plain.count(b"\n")
        self._tabs += plain.count(b"\t")
        self._bytes += len(plain)
        if self._bytes > self._segment.raw_bytes:
            raise self._unfit("more bytes than are counted")
        if b"\0" in plain or b"\r" in plain:
            raise self._unfit("characters that COPY never writes")
        # A line of its own, `\.` would end the COPY, and the rows after it would be commands to some programs.
        joint = self._tail + plain[:3]
        if b"\n\\.\n" in joint or b"\n\\.\n" in plain:
            raise self._unfit("an end mark among its rows")
        self._tail = (self._tail + plain[-3:])[-3:]
        if self._decoder is not None:
            try:
                self._decoder.decode(plain)
            except UnicodeDecodeError:
                raise self._unfit("bytes that are not UTF-8") from None

    def end(self) -> None:
        """The segment is through."""
        columns = len(self._table.copied_columns)
        if (self._rows, self._bytes) != (self._segment.rows, self._segment.raw_bytes) or self._tail[-1:] != b"\n":
            raise self._unfit("other rows than are counted")
        if self._tabs != self._rows * max(columns - 1, 0) or (columns == 0 and self._bytes != self._rows):
            raise self._unfit("rows of other columns than the table has")

    def _unfit(self, what: str) -> FileCorrupt:
        return FileCorrupt(f"A segment of {self._table.qualified[:130]} holds {what}.")
