"""Which earlier backup a new one leans on."""

from __future__ import annotations

from collections.abc import Iterable

from rxbackup.backup.leaning import Base, may_lean
from rxbackup.postgres.cleanliness import watermark_is_there
from rxbackup.postgres.consistent_read import ConsistentRead
from rxbackup.postgres.text_rules import tables_that_name_others
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault

_ENOUGH = 0.9
"""A backup that holds this share of what is to be read is not passed over for an older one that holds more."""


def choose_base(
    candidates: Iterable[Manifest], read: ConsistentRead, vault: Vault, *, source_url: str, text_rules: str
) -> Base | None:
    """Choose the newest earlier backup that may be leaned on and holds enough of the tables.

    If none may be leaned on, the newest one gives anchors. Which of its chunks are lost is found out in one listing.

    Args:
        candidates: complete backups in the same vault, newest first; no more are asked for than needed.
    """
    newest: Manifest | None = None
    best: Manifest | None = None
    most = 0
    blocks = {table.oid: table.blocks + 1 for table in read.tables}
    for manifest in candidates:
        if manifest.vault_id != vault.id:
            continue
        newest = newest or manifest
        held = sum(blocks.get(entry.oid, 0) for entry in manifest.tables)
        if held > most and _may_lean(manifest, read, source_url, text_rules):
            best, most = manifest, held
            if held >= _ENOUGH * sum(blocks.values()):
                break
    chosen = best or newest
    if chosen is None:
        return None
    return Base(
        chosen,
        reusable=best is not None,
        unstable=tables_that_name_others(read.conn),
        lost=frozenset(vault.missing(chosen.needed_ids())),
    )


def _may_lean(manifest: Manifest, read: ConsistentRead, source_url: str, text_rules: str) -> bool:
    # The token is asked for last: it costs a connection.
    if not may_lean(manifest, read, text_rules=text_rules, watermark_is_there=True):
        return False
    watermark = manifest.snapshot.watermark
    return watermark is not None and watermark_is_there(source_url, watermark)
