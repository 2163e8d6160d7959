"""A server put back to an older state, gone on from there: backups of the lost history are not leaned on."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from rxbackup.backup import bases, plan
from rxbackup.backup.run import BackupOutcome, BackupRequest, run_backup
from rxbackup.postgres.embedded import EmbeddedServer
from rxbackup.tables.migrating import migrate
from rxbackup.vault.vault import Vault
from tests.support.vaults import new_vault

BURN = "DO $$ BEGIN FOR i IN 1..200 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: its parents are closed to the user who runs PostgreSQL when we are root.
    made = Path(tempfile.mkdtemp(prefix="rxbackup-test-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "SEGMENT_BYTES", 32 * 1024)


def _server(folder: Path) -> EmbeddedServer:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return EmbeddedServer.ensure(folder, durable=False)


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def _take(url: str, vault: Vault, *earlier: BackupOutcome) -> BackupOutcome:
    request = BackupRequest(str(uuid4()), "Later", "", "admin@example.com")
    return run_backup(request, source_url=url, vault=vault, bases=[each.manifest for each in earlier])


def _is_exact(url: str, vault: Vault, outcome: BackupOutcome) -> bool:
    """Whether the backup holds the rows that are there now."""
    [table] = outcome.manifest.tables
    held = b"".join(vault.get_chunk(chunk) for segment in table.segments for chunk in segment.chunks)
    with psycopg.connect(url) as conn, conn.cursor() as cursor, cursor.copy("COPY public.t TO STDOUT") as copy:
        return sorted(b"".join(bytes(piece) for piece in copy).splitlines()) == sorted(held.splitlines())


def _copy(there: Path, here: Path) -> None:
    shutil.rmtree(here / "postgres", ignore_errors=True)
    here.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", there / "postgres", here / "postgres"], check=True)


def _begin(folder: Path) -> EmbeddedServer:
    server = _server(folder)
    migrate(server.url, protected_url=None)
    _run(server.url, "CREATE TABLE public.t (id int PRIMARY KEY, note text)")
    _run(server.url, "INSERT INTO public.t SELECT n, md5(n::text) FROM generate_series(1, 4000) n")
    return server


def test_the_old_copy_put_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault, data, old = new_vault(), folder / "data", folder / "old"
    server = _begin(data)
    first = _take(server.url, vault)
    server.stop()
    _copy(data, old)

    # One history: a row is deleted, many transactions go by, a backup is taken.
    with _server(data) as server:
        _run(server.url, "DELETE FROM public.t WHERE id = 7", BURN)
        lost = _take(server.url, vault, first)
        assert 0 < lost.manifest.totals.segments_read < lost.manifest.totals.segments_total
        assert _is_exact(server.url, vault, lost)

    # Another: as many rows, by transactions that the first history has long left behind.
    _copy(old, data)
    with _server(data) as server:
        _run(server.url, "DELETE FROM public.t WHERE id = 8", BURN, BURN)
        second = _take(server.url, vault, lost)
        assert second.manifest.totals.segments_read == second.manifest.totals.segments_total
        assert second.manifest.base_id is None
        assert _is_exact(server.url, vault, second)
        # The one before the copy belongs to this history too.
        third = _take(server.url, vault, lost, first)
        assert third.manifest.base_id == first.manifest.backup_id
        assert 0 < third.manifest.totals.segments_read < third.manifest.totals.segments_total
        assert _is_exact(server.url, vault, third)
        # Nothing else than the watermark tells these histories apart.
        monkeypatch.setattr(bases, "watermark_is_there", lambda *_: True)
        fooled = _take(server.url, vault, lost)
        assert not _is_exact(server.url, vault, fooled)


def test_a_clone_that_goes_on_beside_its_origin(folder: Path) -> None:
    vault, data, clone = new_vault(), folder / "data", folder / "clone"
    server = _begin(data)
    first = _take(server.url, vault)
    server.stop()
    _copy(data, clone)
    with _server(data) as here, _server(clone) as there:
        _run(there.url, "DELETE FROM public.t WHERE id = 7", BURN)
        _run(here.url, "DELETE FROM public.t WHERE id = 8")
        of_clone = _take(there.url, vault, first)
        of_origin = _take(here.url, vault, of_clone, first)
        assert (of_clone.manifest.base_id, of_origin.manifest.base_id) == (first.manifest.backup_id,) * 2
        again = _take(there.url, vault, of_origin, of_clone, first)
        assert again.manifest.base_id == of_clone.manifest.backup_id
        assert _is_exact(there.url, vault, of_clone)
        assert _is_exact(there.url, vault, again)
        assert _is_exact(here.url, vault, of_origin)
