"""The values that tell about pruning; doors take them from `views`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PruneView:
    """What a store holds that nobody needs, and what became of it.

    Attributes:
        store: its name.
        unneeded_chunks, unneeded_bytes: chunks that no backup needs and that can go now.
        waiting_chunks, waiting_bytes: those that go later: something that runs may still count on them, or they are
            younger than RXBACKUP_PRUNE_GRACE_MINUTES.
        waiting_for: what they wait for, as names: "Monday", "the copy of Monday".
        orphan_objects, orphan_bytes: objects that the catalogue does not know: what interrupted backups left behind.
            Not counted while something runs in the store, because they may be its own.
        unknown_backups: backups in the store that the catalogue does not know.
        refused: why nothing may be deleted here; empty if something may.
        damage: what is missing although a backup needs it, in words. Nothing is ever deleted because of it.
        freed_chunks, freed_bytes: what was deleted; 0 in a preview.
    """

    store: str
    unneeded_chunks: int = 0
    unneeded_bytes: int = 0
    waiting_chunks: int = 0
    waiting_bytes: int = 0
    waiting_for: tuple[str, ...] = ()
    orphan_objects: int = 0
    orphan_bytes: int = 0
    unknown_backups: int = 0
    refused: str = ""
    damage: tuple[str, ...] = ()
    freed_chunks: int = 0
    freed_bytes: int = 0
