"""Whatever writers do, between backups and during them: each backup holds exactly what its own snapshot saw."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from rxbackup import errors
from rxbackup.backup import copier, plan, run
from rxbackup.backup.run import BackupOutcome, BackupRequest, run_backup
from rxbackup.postgres.consistent_read import ConsistentRead, TableChoice, consistent_read, join_snapshot
from rxbackup.postgres.embedded import EmbeddedServer
from rxbackup.postgres.introspection import Column
from rxbackup.progress import Progress
from rxbackup.tables.migrating import migrate
from rxbackup.vault.vault import Vault
from tests.support.postgres import admin_url
from tests.support.vaults import new_vault
from tests.support.writers import SETUP, Writers

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

BACKUPS = int(os.environ.get("RXBACKUP_TEST_BACKUPS", "20"))
SEED = int(os.environ.get("RXBACKUP_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)

Image = Mapping[str, bytes]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """A server that knows prepared transactions."""
    folder = Path(tempfile.mkdtemp(prefix="rxbackup-test-"))
    try:
        with EmbeddedServer.ensure(folder, durable=False) as first, _superuser(first) as conn:
            conn.execute("ALTER SYSTEM SET max_prepared_transactions = 8")
        with EmbeddedServer.ensure(folder, durable=False) as again:
            migrate(again.url, protected_url=None)
            yield again
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _superuser(server: EmbeddedServer) -> psycopg.Connection:
    return psycopg.connect(server.superuser_url, autocommit=True)


@pytest.fixture
def url(server: EmbeddedServer) -> str:
    """The application's database, fresh."""
    with psycopg.connect(admin_url(server.url), autocommit=True) as conn:
        conn.execute("DROP SCHEMA public CASCADE")
        conn.execute("CREATE SCHEMA public AUTHORIZATION rxbackup")
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute(SETUP)
    return server.url


@dataclass
class Witness:
    """Sees what each backup's snapshot sees, through a connection of its own, and tells it in the same form."""

    url: str
    saw: list[Image] = field(default_factory=list)

    @contextmanager
    def watching(self, url: str, choose: TableChoice, *, lock_timeout_seconds: float) -> Iterator[ConsistentRead]:
        """In the place of `consistent_read`."""
        with consistent_read(url, choose, lock_timeout_seconds=lock_timeout_seconds) as read:
            with join_snapshot(self.url, read.exported) as conn:
                self.saw.append({t.qualified: _rows(conn, t.identifier, t.copied_columns) for t in read.tables})
            yield read


def _rows(conn: psycopg.Connection, table: sql.Identifier, columns: tuple[Column, ...]) -> bytes:
    names = sql.SQL(", ").join(sql.Identifier(c.name) for c in columns)
    query = sql.SQL("COPY (SELECT {} FROM ONLY {}) TO STDOUT").format(names, table)
    with conn.cursor() as cursor, cursor.copy(query) as copy:
        return _sorted(b"".join(bytes(piece) for piece in copy))


def _sorted(rows: bytes) -> bytes:
    return b"\n".join(sorted(rows.split(b"\n")))


def _held(vault: Vault, outcome: BackupOutcome) -> Image:
    manifest = vault.get_manifest(outcome.manifest.backup_id)
    return {
        table.qualified: _sorted(b"".join(vault.get_chunk(c) for s in table.segments for c in s.chunks))
        for table in manifest.tables
    }


def _take(
    url: str, vault: Vault, earlier: list[BackupOutcome], on_progress: Callable[[Progress], None]
) -> BackupOutcome:
    request = BackupRequest(str(uuid4()), "One of many", "", "admin@example.com")
    bases = [outcome.manifest for outcome in earlier]
    return run_backup(
        request, source_url=url, vault=vault, bases=bases, on_progress=on_progress, lock_timeout_seconds=2
    )


@contextmanager
def _at_once(url: str, seed: int, *, wanted: bool) -> Iterator[Counter[str]]:
    """Writers in a thread of their own, who wait for nobody."""
    if not wanted:
        yield Counter()
        return
    writers, over = Writers(url, seed), threading.Event()

    def write() -> None:
        while not over.wait(0.03):
            writers.step()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield writers.done
    finally:
        over.set()
        thread.join()
        writers.close()


@pytest.mark.parametrize("at_once", [False, True], ids=["in turn", "at once"])
def test_every_backup_is_its_own_snapshot(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], at_once: bool
) -> None:
    """`in turn` is the same again with the same seed; `at once` has writers in a thread besides."""
    print(f"RXBACKUP_TEST_SEED={SEED} RXBACKUP_TEST_BACKUPS={BACKUPS}")
    dice, vault, witness = random.Random(SEED), new_vault(), Witness(url)
    monkeypatch.setattr(plan, "SEGMENT_BYTES", dice.choice((8192, 16384, 32768)))
    monkeypatch.setattr(copier, "CHUNK_BYTES", dice.choice((2000, 9000, 1 << 20)))
    monkeypatch.setattr(run, "consistent_read", witness.watching)
    writers = Writers(url, SEED)
    taken: list[tuple[BackupOutcome, Image]] = []
    refused: Counter[str] = Counter()
    during = 0

    def meanwhile(progress: Progress) -> None:
        nonlocal during
        if progress.stage == "Reading rows" and dice.random() < 0.1:
            during += 1
            writers.steps(3)

    with _at_once(url, SEED + 1, wanted=at_once):
        for number in range(BACKUPS):
            writers.steps(12)
            earlier = [outcome for outcome, _ in taken[-3:]]
            dice.shuffle(earlier)
            try:
                outcome = _take(url, vault, earlier if dice.random() < 0.97 else [], meanwhile)
            except (errors.SchemaMoved, errors.LockNotAvailable) as error:
                refused[type(error).__name__] += 1
                continue
            seen = witness.saw[-1]
            held = _held(vault, outcome)
            wrong = sorted(n for n in seen.keys() | held.keys() if seen.get(n) != held.get(n))
            assert not wrong, f"backup {number} of seed {SEED}: {wrong}"
            taken.append((outcome, seen))
    writers.close()
    for outcome, seen in dice.sample(taken, min(20, len(taken))):
        assert _held(vault, outcome) == seen, f"a later backup harmed an earlier one, seed {SEED}"
    total = sum(o.manifest.totals.segments_total for o, _ in taken)
    read = sum(o.manifest.totals.segments_read for o, _ in taken)
    with capsys.disabled():
        print(
            f"\nseed {SEED}: {len(taken)} backups, {total - read} of {total} segments taken over, written to {during} "
            f"times meanwhile, refused: {dict(refused)}, {writers.done.total()} steps of {len(writers.done)} kinds"
        )
    assert len(taken) > BACKUPS * 0.5
    assert total > read, "nothing was taken over: this proves nothing"
