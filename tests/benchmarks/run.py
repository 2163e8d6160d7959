"""Measure rxbackup against pg_dump in one run: `python -m tests.benchmarks.run [--json FILE] [--week] [--restores]`.

Ratios are what counts; seconds belong to the machine. Every figure is the median of the repetitions.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import psycopg

from tests.support.databases import PSQL, run_psql
from tests.support.postgres import throwaway_server

HERE = Path(__file__).parent
DUMP, RESTORE = PSQL.with_name("pg_dump"), PSQL.with_name("pg_restore")
DUMP_DATA = [str(DUMP), "--exclude-schema=rxbackup*"]  # what rxbackup leaves out; forced policies keep owners out too


@dataclass
class Measured:
    """One command: median seconds, the largest process in MiB, and what it printed."""

    seconds: float
    peak_mib: float
    answer: dict[str, object]


@dataclass
class Line:
    what: str
    ratio: float | None
    bar: float
    note: str


def measure(command: list[str]) -> Measured:
    """Run a command to its end, watching the memory of its whole tree."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE.parents[1])
    tree, peak = psutil.Process(process.pid), 0.0
    while process.poll() is None:
        try:
            each = [tree, *tree.children(recursive=True)]
            peak = max([peak, *(p.memory_info().rss / 2**20 for p in each)])
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.02)
    seconds = time.monotonic() - began
    output = process.stdout.read() if process.stdout else b""
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with {process.returncode}")
    return Measured(seconds, peak, json.loads(output) if output.strip().startswith(b"{") else {})


def rxbackup(verb: str, url: str, folder: Path, argument: str = "") -> Measured:
    return measure([sys.executable, "-m", "tests.benchmarks.subject", verb, url, str(folder), argument])


def median(times: int, run: Callable[[int], Measured]) -> Measured:
    all_runs = [run(i) for i in range(times)]
    last = all_runs[-1]
    return Measured(statistics.median(r.seconds for r in all_runs), max(r.peak_mib for r in all_runs), last.answer)


def alternate(
    times: int, ours: Callable[[int], Measured], theirs: Callable[[int], Measured]
) -> tuple[Measured, Measured]:
    """A B A B …, so that a drifting machine is fair to both."""
    pairs = [(ours(i), theirs(i)) for i in range(times)]
    return median(times, lambda i: pairs[i][0]), median(times, lambda i: pairs[i][1])


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)  # type: ignore[call-overload]


def backups(url: str, work: Path, times: int) -> list[Line]:
    def fresh(i: int) -> Path:
        shutil.rmtree(work / f"full{i}", ignore_errors=True)
        return work / f"full{i}"

    lines = []
    dump = work / "dump"
    full, gzip = alternate(
        times,
        lambda i: rxbackup("backup", url, fresh(i)),
        lambda i: measure([*DUMP_DATA, "-Fc", "-f", str(dump), url]),
    )
    lines.append(
        Line(
            "full backup, sealed, local store, against pg_dump -Fc (gzip)",
            full.seconds / gzip.seconds,
            0.35,
            f"{full.seconds:.1f} s against {gzip.seconds:.1f} s; peak {full.peak_mib:.0f} MiB; {full.answer}",
        )
    )
    probe = subprocess.run([DUMP, "-Z", "zstd:1", "-s", "-f", os.devnull, url], capture_output=True, check=False)
    if probe.returncode == 0:
        folder = work / "folder"

        def fastest(_: int) -> Measured:
            shutil.rmtree(folder, ignore_errors=True)
            return measure([*DUMP_DATA, "-Fd", "-j2", "-Z", "zstd:1", "-f", str(folder), url])

        again, zstd = alternate(times, lambda i: rxbackup("backup", url, fresh(i)), fastest)
        lines.append(Line("the same against pg_dump -Fd -j2 -Z zstd:1", again.seconds / zstd.seconds, 1.3, ""))
    else:
        lines.append(Line("the same against pg_dump -Fd -j2 -Z zstd:1", None, 1.3, "this pg_dump has no zstd"))
    vault, first = work / "full0", str(full.answer["id"])
    first = str(rxbackup("backup", url, vault).answer["id"])
    idle = median(times, lambda _: rxbackup("backup", url, vault, first))
    lines.append(
        Line("backup with nothing changed, against the full one", idle.seconds / full.seconds, 0.3, str(idle.answer))
    )
    execute(
        url,
        "INSERT INTO bench_issues (asset_id, title, body, severity, opened_at) SELECT 1 + n % 500000, 'New ' || n, "
        "md5(n::text), 1, now() FROM generate_series(1::bigint, 10000) n",
        "INSERT INTO bench_notifications (issue_id, email, subject, body, sent_at, read) SELECT 1 + n % 1000000, "
        "'x@example.com', 'New ' || n, md5(n::text), now(), false FROM generate_series(1::bigint, 20000) n",
        "UPDATE bench_notifications SET read = true WHERE id > 1980000 AND id <= 2000000",
    )
    touched = median(times, lambda _: rxbackup("backup", url, vault, first))
    lines.append(
        Line(
            "backup after an append of 1 % and a hot 1 % update",
            touched.seconds / full.seconds,
            0.4,
            str(touched.answer),
        )
    )
    return lines


def week(url: str, work: Path) -> Line:
    """Stored bytes of eight daily backups with 1 % random updates between them, against one full backup."""
    folder, base = work / "week", ""
    for day in range(8):
        answer = rxbackup("backup", url, folder, base).answer
        base = str(answer["id"])
        if day == 0:
            one = _size(folder / "store")
        execute(
            url,
            f"UPDATE bench_assets SET price = price + {day} WHERE hashint8(id + {day}) % 100 = 0",
            f"UPDATE bench_issues SET severity = {day % 5} WHERE hashint8(id + {day}) % 100 = 0",
            f"UPDATE bench_notifications SET read = NOT read WHERE hashint8(id + {day}) % 100 = 0",
        )
    eight = _size(folder / "store")
    return Line(
        "stored bytes, 8 daily backups at 1 % random updates, against one full",
        eight / one,
        1.4,
        f"{eight / 1e6:.0f} MB against {one / 1e6:.0f} MB",
    )


def restores(url: str, work: Path) -> list[Line]:
    folder = work / "full0"
    backup = str(rxbackup("backup", url, folder).answer["id"])
    subprocess.run([*DUMP_DATA, "-Fc", "-f", work / "dump", url], check=True)
    wipe = "TRUNCATE bench_assets, bench_issues, bench_notifications"
    execute(url, wipe)
    whole = rxbackup("restore", url, folder, backup)
    peer = measure([str(RESTORE), "-1", "--clean", "-d", url, str(work / "dump")])
    backup = str(rxbackup("backup", url, folder).answer["id"])
    execute(url, "DELETE FROM bench_notifications WHERE id <= 1000")
    little = rxbackup("restore", url, folder, backup)
    return [
        Line(
            "exact restore of everything, against pg_restore -1 --clean",
            whole.seconds / peer.seconds,
            1.1,
            f"{whole.seconds:.1f} s against {peer.seconds:.1f} s; peak {whole.peak_mib:.0f} MiB",
        ),
        Line(
            "exact restore after 1 000 rows were deleted, against restoring everything",
            little.seconds / whole.seconds,
            0.15,
            f"{little.seconds:.1f} s",
        ),
    ]


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--restores", action="store_true", help="also time restores, which takes minutes")
    parser.add_argument("--week", action="store_true", help="also take eight daily backups")
    given = parser.parse_args()
    with throwaway_server() as server, tempfile.TemporaryDirectory(prefix="rxbackup-bench-") as folder:
        url = server.url
        execute(server.superuser_url, "ALTER SYSTEM SET max_wal_size = '8GB'", "SELECT pg_reload_conf()")
        from rxbackup.tables.migrating import migrate

        migrate(url, protected_url=None)
        run_psql(url, "SET search_path = public;\n" + (HERE / "data.sql").read_text(encoding="utf-8"))
        execute(server.superuser_url, "CHECKPOINT")
        lines = backups(url, Path(folder), given.times)
        if given.week:
            lines.append(week(url, Path(folder)))
        if given.restores:
            lines += restores(url, Path(folder))
    for line in lines:
        ratio = "–" if line.ratio is None else f"{line.ratio:.2f} ×"
        print(f"{line.what:78} {ratio:>8}  bar {line.bar:.2f} ×  {line.note}")
    if given.json:
        given.json.write_text(json.dumps([asdict(line) for line in lines], indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
