"""Open chunks a little ahead, in threads, while PostgreSQL takes the rows of the one before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from rxbackup.vault.vault import Vault

_THREADS = 2
_AHEAD = 3
"""Chunks of at most 8 MiB: so much memory, and twice that for the anchors of differences."""


def read_ahead(vault: Vault, chunks: Iterable[str]) -> Iterator[bytes]:
    """The plain bytes of these chunks, in order.

    Raises:
        errors.Corrupt: a chunk is missing or damaged; when its turn comes.
    """
    waiting: deque[Future[bytes]] = deque()
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="opening chunks")
    try:
        for chunk in chunks:
            waiting.append(pool.submit(vault.get_chunk, chunk))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
