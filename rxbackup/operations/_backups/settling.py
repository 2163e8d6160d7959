"""What a backup or a copy must know of a store's chunks before it begins, and what it writes about them when it ends.

Whoever puts chunks into a store lives by four rules; `docs/decisions/0006-how-chunks-are-collected.md` says why:

1. Say so first: a row that is `running`, written under the shared lock of the store (`lock_store`).
2. Only then ask for `retired_chunks`, and put chunks into a vault that is `avoiding` them.
3. Settle under the shared lock, in the transaction that turns `running` into `complete`, and after making sure that it
   is still `running`.
4. Who ends otherwise leaves its chunks where they are: they are collected.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import text
from sqlmodel import Session

from rxbackup.errors import ChunkMissing
from rxbackup.operations.wording import counted
from rxbackup.vault.vault import ChunkReceipt

_RETIRED = """
SELECT encode(id, 'hex'), CASE state WHEN 'tombstone' THEN generation ELSE generation - 1 END
FROM rxbackup.chunks WHERE store = :store AND (state = 'tombstone' OR generation > 0)
"""

# A later generation always wins. The same one again was revived by who may still lean on it, or mended in its place.
_UPSERT = """
INSERT INTO rxbackup.chunks AS k
    (store, id, generation, plain_bytes, stored_bytes, codec, anchor, object_name, state)
SELECT :store, decode(c.id, 'hex'), c.generation, c.plain_bytes, c.stored_bytes, c.codec, decode(c.lean, 'hex'),
       c.object_name, 'live'
FROM unnest(CAST(:ids AS text[]), CAST(:generations AS int[]), CAST(:plain AS bigint[]), CAST(:stored AS bigint[]),
            CAST(:codecs AS text[]), CAST(:leans AS text[]), CAST(:names AS text[]))
     AS c(id, generation, plain_bytes, stored_bytes, codec, lean, object_name)
ORDER BY c.id
ON CONFLICT (store, id) DO UPDATE
SET generation = excluded.generation, plain_bytes = excluded.plain_bytes, stored_bytes = excluded.stored_bytes,
    codec = excluded.codec, anchor = excluded.anchor, object_name = excluded.object_name,
    state = 'live', retired_at = NULL, retired_beside = '{}'
WHERE k.generation < excluded.generation
   OR k.generation = excluded.generation AND CASE k.state
        WHEN 'live' THEN (k.anchor, k.stored_bytes) IS DISTINCT FROM (excluded.anchor, excluded.stored_bytes)
        ELSE CAST(:entrant AS uuid) = ANY (k.retired_beside) END
"""

# An anchor that was found through a difference nobody knew of has no row yet; a full prune fills in its size.
_ADD_ANCHORS = """
INSERT INTO rxbackup.chunks (store, id, generation, stored_bytes, state)
SELECT :store, decode(a.id, 'hex'), 0, 0, 'live' FROM unnest(CAST(:anchors AS text[])) AS a(id) ORDER BY a.id
ON CONFLICT DO NOTHING
"""

_REVIVE = """
UPDATE rxbackup.chunks SET state = 'live', retired_at = NULL, retired_beside = '{}'
WHERE store = :store AND state = 'tombstone' AND CAST(:entrant AS uuid) = ANY (retired_beside)
  AND id IN (SELECT decode(n.id, 'hex') FROM unnest(CAST(:needed AS text[])) AS n(id))
"""

_NOT_LIVE = """
SELECT count(*) FROM unnest(CAST(:needed AS text[])) AS n(id)
LEFT JOIN rxbackup.chunks AS c ON c.store = :store AND c.id = decode(n.id, 'hex') AND c.state = 'live'
WHERE c.id IS NULL
"""

_LINK = """
INSERT INTO rxbackup.backup_chunks (backup_id, store, chunk_id)
SELECT CAST(:backup AS uuid), :store, decode(n.id, 'hex') FROM unnest(CAST(:needed AS text[])) AS n(id)
ON CONFLICT DO NOTHING
"""


def retired_chunks(session: Session, store: str) -> dict[str, int]:
    """For `Vault.avoiding`: chunk id → the generation up to which its objects count as absent."""
    rows = session.connection().execute(text(_RETIRED), {"store": store})
    return {row[0]: row[1] for row in rows}


def settle_chunks(
    session: Session,
    *,
    store: str,
    store_kind: str,
    backup_id: str,
    entrant: str,
    receipts: Sequence[ChunkReceipt],
    needed: Collection[str],
    anchors: Collection[str] = (),
) -> None:
    """Write down which chunks a backup needs in a store. The caller holds the store's shared lock.

    Args:
        session: the transaction that calls the backup or the copy complete.
        store: where the chunks are.
        store_kind: only the objects of a `database` store are rows that a foreign key can point to.
        backup_id: who needs them.
        entrant: id of the row that was running since before the first chunk was put: a backup's or a copy's.
        receipts: of the chunks that were put.
        needed: ids of all chunks, anchors among them.
        anchors: ids of the anchors.

    Raises:
        ChunkMissing: a chunk was collected that it counts on. Nothing of the caller's may become true then.
    """
    in_database = store_kind == "database"
    values = {
        "store": store,
        "backup": backup_id,
        "entrant": entrant,
        "needed": sorted(needed),
        "anchors": sorted(anchors),
        "ids": [r.id for r in receipts],
        "generations": [r.generation for r in receipts],
        "plain": [r.plain_bytes for r in receipts],
        "stored": [r.stored_bytes for r in receipts],
        "codecs": [r.codec for r in receipts],
        "leans": [r.anchor for r in receipts],
        "names": [r.object_name if in_database else None for r in receipts],
    }
    for statement in (_UPSERT, _ADD_ANCHORS, _REVIVE):
        session.connection().execute(text(statement), values)
    missing = session.connection().execute(text(_NOT_LIVE), values).scalar_one()
    if missing:
        raise ChunkMissing(
            f"{counted(missing, 'chunk')} that the backup counts on went away while it was taken.",
            hint="Take it again, with --full.",
        )
    session.connection().execute(text(_LINK), values)
