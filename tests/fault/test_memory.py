"""Memory stays flat, whatever the size of the table: 256 MiB for every process, or what one huge row takes."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.support.databases import take_image
from tests.support.terminal import Terminal, terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MIB = 1 << 20
LIMIT = 256 * MIB
# A process that reads rows takes some 55 MiB; the database store and a busy machine add a few.
AROUND_A_ROW = 96 * MIB


@dataclass
class Peaks:
    """The largest resident size of any process, by what was done and the kind of process."""

    seen: dict[str, int] = field(default_factory=dict)

    def watch(self, shell: Terminal, what: str, *arguments: str) -> None:
        """Run a command and sample it and its children until it ends."""
        process = shell.start(*arguments)
        done = threading.Event()

        def sample() -> None:
            leader = psutil.Process(process.pid)
            while not done.is_set():
                with suppress(psutil.Error):
                    for each in [leader, *leader.children(recursive=True)]:
                        with suppress(psutil.Error):
                            self._note(f"{what}, {'leader' if each == leader else 'copier'}", _peak_of(each))
                time.sleep(0.02)

        watcher = threading.Thread(target=sample)
        watcher.start()
        out, err = process.communicate(timeout=900)
        done.set()
        watcher.join()
        assert process.returncode == 0, (arguments, out[-2000:], err[-2000:])

    def _note(self, what: str, size: int) -> None:
        self.seen[what] = max(self.seen.get(what, 0), size)

    def report(self, title: str) -> str:
        lines = [f"  {size / MIB:7.1f} MiB  {what}" for what, size in self.seen.items()]
        return "\n".join([f"\n{title}:", *lines])


def _peak_of(process: psutil.Process) -> int:
    """The kernel's own high-water mark where there is one: no sample misses it."""
    with suppress(OSError, StopIteration, IndexError):
        status = Path(f"/proc/{process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)


def _circle(shell: Terminal, folder: Path, damage: str, store: str) -> Peaks:
    """Back up, verify, download, damage, restore; what each took."""
    url = shell.settings["RXBACKUP_DATABASE_URL"]
    before = take_image(url)
    peaks = Peaks()
    peaks.watch(shell, "backup", "backup", "create", "--name", "Large", "--store", store, "-q")
    peaks.watch(shell, "verify", "backup", "verify", "Large", "-q")
    for kind in ("json", "sql"):
        target = folder / f"large.{kind}"
        peaks.watch(shell, f"download {kind}", "backup", "download", "Large", "-o", str(target), "--format", kind, "-q")
        target.unlink()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(damage)
    peaks.watch(shell, "restore", "restore", "Large", "--yes", "--no-safety", "-q")
    assert take_image(url) == before
    return peaks


@pytest.fixture
def shell(system_database: str, tmp_path: Path) -> Iterator[Terminal]:
    yield terminal(system_database, tmp_path)
    subprocess.run(["rm", "-rf", str(tmp_path / "store")], check=True)


@pytest.mark.parametrize("store", ["local", "database"])
def test_three_million_rows(shell: Terminal, tmp_path: Path, store: str) -> None:
    with psycopg.connect(shell.settings["RXBACKUP_DATABASE_URL"], autocommit=True) as conn:
        conn.execute(
            "CREATE TABLE public.events AS SELECT n AS id, md5(n::text) AS name, n * 0.01 AS amount, "
            "timestamptz '2026-01-01' + n * interval '1 second' AS at FROM generate_series(1, 3000000) n"
        )
        conn.execute("ALTER TABLE public.events ADD PRIMARY KEY (id)")
        conn.execute("ANALYZE public.events")
    peaks = _circle(shell, tmp_path, "DELETE FROM public.events WHERE id % 3 = 0", store)
    print(peaks.report(f"3 million rows, {store} store"))
    assert max(peaks.seen.values()) <= LIMIT, peaks.seen


@pytest.mark.parametrize("store", ["local", "database"])
def test_two_hundred_megabytes_in_one_row(shell: Terminal, tmp_path: Path, store: str) -> None:
    with psycopg.connect(shell.settings["RXBACKUP_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("CREATE TABLE public.scans (id int PRIMARY KEY, image text NOT NULL)")
        conn.execute("ALTER TABLE public.scans ALTER image SET STORAGE EXTERNAL")
        conn.execute("INSERT INTO public.scans VALUES (1, 'small')")
        # 32 bytes a piece, no two alike: nothing that zstd could fold away.
        conn.execute(
            "INSERT INTO public.scans SELECT 2, string_agg(md5(n::text), '') FROM generate_series(1, 6553600) n"
        )
        size = conn.execute("SELECT max(octet_length(image)) FROM public.scans").fetchone()
    assert size == (200 * MIB,)
    peaks = _circle(shell, tmp_path, "UPDATE public.scans SET image = 'lost' WHERE id = 2", store)
    print(peaks.report(f"200 MiB in one row, {store} store"))
    # libpq holds a row twice, as it came and as it hands it over (decision 1): what comes on top stays small.
    assert max(peaks.seen.values()) <= 2 * 200 * MIB + AROUND_A_ROW, peaks.seen
