"""The steps in which a store's unneeded chunks go: retired, claimed, deleted, forgotten.

Each step is a transaction of its own, and a crash between any two leaves something that the next prune finishes.
`docs/decisions/0006-how-chunks-are-collected.md` says why nobody loses a chunk that way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from rxbackup.errors import Busy, RxbackupError
from rxbackup.operations._backups.taking import lock_store
from rxbackup.operations.services import Services
from rxbackup.postgres.connecting import connect, translated
from rxbackup.prune.comparing import Orphan
from rxbackup.vault.vault import Vault

BATCH = 1000
_ALONE_LOCK = 0x7278_7072

_CLAIMED = UUID(int=0)
"""Among those a tombstone waits for: a prune has begun to delete its objects, so nobody can revive it."""
_EMPTIED = UUID(int=1)
"""Its objects were deleted by a second prune, because the first one vanished. Should that one only have slept, it may
delete them once more: so the row stays a day, and who puts the chunk again writes a later generation."""

_RUNNING = """
SELECT id::text, name FROM rxbackup.backups WHERE store = :store AND state = 'running'
UNION ALL
SELECT c.id::text, 'the copy of ' || b.name FROM rxbackup.copies AS c JOIN rxbackup.backups AS b ON b.id = c.backup_id
WHERE c.store = :store AND c.state = 'running'
"""

_UNNEEDED = """
c.store = :store AND c.state = 'live'
AND NOT EXISTS (SELECT FROM rxbackup.backup_chunks AS u WHERE u.store = c.store AND u.chunk_id = c.id)
AND NOT EXISTS (
    SELECT FROM rxbackup.chunks AS d JOIN rxbackup.backup_chunks AS u ON u.store = d.store AND u.chunk_id = d.id
    WHERE d.store = c.store AND d.anchor = c.id)
"""

_FREE_TO_GO = """
c.store = :store AND c.state = 'tombstone'
AND NOT EXISTS (SELECT FROM rxbackup.backups AS b WHERE b.id = ANY (c.retired_beside) AND b.state = 'running')
AND NOT EXISTS (SELECT FROM rxbackup.copies AS p WHERE p.id = ANY (c.retired_beside) AND p.state = 'running')
AND NOT EXISTS (SELECT FROM rxbackup.backup_chunks AS u WHERE u.store = c.store AND u.chunk_id = c.id)
AND c.retired_at <= clock_timestamp() - CASE
    WHEN CAST(:emptied AS uuid) = ANY (c.retired_beside) THEN interval '1 day'
    WHEN CAST(:claimed AS uuid) = ANY (c.retired_beside) THEN interval '0'
    ELSE make_interval(mins => :grace) END
"""

_RETIRE = f"""
UPDATE rxbackup.chunks AS c
SET state = 'tombstone', retired_at = clock_timestamp(), retired_beside = CAST(:beside AS uuid[])
WHERE {_UNNEEDED}
"""

_CLAIM = f"""
WITH free AS (
    SELECT c.id, c.stored_bytes, CAST(:claimed AS uuid) = ANY (c.retired_beside) AS is_second,
           c.retired_at < clock_timestamp() - interval '1 day' AS is_late
    FROM rxbackup.chunks AS c WHERE {_FREE_TO_GO}
    ORDER BY c.anchor IS NULL, c.id LIMIT :batch FOR UPDATE
)
UPDATE rxbackup.chunks AS c
SET object_name = NULL, retired_at = clock_timestamp(), retired_beside = ARRAY[CAST(:claimed AS uuid)]
FROM free WHERE c.store = :store AND c.id = free.id
RETURNING encode(c.id, 'hex') AS id, c.generation, free.stored_bytes AS size, free.is_second, free.is_late, c.anchor
"""

_STILL_CLAIMED = """
c.store = :store AND c.state = 'tombstone' AND CAST(:claimed AS uuid) = ANY (c.retired_beside)
AND (c.id, c.generation) IN (
    SELECT decode(g.id, 'hex'), g.generation
    FROM unnest(CAST(:ids AS text[]), CAST(:generations AS int[])) AS g(id, generation))
"""
_FORGET = f"DELETE FROM rxbackup.chunks AS c WHERE {_STILL_CLAIMED}"
_KEEP_A_DAY = f"""
UPDATE rxbackup.chunks AS c SET stored_bytes = 0, retired_beside = CAST(:marks AS uuid[]) WHERE {_STILL_CLAIMED}
"""
_LET_GO = f"UPDATE rxbackup.chunks AS c SET retired_beside = '{{}}' WHERE {_STILL_CLAIMED}"

_ADOPT = """
INSERT INTO rxbackup.chunks AS k (store, id, generation, stored_bytes, state, retired_at)
SELECT :store, decode(o.id, 'hex'), o.generation, o.size, 'tombstone', to_timestamp(0)
FROM unnest(CAST(:ids AS text[]), CAST(:generations AS int[]), CAST(:sizes AS bigint[])) AS o(id, generation, size)
ORDER BY o.id
ON CONFLICT (store, id) DO UPDATE
SET generation = excluded.generation, stored_bytes = k.stored_bytes + excluded.stored_bytes,
    retired_beside = array_remove(k.retired_beside, CAST(:emptied AS uuid))
WHERE k.state = 'tombstone' AND k.generation < excluded.generation
"""

_COUNT = f"""
SELECT count(*) FILTER (WHERE f.kind = 'live'), coalesce(sum(f.size) FILTER (WHERE f.kind = 'live'), 0)::bigint,
       count(*) FILTER (WHERE f.kind = 'free'), coalesce(sum(f.size) FILTER (WHERE f.kind = 'free'), 0)::bigint,
       count(*) FILTER (WHERE f.kind = 'waits'), coalesce(sum(f.size) FILTER (WHERE f.kind = 'waits'), 0)::bigint
FROM (
    SELECT 'live' AS kind, c.stored_bytes AS size FROM rxbackup.chunks AS c WHERE {_UNNEEDED}
    UNION ALL
    SELECT CASE WHEN {_FREE_TO_GO} THEN 'free' ELSE 'waits' END, c.stored_bytes FROM rxbackup.chunks AS c
    WHERE c.store = :store AND c.state = 'tombstone' AND NOT CAST(:emptied AS uuid) = ANY (c.retired_beside)
) AS f
"""

_ONLY_ITS_OWN = """
SELECT coalesce(sum(c.stored_bytes), 0)::bigint
FROM rxbackup.backup_chunks AS u JOIN rxbackup.chunks AS c ON c.store = u.store AND c.id = u.chunk_id
WHERE u.backup_id = CAST(:backup AS uuid) AND NOT EXISTS (
    SELECT FROM rxbackup.backup_chunks AS o
    WHERE o.store = u.store AND o.chunk_id = u.chunk_id AND o.backup_id <> u.backup_id)
"""


@dataclass(frozen=True, slots=True)
class Unneeded:
    """What no backup of a store needs: chunks and bytes that are still live, tombstones that may go, that must wait."""

    live: tuple[int, int]
    free: tuple[int, int]
    waiting: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Freed:
    """Chunks and bytes that were deleted."""

    chunks: int = 0
    bytes: int = 0


@contextmanager
def alone_in_store(services: Services, store: str, *, patience_seconds: float) -> Iterator[Callable[[], None]]:
    """Be the only one who deletes in a store. Yields a function that makes sure that it is still so.

    Raises:
        Busy: somebody else is, for all that time.
        DatabaseUnavailable: from that function, when the lock was lost with its connection.
    """
    url = services.system_url.replace("postgresql+psycopg://", "postgresql://", 1)
    deadline = time.monotonic() + patience_seconds
    with connect(url, application_name="rxbackup prune") as conn, translated(f"pruning the store {store}"):
        conn.execute("SET idle_session_timeout = 0")
        while True:
            row = conn.execute(
                "SELECT pg_catalog.pg_try_advisory_lock(%s, pg_catalog.hashtext(%s))", (_ALONE_LOCK, store)
            ).fetchone()
            if row and row[0]:
                break
            if time.monotonic() > deadline:
                raise Busy(f"The store {store} is being pruned or rebuilt by somebody else.")
            time.sleep(0.1)

        def still_alone() -> None:
            with translated(f"pruning the store {store}"):
                conn.execute("SELECT 1")

        yield still_alone


def running_in(session: Session, store: str) -> dict[str, str]:
    """What puts chunks into a store now: id of the backup or the copy → its name."""
    rows = session.connection().execute(text(_RUNNING), {"store": store})
    return {row[0]: row[1] for row in rows}


def count_unneeded(session: Session, services: Services, store: str) -> Unneeded:
    """Count, change nothing."""
    row = session.connection().execute(text(_COUNT), _values(services, store)).one()
    return Unneeded((row[0], row[1]), (row[2], row[3]), (row[4], row[5]))


def bytes_of_its_own(session: Session, backup_id: str) -> int:
    """What the chunks take that only this backup needs, in all stores where it rests."""
    return int(session.connection().execute(text(_ONLY_ITS_OWN), {"backup": backup_id}).scalar_one())


def retire_unneeded(services: Services, identity: str, store: str) -> int:
    """Make tombstones of the live chunks that no backup needs; how many. They wait for all that runs now."""
    with services.system.session(identity) as session:
        lock_store(session, store, exclusive=True)
        values = {"store": store, "beside": list(running_in(session, store))}
        return int(session.connection().execute(text(_RETIRE), values).rowcount)


def adopt_orphans(services: Services, identity: str, store: str, orphans: Sequence[Orphan]) -> None:
    """Make tombstones for objects that no row knows, unless something runs that may count on them."""
    for start in range(0, len(orphans), BATCH):
        batch = orphans[start : start + BATCH]
        with services.system.session(identity) as session:
            lock_store(session, store, exclusive=True)
            if running_in(session, store):
                return
            values = {
                "store": store,
                "emptied": str(_EMPTIED),
                "ids": [each.id for each in batch],
                "generations": [each.generation for each in batch],
                "sizes": [each.size for each in batch],
            }
            session.connection().execute(text(_ADOPT), values)


def delete_retired(
    services: Services, identity: str, store: str, vault: Vault, still_alone: Callable[[], None]
) -> Generator[Freed]:
    """Delete the tombstones that wait for nobody: differences before the anchors they lean on. Yields after each."""
    while True:
        with services.system.session(identity) as session:
            lock_store(session, store, exclusive=True)
            claimed = session.connection().execute(text(_CLAIM), _values(services, store)).all()
        if not claimed:
            return
        done: list[Any] = []
        try:
            vault.check_marker()
            for chunk in sorted(claimed, key=lambda each: each.anchor is None):
                still_alone()
                done.append(chunk)
                for generation in range(chunk.generation, -1, -1):
                    vault.delete_chunk(chunk.id, generation)
                yield Freed(1, chunk.size)
        except BaseException:
            # Who stops in good order leaves no riddle to the next: what was not begun is free again.
            begun = {chunk.id for chunk in done}
            with suppress(RxbackupError), services.system.session(identity) as session:
                _write(session, _LET_GO, store, [c for c in claimed if c.id not in begun and not c.is_second])
            raise
        with services.system.session(identity) as session:
            _write(session, _FORGET, store, [c for c in done if c.is_late or not c.is_second])
            _write(session, _KEEP_A_DAY, store, [c for c in done if c.is_second and not c.is_late])


def _write(session: Session, statement: str, store: str, chunks: Sequence[Any]) -> None:
    values = {
        "store": store,
        "claimed": str(_CLAIMED),
        "marks": [str(_CLAIMED), str(_EMPTIED)],
        "ids": [chunk.id for chunk in chunks],
        "generations": [chunk.generation for chunk in chunks],
    }
    session.connection().execute(text(statement), values)


def _values(services: Services, store: str) -> dict[str, Any]:
    return {
        "store": store,
        "claimed": str(_CLAIMED),
        "emptied": str(_EMPTIED),
        "grace": services.settings.prune_grace_minutes,
        "batch": BATCH,
    }
