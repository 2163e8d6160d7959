"""The rows of the table about restores."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.measuring import Line, Measured, against, alternate, empty, execute, figures, median, rxbackup

_TABLES = "bench_assets, bench_issues, bench_notifications"


def timed(url: str, work: Path, times: int) -> list[Line]:
    """Everything into emptied tables, in maintenance and row by row, and a little damage."""
    folder, dump = empty(work / "restored"), work / "dump"
    backup = str(rxbackup("backup", url, folder).answer["id"])
    peers.dump_gzip(url, dump)

    def everything(how: str) -> Measured:
        execute(url, f"TRUNCATE {_TABLES}")
        return rxbackup(how, url, folder, backup)

    maintained, theirs = alternate(times, lambda _: everything("maintain"), lambda _: peers.restore_dump(url, dump))
    whole = everything("restore")
    little = median(_damaged(url, folder) for _ in range(times))
    return [
        Line(
            "exact restore of everything, maintenance, against pg_restore -1 --clean",
            maintained.seconds / theirs.seconds,
            1.1,
            f"{against(maintained, theirs)}; peak {maintained.peak_mib:.0f} MiB",
            figures=figures(rxbackup=maintained, pg_restore=theirs),
        ),
        Line(
            "exact restore of everything, readers never kept away, against the same",
            whole.seconds / theirs.seconds,
            None,
            f"{against(whole, theirs)}; peak {whole.peak_mib:.0f} MiB",
            figures=figures(rxbackup=whole, pg_restore=theirs),
        ),
        Line(
            "exact restore after 1 000 rows were deleted, against restoring everything",
            little.seconds / whole.seconds,
            0.15,
            f"{little.seconds:.1f} s; {little.seconds / maintained.seconds:.2f} × of everything in maintenance",
            figures=figures(rxbackup=little),
        ),
    ]


def _damaged(url: str, folder: Path) -> Measured:
    backup = str(rxbackup("backup", url, folder).answer["id"])
    execute(url, "DELETE FROM bench_notifications WHERE id <= 1000")
    return rxbackup("restore", url, folder, backup)
