"""The rows of the table about backups."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.measuring import (
    Line,
    Measured,
    against,
    alternate,
    empty,
    execute,
    figures,
    median,
    rxbackup,
    size,
)

_DAYS = 8


def timed(url: str, work: Path, times: int) -> list[Line]:
    """Full, unchanged, and changed a little; the database store; the largest process of all."""
    dump = work / "dump"
    full, gzip = alternate(
        times,
        lambda i: rxbackup("backup", url, empty(work / f"full{i}")),
        lambda _: peers.dump_gzip(url, dump),
    )
    vault = empty(work / "leaning")
    first = str(rxbackup("backup", url, vault).answer["id"])
    idle = median(rxbackup("backup", url, vault, first) for _ in range(times))
    _append_and_update(url)
    touched = median(rxbackup("backup", url, vault, first) for _ in range(times))
    return [
        Line(
            "full backup, sealed, local store, against pg_dump -Fc (gzip)",
            full.seconds / gzip.seconds,
            0.35,
            f"{against(full, gzip)}; {_megabytes(full)} against {dump.stat().st_size / 1e6:.0f} MB",
            figures=figures(rxbackup=full, pg_dump=gzip),
        ),
        _share("backup with nothing changed, against the full one", idle, full, 0.3),
        _share("backup after an append of 1 % and a hot 1 % update", touched, full, 0.4),
        _database_store(url, work, full, times),
        Line("peak memory of any process", max(m.peak_mib for m in (full, idle, touched)), 256, "", unit="MiB"),
    ]


def against_zstd(binaries: Path, url: str, work: Path, times: int) -> Line:
    """The fastest form of pg_dump, on a server of its own version."""
    ours, zstd = alternate(
        times,
        lambda i: rxbackup("backup", url, empty(work / f"full{i}")),
        lambda _: peers.dump_zstd(binaries, url, work / "folder"),
    )
    sizes = f"{_megabytes(ours)} against {size(work / 'folder') / 1e6:.0f} MB"
    return Line(
        "the same against pg_dump -Fd -j2 -Z zstd:1 (unsealed)",
        ours.seconds / zstd.seconds,
        1.3,
        f"{against(ours, zstd)}; {sizes}",
        figures=figures(rxbackup=ours, pg_dump=zstd),
    )


def week(url: str, work: Path) -> Line:
    """Stored bytes of eight daily backups with 1 % random updates between them, against one full backup."""
    folder, dump, base = empty(work / "week"), work / "plain.sql", ""
    repositories, absent = peers.repositories(work)
    ours: list[int] = []
    theirs: dict[str, list[int]] = {each.name: [] for each in repositories}
    for day in range(_DAYS):
        if day:
            _update_at_random(url, day)
        base = str(rxbackup("backup", url, folder, base).answer["id"])
        ours.append(size(folder / "store"))
        if repositories:
            peers.dump_plain(url, dump)
        for repository in repositories:
            repository.add(dump)
            theirs[repository.name].append(repository.stored_bytes())
    said = [f"{name} {stored[-1] / stored[0]:.1f} ×, {stored[-1] / 1e6:.0f} MB" for name, stored in theirs.items()]
    said += [f"{name} is absent" for name in absent]
    return Line(
        f"stored bytes, {_DAYS} daily backups at 1 % random updates, against one full",
        ours[-1] / ours[0],
        1.4,
        f"{ours[-1] / 1e6:.0f} MB against {ours[0] / 1e6:.0f} MB; {'; '.join(said)}",
        figures={"rxbackup": ours, **theirs},
    )


def _share(what: str, part: Measured, full: Measured, bar: float) -> Line:
    note = f"{part.seconds:.1f} s, {part.answer['segments']} segments read, {_megabytes(part)} added"
    return Line(what, part.seconds / full.seconds, bar, note, figures=figures(rxbackup=part))


def _database_store(url: str, work: Path, full: Measured, times: int) -> Line:
    def once(i: int) -> Measured:
        execute(url, "TRUNCATE rxbackup.objects CASCADE")
        return rxbackup("backup", url, empty(work / f"database{i}"), store="database")

    there = median(once(i) for i in range(times))
    execute(url, "TRUNCATE rxbackup.objects CASCADE")
    note = f"{there.seconds:.1f} s; the same server reads the rows and writes the objects"
    return Line(
        "full backup into the database store, against the local one",
        there.seconds / full.seconds,
        None,
        note,
        figures=figures(rxbackup=there),
    )


def _megabytes(measured: Measured) -> str:
    return f"{int(str(measured.answer['stored_bytes'])) / 1e6:.1f} MB"


def _append_and_update(url: str) -> None:
    execute(
        url,
        "UPDATE bench_notifications SET read = true WHERE id > (SELECT max(id) * 99 / 100 FROM bench_notifications)",
        "INSERT INTO bench_issues (asset_id, title, body, severity, opened_at) SELECT 1 + n, 'New ' || n, "
        "md5(n::text), 1, now() FROM generate_series(1::bigint, (SELECT count(*) / 100 FROM bench_issues)) n",
        "INSERT INTO bench_notifications (issue_id, email, subject, body, sent_at, read) SELECT 1 + n, "
        "'x@example.com', 'New ' || n, md5(n::text), now(), false "
        "FROM generate_series(1::bigint, (SELECT count(*) / 100 FROM bench_notifications)) n",
    )


def _update_at_random(url: str, day: int) -> None:
    execute(
        url,
        f"UPDATE bench_assets SET price = price + {day} WHERE hashint8(id + {day}) % 100 = 0",
        f"UPDATE bench_issues SET severity = {day % 5} WHERE hashint8(id + {day}) % 100 = 0",
        f"UPDATE bench_notifications SET read = NOT read WHERE hashint8(id + {day}) % 100 = 0",
    )
