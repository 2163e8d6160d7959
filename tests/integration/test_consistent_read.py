"""One instant, seen by several connections for as long as the one that exported it lives."""

from __future__ import annotations

import pytest

from rxbackup import errors
from rxbackup.postgres.consistent_read import consistent_read, join_snapshot


def test_a_snapshot_that_is_gone_means_that_its_connection_was_lost(database: str) -> None:
    with consistent_read(database, lambda found: found.leaves, lock_timeout_seconds=5) as read:
        join_snapshot(database, read.exported).close()
    with pytest.raises(errors.DatabaseUnavailable, match="snapshot was lost"):
        join_snapshot(database, read.exported)
