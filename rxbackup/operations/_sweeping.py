"""Remove the chunks that no backup uses.

The simple, safe way: it does nothing while a backup of the same store runs, and no backup of that store can begin while
it works. Rows go first, objects after: what an interruption leaves behind is an object nobody needs, never a row that
promises bytes which are gone.
"""

from __future__ import annotations

import threading

from sqlalchemy import text
from sqlmodel import col, select

from rxbackup.operations._taking import lock_store
from rxbackup.operations.services import Services
from rxbackup.tables.system import Backup

_one_at_a_time = threading.Lock()

_UNUSED = """
DELETE FROM rxbackup.chunks AS c
WHERE c.store = :store
  AND NOT EXISTS (SELECT FROM rxbackup.backup_chunks AS u WHERE u.store = c.store AND u.chunk_id = c.id)
  AND NOT EXISTS (SELECT FROM rxbackup.chunks AS d WHERE d.store = c.store AND d.anchor = c.id)
RETURNING encode(c.id, 'hex') AS id, c.generation
"""


def sweep_unused_chunks(services: Services, store: str, identity: str) -> int:
    """Remove what no backup of this store uses; how many chunks went. 0 while a backup runs: a later sweep does it."""
    vault = services.open_vault(store)
    # One thread of a process at a time: those that wait hold a connection each, and the one that works needs two.
    with _one_at_a_time, services.system.session(identity) as guard:
        lock_store(guard, store, exclusive=True)
        running = guard.exec(
            select(Backup.id).where(col(Backup.store) == store, col(Backup.state) == "running").limit(1)
        ).first()
        if running is not None:
            return 0
        with services.system.session(identity) as session:
            unused = session.connection().execute(text(_UNUSED), {"store": store}).all()
        for chunk in unused:
            vault.delete_chunk(chunk.id, chunk.generation)
    return len(unused)
