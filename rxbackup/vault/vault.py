"""The vault: chunks and manifests, sealed, in a store.

Object names: `vault.json`, `chunks/<first 2 hex>/<chunk id>-<generation>`, `manifests/<backup id>`.
A vault starts no threads and holds no locks; processes that share one each open it by its recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from uuid import UUID

from rxbackup.errors import BackupNotFound, Corrupt, ManifestCorrupt, ObjectNotFound, Refused, VaultMarkerMissing
from rxbackup.stores.base import Store, StoredObject, StoreRecipe
from rxbackup.stores.opening import open_store
from rxbackup.vault.chunk_pool import ChunkReceipt
from rxbackup.vault.compression import Buffer
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.marker import MARKER, new_marker, open_marker, vault_id_of, with_slot
from rxbackup.vault.packing import pack, unpack
from rxbackup.vault.passphrase import PassphraseRule, check_passphrase
from rxbackup.vault.sealing import ObjectType, VaultKeys, unseal
from rxbackup.vault.transfer import SealedChunk, TravellingPool

__all__ = ["ChunkReceipt", "ObjectReceipt", "SealedChunk", "Vault", "VaultRecipe", "open_vault"]

LARGEST_MANIFEST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class ObjectReceipt:
    """What became of a manifest: its object, sealed length, and keyed BLAKE3 of its plain bytes in hex."""

    object_name: str
    stored_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class ManifestBounds:
    """How large a manifest may be that nobody here vouches for: its text, and the values in it."""

    most_bytes: int
    most_values: int

    def check(self, text: bytes) -> None:
        """Raise `ManifestCorrupt` before a text becomes many times as large in memory."""
        if sum(text.count(each) for each in (b",", b"[", b"{")) > self.most_values:
            raise ManifestCorrupt("It holds more values than the manifest of any backup.")


@dataclass(frozen=True, slots=True)
class VaultRecipe:
    """How to open a vault in another process. Holds keys: it travels through pipes, never to a disk or a log.

    Attributes:
        retired: as in `Vault.avoiding`.
    """

    store: StoreRecipe
    keys: VaultKeys
    retired: Mapping[str, int] = field(default_factory=dict, repr=False)


class Vault:
    """An open vault. Make one by `create`, `open`, `open_or_create` or `open_vault`."""

    def __init__(
        self,
        store: Store,
        keys: VaultKeys,
        known: Mapping[str, ChunkReceipt] | None = None,
        retired: Mapping[str, int] | None = None,
    ) -> None:
        self.store = store
        self._keys = keys
        self._retired = retired or {}
        self._chunks = TravellingPool(store, keys, known, retired)

    @classmethod
    def create(cls, store: Store, keyring: Keyring) -> Vault:
        """Make a new vault in an empty store. Raises `Refused` if anything is in it."""
        _refuse_if_used(store)
        marker = new_marker(keyring)
        # A retried put may find its own marker: that is success.
        if not store.put(MARKER, marker, if_absent=True) and store.get(MARKER) != marker:
            raise Refused(f"Somebody else made a vault in the {store.describe()} at this moment; open that one.")
        return cls.open(store, keyring)

    @classmethod
    def open(cls, store: Store, keyring: Keyring) -> Vault:
        """Open the vault in a store; nothing is written.

        Raises:
            WrongKey: the key does not open it.
            VaultMarkerMissing: there is no vault, or only its remains.
            Corrupt: the marker is damaged.
        """
        return cls(store, open_marker(_read_marker(store), keyring))

    @classmethod
    def open_or_create(cls, store: Store, keyring: Keyring, *, like: Vault | None = None) -> Vault:
        """Open the vault, or make one where the store is completely empty: the same as `like`, if given.

        Raises as `open`.
        """
        if store.stat(MARKER) is None and next(iter(store.list()), None) is None:
            try:
                return cls.create(store, keyring) if like is None else cls.replicate(store, like, keyring)
            except Refused:
                # Somebody was faster; if it was no vault, opening says so.
                return cls.open(store, keyring)
        return cls.open(store, keyring)

    @classmethod
    def replicate(cls, store: Store, source: Vault, keyring: Keyring) -> Vault:
        """Make an empty store hold the same vault as another one: same id, same keys. Raises as `create`."""
        _refuse_if_used(store)
        marker = source.marker_for_archive()
        if not store.put(MARKER, marker, if_absent=True) and store.get(MARKER) != marker:
            raise Refused(f"Somebody else made a vault in the {store.describe()} at this moment; open that one.")
        return cls.open(store, keyring)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store's connections."""
        self.store.close()

    @property
    def id(self) -> str:
        """The vault's uuid."""
        return str(UUID(bytes=self._keys.vault_id))

    def recipe(self) -> VaultRecipe:
        """Opens this vault in another process: see `open_vault`."""
        return VaultRecipe(self.store.recipe(), self._keys, self._retired)

    def marker_for_archive(self, passphrase: str | None = None) -> bytes:
        """The marker as an archive carries it: with a passphrase, the passphrase opens it too.

        Raises:
            UsageError: the passphrase is too short or too long.
        """
        marker = _read_marker(self.store)
        if vault_id_of(marker) != self.id:
            raise VaultMarkerMissing(f"The {self.store.describe()} holds another vault than a moment ago.")
        if passphrase is None:
            return marker
        rule = PassphraseRule.new()
        return with_slot(marker, self._keys, rule.keyring(check_passphrase(passphrase)), rule=rule)

    def over(self, store: Store) -> Vault:
        """The same keys over other objects: an archive that was made of this vault."""
        return Vault(store, self._keys)

    def knowing(self, receipts: Mapping[str, ChunkReceipt]) -> Vault:
        """The same vault, trusting that these chunks, by id, are stored because the catalogue says so.

        For one backup: such a trust must not outlive the moment when chunks are collected.
        """
        return Vault(self.store, self._keys, receipts, self._retired)

    def avoiding(self, retired: Mapping[str, int]) -> Vault:
        """The same vault, leaning on no object that may be collected at any moment.

        For one backup or copy, which asks the catalogue after it was entered there. Its recipe carries it on.

        Args:
            retired: chunk id → the generation up to which its objects count as absent: what is put again becomes the
                next one.
        """
        return Vault(self.store, self._keys, retired=dict(retired))

    def put_chunk(self, plain: Buffer, *, anchor: str | None = None) -> ChunkReceipt:
        """Store a chunk, unless the vault has it already.

        A chunk that lies in the store but that nobody vouches for (see `knowing`) is opened and checked first, and
        written again if it is damaged.

        Args:
            plain: at most `chunking.CHUNK_BYTES`.
            anchor: id of a chunk in the vault that probably resembles this one: only the difference is stored, if
                that is less than half.
        """
        return self._chunks.put(plain, anchor=anchor)

    def get_chunk(self, chunk: str) -> bytes:
        """The plain bytes of a chunk. Raises `ChunkMissing`, `ChunkCorrupt`."""
        return self._chunks.get(chunk)

    def check_chunk(self, chunk: str) -> int:
        """Stored bytes of a chunk, without reading it. Raises `ChunkMissing`, `ChunkCorrupt` (too short)."""
        return self._chunks.size(chunk)

    def missing(self, wanted: AbstractSet[str]) -> set[str]:
        """Those of these chunks that cannot be leaned on: not there, cut short, or about to be collected."""
        return self._chunks.missing(wanted)

    def delete_chunk(self, chunk: str, generation: int) -> None:
        """Remove one object of a chunk that no backup uses any more."""
        self._chunks.delete(chunk, generation)

    def is_intact(self, chunk: str, generation: int) -> bool:
        """Whether this very object of a chunk is there, opens, and holds what it should."""
        return self._chunks.is_intact(chunk, generation)

    def chunk_objects(self) -> Iterator[tuple[str, int, StoredObject]]:
        """Every chunk object in the store: chunk id, generation, object."""
        return self._chunks.objects()

    def put_manifest(self, manifest: Manifest) -> ObjectReceipt:
        """Store a manifest, read it back and compare. Its chunks must have been stored before.

        Raises:
            Refused: this backup has another manifest already.
            VaultMarkerMissing: the store was emptied or replaced since the vault was opened.
        """
        manifest.check()
        self._refuse_stranger(manifest)
        self.check_marker()
        name, object_id = _manifest_place(manifest.backup_id)
        plain = manifest.to_json()
        _, sealed = pack(plain, ObjectType.MANIFEST, object_id, self._keys)
        is_new = self.store.put(name, sealed, if_absent=True)
        if self.get_manifest(manifest.backup_id) != manifest:
            if not is_new:
                raise Refused(f"The backup {manifest.backup_id} has another manifest already.")
            raise ManifestCorrupt(f"The manifest of backup {manifest.backup_id} reads back as something else.")
        return ObjectReceipt(name, len(sealed), self._keys.content_id(plain).hex())

    def get_manifest(self, backup_id: str, *, bounds: ManifestBounds | None = None) -> Manifest:
        """The manifest of a backup, which may be bounded where it is a stranger's.

        Raises:
            BackupNotFound: there is none.
            ManifestCorrupt: it is damaged, or claims more than the bounds allow.
        """
        return self._open_manifest(backup_id, self._read_manifest(backup_id), bounds)

    def manifest_ids(self) -> list[str]:
        """The ids of all backups in the vault, sorted."""
        return [found.name.removeprefix("manifests/") for found in self.store.list("manifests/")]

    def holds_manifest(self, backup_id: str) -> bool:
        """Whether there is a manifest of this backup; it is not read."""
        return self.store.stat(_manifest_place(backup_id)[0]) is not None

    def delete_manifest(self, backup_id: str) -> None:
        """Remove a manifest: the backup is gone, and its chunks may be collected."""
        self.check_marker()
        self.store.delete(_manifest_place(backup_id)[0])

    def sealed_chunk(self, chunk: str) -> SealedChunk:
        """A chunk as it rests here, authenticated but not unpacked. Raises `ChunkMissing`, `ChunkCorrupt`."""
        return self._chunks.sealed(chunk)

    def put_sealed(self, sealed: SealedChunk) -> ChunkReceipt:
        """Store a chunk as it rested in another store of this vault; its anchor must have been put before.

        Raises:
            ChunkCorrupt: it is not what it says, or not of this vault.
        """
        return self._chunks.put_sealed(sealed)

    def sealed_manifest(self, backup_id: str) -> bytes:
        """A manifest as it rests here, opened and checked. Raises `BackupNotFound`, `ManifestCorrupt`."""
        sealed = self._read_manifest(backup_id)
        self._open_manifest(backup_id, sealed)
        return sealed

    def put_sealed_manifest(self, backup_id: str, sealed: bytes) -> ObjectReceipt:
        """Store a manifest as it rested in another store of this vault, read it back and compare.

        Its chunks must have been stored before. A damaged manifest of the same backup is replaced.

        Raises:
            ManifestCorrupt: it is not the manifest of this backup.
            Refused: this backup has another manifest already.
            VaultMarkerMissing: the store was emptied or replaced since the vault was opened.
        """
        manifest = self._open_manifest(backup_id, sealed)
        self.check_marker()
        name, _ = _manifest_place(backup_id)
        is_new = self.store.put(name, sealed, if_absent=True)
        try:
            found = self.get_manifest(backup_id)
        except ManifestCorrupt:
            if is_new:
                raise
            self.store.put(name, sealed)
            found = self.get_manifest(backup_id)
        if found != manifest:
            raise Refused(f"The backup {backup_id} has another manifest already.")
        return ObjectReceipt(name, len(sealed), self._keys.content_id(manifest.to_json()).hex())

    def _read_manifest(self, backup_id: str) -> bytes:
        try:
            return self.store.get(_manifest_place(backup_id)[0])
        except ObjectNotFound:
            raise BackupNotFound(f"The vault holds no backup {backup_id}.") from None

    def _open_manifest(self, backup_id: str, sealed: bytes, bounds: ManifestBounds | None = None) -> Manifest:
        try:
            label, content = unseal(sealed, ObjectType.MANIFEST, _manifest_place(backup_id)[1], self._keys)
            text = unpack(label, content, limit=bounds.most_bytes if bounds else LARGEST_MANIFEST_BYTES)
            if bounds:
                bounds.check(text)
            manifest = Manifest.from_json(text)
        except Corrupt as error:
            said = f"The manifest of backup {backup_id} cannot be used. {error.message}"
            raise ManifestCorrupt(said, hint=error.hint) from error
        if manifest.backup_id != backup_id:
            raise ManifestCorrupt(f"The manifest of backup {backup_id} says that it is {manifest.backup_id}.")
        self._refuse_stranger(manifest)
        return manifest

    def check_marker(self) -> None:
        """Raise `VaultMarkerMissing` if the store no longer holds this vault."""
        # An unmounted disk leaves an empty folder in its place: nothing may be called complete, or deleted, there.
        if vault_id_of(_read_marker(self.store)) != self.id:
            raise VaultMarkerMissing(f"The {self.store.describe()} holds another vault than a moment ago.")

    def _refuse_stranger(self, manifest: Manifest) -> None:
        if manifest.vault_id != self.id:
            raise ManifestCorrupt(f"The backup {manifest.backup_id} belongs to the vault {manifest.vault_id}.")


def open_vault(recipe: VaultRecipe) -> Vault:
    """Open a vault by its recipe, in this or another process. Raises `VaultMarkerMissing` if it is gone."""
    vault = Vault(open_store(recipe.store), recipe.keys, retired=recipe.retired)
    vault.check_marker()
    return vault


def _refuse_if_used(store: Store) -> None:
    for found in store.list():
        raise Refused(
            f"The {store.describe()} is not empty: it holds {found.name}.",
            hint="Choose an empty place for a new vault, or open the vault that is there with its key.",
        )


def _read_marker(store: Store) -> bytes:
    try:
        return store.get(MARKER)
    except ObjectNotFound:
        raise VaultMarkerMissing(f"The {store.describe()} has no vault.json: no vault, or not this one.") from None


def _manifest_place(backup_id: str) -> tuple[str, bytes]:
    """Object name and object id of a backup's manifest."""
    try:
        identity = UUID(backup_id)
    except ValueError:
        raise BackupNotFound(f"{backup_id[:80]!r} is no backup id.") from None
    return f"manifests/{identity}", identity.bytes.ljust(32, b"\0")
