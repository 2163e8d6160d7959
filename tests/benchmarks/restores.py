"""The rows of the table about restores."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.measuring import Line, against, empty, execute, figures, rxbackup


def timed(url: str, work: Path) -> list[Line]:
    """Everything into emptied tables, and a little damage."""
    folder, dump = empty(work / "restored"), work / "dump"
    backup = str(rxbackup("backup", url, folder).answer["id"])
    peers.dump_gzip(url, dump)
    execute(url, "TRUNCATE bench_assets, bench_issues, bench_notifications")
    whole = rxbackup("restore", url, folder, backup)
    peer = peers.restore_dump(url, dump)
    backup = str(rxbackup("backup", url, folder).answer["id"])
    execute(url, "DELETE FROM bench_notifications WHERE id <= 1000")
    little = rxbackup("restore", url, folder, backup)
    return [
        Line(
            "exact restore of everything, against pg_restore -1 --clean",
            whole.seconds / peer.seconds,
            1.1,
            f"{against(whole, peer)}; peak {whole.peak_mib:.0f} MiB",
            figures=figures(rxbackup=whole, pg_restore=peer),
        ),
        Line(
            "exact restore after 1 000 rows were deleted, against restoring everything",
            little.seconds / whole.seconds,
            0.15,
            f"{little.seconds:.1f} s",
            figures=figures(rxbackup=little),
        ),
    ]
