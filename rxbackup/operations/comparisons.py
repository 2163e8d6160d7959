"""Comparing two backups, or a backup and the live database: in numbers as a run, in rows where somebody looks."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.compare.now import pair_with_now, tables_now
from rxbackup.compare.pairs import Kept, TablePair, groups_apart, pair_backups
from rxbackup.compare.run import compare_tables, different_rows
from rxbackup.compare.tables import find_table, kept_tables
from rxbackup.compare.text import codec_of
from rxbackup.errors import BackupNotFound, NotFound, Refused, UsageError
from rxbackup.operations._backups.catalogue import find_backup, find_job, job_view
from rxbackup.operations._backups.comparing import CHANGES, comparison_of, not_compared, result_of, row_of
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._backups.places import reading_place
from rxbackup.operations._runs.queueing import queue_job
from rxbackup.operations._runs.running import Run, run_job
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, ComparisonView, JobView, RowComparisons
from rxbackup.postgres.consistent_read import consistent_read
from rxbackup.progress import ProgressSink
from rxbackup.tables.system import Job

__all__ = ["NOW", "compare_rows", "latest_comparison", "perform_compare", "request_compare", "show_comparison"]

NOW = "now"
"""Stands for the live database where a second backup could be named."""

_MOST_ROWS = 500


@requires(Permission.VERIFY)
def request_compare(services: Services, actor: Actor, before: str, after: str = NOW) -> JobView:
    """Queue a comparison of a backup with a later one, or with the live database.

    Raises:
        BackupNotFound: there is no such backup.
        Refused: one of them is not complete.
        UsageError: they are the same.
    """
    sides = _sides(services, actor, before, after)
    job_id = queue_job(services, actor, "compare", _parameters(*sides))
    with services.system.session(actor.identity) as session:
        return job_view(find_job(session, str(job_id)))


@requires(Permission.VERIFY)
def perform_compare(
    services: Services,
    actor: Actor,
    before: str,
    after: str = NOW,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> ComparisonView:
    """Compare here and now. Only parts that are not known to be the same are opened; memory stays flat.

    Raises:
        BackupNotFound, Refused, UsageError: as `request_compare`.
        Corrupt, StoreTrouble, DatabaseTrouble: a side cannot be read.
    """
    old, new = _sides(services, actor, before, after)

    def work(run: Run) -> ComparisonView:
        started = time.monotonic()
        with _paired(services, old, new) as pairs:
            found = compare_tables(pairs.tables, _folder(services), on_progress=run.sink(0, 99))
        run.check()
        result = result_of(found, pairs.notes, services.clock(), time.monotonic() - started)
        with services.system.session(actor.identity) as session:
            run.succeed(session, result, action="backup.compared", object_id=old.id)
        return comparison_of(run.id, old, new, result)

    parameters = _parameters(old, new)
    return run_job(services, actor, "compare", parameters, work, job_id=job_id, on_progress=on_progress)


@requires(Permission.VIEW)
def show_comparison(services: Services, actor: Actor, job: str) -> ComparisonView:
    """What a comparison found.

    Raises:
        JobNotFound, NotFound: there is no such run, or it compared nothing.
        BackupNotFound: a backup it compared is gone.
        Refused: it is not through, or did not succeed.
    """
    with services.system.session(actor.identity) as session:
        row = find_job(session, job)
        if row.kind != "compare":
            raise NotFound(f"The run {job} is no comparison.")
        if row.state != "succeeded":
            raise Refused(f"The comparison is {row.state}.", hint="Wait until it is through, or compare again.")
        parameters, result = dict(row.parameters or {}), dict(row.result or {})
        old = find_backup(session, str(parameters["backup_id"]))
        new = None if parameters["after"] == NOW else find_backup(session, str(parameters["after"]))
    return comparison_of(job, old, new, result)


@requires(Permission.VIEW)
def latest_comparison(services: Services, actor: Actor, before: str, after: str = NOW) -> JobView | None:
    """The newest run that compares these two, if it waits, runs or succeeded; None if there is none."""
    old, new = _sides(services, actor, before, after)
    statement = (
        select(Job)
        .where(
            col(Job.kind) == "compare",
            col(Job.state).in_(["queued", "running", "succeeded"]),
            col(Job.parameters)["backup_id"].astext == old.id,
            col(Job.parameters)["after"].astext == (new.id if new else NOW),
        )
        .order_by(col(Job.created_at).desc())
        .limit(1)
    )
    with services.system.session(actor.identity) as session:
        job = session.exec(statement).first()
        return job_view(job) if job else None


@requires(Permission.DOWNLOAD)
def compare_rows(
    services: Services,
    actor: Actor,
    before: str,
    after: str,
    table: str,
    *,
    change: str | None = None,
    skip: int = 0,
    limit: int = 50,
    cut: int | None = None,
) -> RowComparisons:
    """The rows of one table that differ, by their key. It is compared for this anew.

    Args:
        change: only rows that were added, changed or removed.
        skip: how many to pass over.
        limit: at most 500.
        cut: show so many characters of a value.

    Raises:
        NotFound: neither side has such a table.
        UsageError: there is no such change.
        BackupNotFound, Refused, Corrupt, StoreTrouble, DatabaseTrouble: as `perform_compare`.
    """
    if change is not None and change not in CHANGES:
        raise UsageError(f"No row can be {change!r}.", hint=f"Rows are {', '.join(CHANGES)}.")
    skip, limit = max(0, skip), max(1, min(limit, _MOST_ROWS))
    old, new = _sides(services, actor, before, after)
    _audit(services, actor, old, new, table)
    with _paired(services, old, new, table) as pairs:
        if not pairs.tables:
            raise NotFound(f"The table {table[:130]} is on neither side, or not in both.", hint="Compare the tables.")
        (pair,) = pairs.tables
        rows = (row for row in different_rows(pair, _folder(services)) if change in {None, row.change})
        found = list(islice(rows, skip, skip + limit + 1))
    shown = tuple(row_of(row, pairs.codecs, cut) for row in found[:limit])
    return RowComparisons(
        pair.name, shown, skip, len(found) > limit, notes=pair.matching.notes, by_key=bool(pair.matching.key)
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Pairs:
    """What is compared; `codecs` are Python's names of the encodings before and after."""

    tables: tuple[TablePair, ...]
    notes: tuple[str, ...]
    codecs: tuple[str, str]


@contextmanager
def _paired(services: Services, old: BackupView, new: BackupView | None, table: str | None = None) -> Iterator[_Pairs]:
    with ExitStack() as stack:
        before = _kept(services, stack, old)
        codec = codec_of(before.manifest.server.encoding)
        if new is not None:
            after = _kept(services, stack, new)
            apart = groups_apart(before.manifest, after.manifest)
            yield _Pairs(
                pair_backups(before, after, only=_name(before, after, table)),
                (*not_compared(apart[0], old.name), *not_compared(apart[1], new.name)),
                (codec, codec_of(after.manifest.server.encoding)),
            )
            return
        only = _name(before, None, table)
        read = stack.enter_context(
            consistent_read(
                services.source_url,
                tables_now(before.manifest, only),
                lock_timeout_seconds=services.settings.lock_timeout_seconds,
            )
        )
        yield _Pairs(
            pair_with_now(before, read, services.source_url, only=only), (), (codec, codec_of(read.server.encoding))
        )


def _name(before: Kept, after: Kept | None, table: str | None) -> str | None:
    """The table's full name; one that only the other side may have stays as it is."""
    if table is None:
        return None
    for side in (before, after):
        if side is not None:
            try:
                found = find_table(side.manifest, table).name
            except NotFound:
                continue
            if found in kept_tables(side.manifest):
                return found
    return table


def _kept(services: Services, stack: ExitStack, view: BackupView) -> Kept:
    stack.enter_context(hold_backup(services, view.id))
    _, vault = stack.enter_context(reading_place(services, view, but=""))
    return Kept(vault, vault.get_manifest(view.id))


def _folder(services: Services) -> Path:
    """Where rows may be put aside, in files without a name."""
    services.settings.data_dir.mkdir(parents=True, exist_ok=True)
    return services.settings.data_dir


def _sides(services: Services, actor: Actor, before: str, after: str) -> tuple[BackupView, BackupView | None]:
    with services.system.session(actor.identity) as session:
        old = find_backup(session, before)
        try:
            new = find_backup(session, after)
        except BackupNotFound:
            if after.strip().casefold() != NOW:
                raise
            new = None
    for view in (old, new):
        if view is not None and view.state != "complete":
            raise Refused(f"{view.name} is {view.state}: there is nothing to compare.", hint="Choose a complete one.")
    if new is not None and new.id == old.id:
        raise UsageError(f"{old.name} is the same as itself.", hint="Give another backup, or `now`.")
    return old, new


def _parameters(old: BackupView, new: BackupView | None) -> dict[str, Any]:
    return {
        "backup_id": old.id,
        "name": old.name,
        "after": new.id if new else NOW,
        "after_name": new.name if new else NOW,
    }


def _audit(services: Services, actor: Actor, old: BackupView, new: BackupView | None, table: str) -> None:
    details = {"name": old.name, "after": new.id if new else NOW, "table": table[:130], "door": actor.door}
    with services.system.session(actor.identity) as session:
        audit.append(
            session,
            actor=actor.email,
            action="backup.rows.compared",
            object_type="backup",
            object_id=old.id,
            details=details,
        )
