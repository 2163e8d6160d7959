"""What an import has put into a vault."""

from __future__ import annotations

from dataclasses import dataclass

from rxbackup.vault.chunk_pool import ChunkReceipt
from rxbackup.vault.manifest import Manifest


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A backup that is in the vault, but in no catalogue yet.

    Attributes:
        manifest: as it was read back from the store.
        receipts: one entry a distinct chunk.
        manifest_bytes: size of the sealed manifest.
    """

    manifest: Manifest
    receipts: tuple[ChunkReceipt, ...]
    manifest_bytes: int

    @property
    def needed(self) -> set[str]:
        """Ids of all chunks that must stay: those with rows, their anchors, and those that came along."""
        return self.manifest.needed_ids() | {r.anchor for r in self.receipts if r.anchor}
