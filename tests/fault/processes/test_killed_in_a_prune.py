"""SIGKILL to a prune at each of its moments: nobody leans on what is gone, and nothing is left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rxbackup.access.actor import Actor
from rxbackup.operations import backups, prunes, verifications
from rxbackup.operations.views import BackupView, NewBackup, PruneView
from tests.support.gates import Gate, gate_before_delete, gate_before_update, until
from tests.support.installation import Installation
from tests.support.workers import assert_sound, hand_to_worker, restart, working

_CHUNKS = "(SELECT count(*) FROM rxbackup.objects WHERE name LIKE 'chunks/%')"


@contextmanager
def _retired_and_nothing_claimed(installation: Installation) -> Iterator[Gate]:
    """G1: the tombstones are committed."""
    url, claim = installation.services.system_url, "OLD.state = 'tombstone' AND NEW.state = 'tombstone'"
    with gate_before_update(url, "rxbackup.chunks", claim) as gate:
        yield gate


@contextmanager
def _some_bytes_gone(installation: Installation) -> Iterator[Gate]:
    """G2: some objects are deleted, others not yet."""
    [(stored,)] = installation.system_sql(f"SELECT {_CHUNKS.replace('%', '%%')}")
    late = f"OLD.name LIKE 'chunks/%' AND {_CHUNKS} < {stored}"
    with gate_before_delete(installation.services.system_url, "rxbackup.objects", late) as gate:
        yield gate


@contextmanager
def _bytes_gone_and_rows_left(installation: Installation) -> Iterator[Gate]:
    """G3: the objects are deleted, their rows are not."""
    with gate_before_delete(installation.services.system_url, "rxbackup.chunks", "true") as gate:
        yield gate


MOMENTS = [_retired_and_nothing_claimed, _some_bytes_gone, _bytes_gone_and_rows_left]


@pytest.fixture
def gone(installation: Installation, admin: Actor, kept: BackupView) -> BackupView:
    """A backup of what there is now; its row is deleted and nothing is freed yet."""
    backup = backups.perform_backup(installation.services, admin, NewBackup("Gone"))
    installation.services.open_vault("database").delete_manifest(backup.id)
    installation.system_sql("DELETE FROM rxbackup.backups WHERE id = %s", backup.id)
    return backup


def _kill_at(installation: Installation, admin: Actor, moment: Callable[[Installation], object]) -> None:
    with moment(installation) as gate:  # type: ignore[attr-defined]
        job = prunes.request_prune(installation.services, admin)
        hand_to_worker(installation, job)
        with working(installation) as worker:
            gate.wait()
            worker.kill()
            gate.open()
    until(
        lambda: (
            installation.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND (application_name = 'rxbackup prune' OR wait_event = 'advisory')"
            )
            == [(0,)]
        ),
        "its connections are gone",
    )


def _left_over(installation: Installation) -> list[tuple[object, ...]]:
    return installation.system_sql(
        "SELECT name FROM rxbackup.objects o WHERE name LIKE 'chunks/%%' AND NOT EXISTS ("
        "SELECT FROM rxbackup.chunks c WHERE c.state = 'live' AND c.store = 'database' AND "
        "o.name = 'chunks/' || left(encode(c.id, 'hex'), 2) || '/' || encode(c.id, 'hex') || '-' || c.generation)"
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_same_content_is_backed_up_right_after(
    installation: Installation,
    admin: Actor,
    kept: BackupView,
    gone: BackupView,
    moment: Callable[[Installation], object],
) -> None:
    services = installation.services
    _kill_at(installation, admin, moment)
    # Nobody has cleaned up yet: the catalogue still lists chunks whose bytes are gone.
    same = backups.perform_backup(installation.again(), admin, NewBackup("Same"))
    assert same.rows == gone.rows
    for backup in (kept, same):
        assert verifications.perform_verify(services, admin, backup.id, level="contents").ok
    restart(installation)
    for _ in range(2):
        [view] = prunes.perform_prune(services, admin)
        assert view.damage == ()
        for backup in (kept, same):
            assert verifications.perform_verify(services, admin, backup.id, level="contents").ok
    assert _left_over(installation) == []
    assert_sound(installation, admin, kept, same)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_next_prune_finishes_it(
    installation: Installation,
    admin: Actor,
    kept: BackupView,
    gone: BackupView,
    moment: Callable[[Installation], object],
) -> None:
    services = installation.services
    _kill_at(installation, admin, moment)
    restart(installation)
    prunes.perform_prune(services, admin)
    assert _left_over(installation) == []
    assert prunes.preview_prune(services, admin) == (PruneView("database"),)
    # What a vanished prune had begun on is remembered for a day: it may only have slept.
    remembered = "SELECT count(*) FROM rxbackup.chunks WHERE state = 'tombstone'"
    assert (installation.system_sql(remembered) > [(0,)]) == (moment is not _retired_and_nothing_claimed)
    installation.system_sql("UPDATE rxbackup.chunks SET retired_at = retired_at - interval '25 hours'")
    prunes.perform_prune(services, admin)
    assert installation.system_sql(remembered) == [(0,)]
    assert_sound(installation, admin, kept)


def test_a_prune_that_only_slept_takes_nothing_with_it(
    installation: Installation, admin: Actor, kept: BackupView, gone: BackupView
) -> None:
    """The worst case: it sleeps before its last delete, loses its lock, and wakes after the chunk has come back."""
    services = installation.services
    [(victim,)] = installation.system_sql(
        "SELECT encode(c.id, 'hex') FROM rxbackup.chunks c WHERE NOT EXISTS (SELECT FROM rxbackup.backup_chunks u "
        "WHERE u.chunk_id = c.id) ORDER BY c.id LIMIT 1"
    )
    _kill_at(installation, admin, _some_bytes_gone)
    restart(installation)
    prunes.perform_prune(services, admin)
    same = backups.perform_backup(installation.again(), admin, NewBackup("Same"))
    services.open_vault("database").delete_chunk(str(victim), 0)
    for backup in (kept, same):
        assert verifications.perform_verify(services, admin, backup.id, level="contents").ok
