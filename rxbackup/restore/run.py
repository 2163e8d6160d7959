"""Carry a restore out: one transaction, in which readers see the rows before until they see the rows after.

The order, inside the transaction: locks, the plan made again, user triggers off, every row staged and counted, foreign
keys across the border checked, rows set right, constraints checked, sequences moved on, triggers on, everything
compared with the stage once more. Nothing of the target is touched before all chunks were opened and every row parsed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from rxbackup import errors
from rxbackup.postgres.connecting import Connection, connect, set_pins, translated
from rxbackup.postgres.counting import count_rows
from rxbackup.postgres.introspection import Catalogue, read_catalogue
from rxbackup.postgres.locking import naming_who_blocks
from rxbackup.postgres.materialized_views import find_readers
from rxbackup.postgres.refusals import OthersInTheWay, others_in_the_way, refusals
from rxbackup.postgres.triggers import silence_triggers
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.restore.consequences import find_consequences, refuse
from rxbackup.restore.damage import survey
from rxbackup.restore.locks import Ground, calm_targets, lock_what_differs
from rxbackup.restore.plan import RestorePlan, RestoreRequest, TargetTable, plan_restore
from rxbackup.restore.proving import PartDisturbed, prove, rehearsed
from rxbackup.restore.reloading import Reloading, Reloads, choose_reloads
from rxbackup.restore.report import RestoreReport, TableResult
from rxbackup.restore.sequences import move_sequences_on
from rxbackup.restore.setting_aside import SettingAside
from rxbackup.restore.staging import Staging
from rxbackup.restore.strategies import LooseKeys, Reconciliation
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault

_APPLICATION = "rxbackup restore"


def prepare_restore(
    manifest: Manifest,
    request: RestoreRequest,
    *,
    source_url: str,
    counted: bool = True,
    lock_timeout_seconds: float = 30,
) -> RestorePlan:
    """Look at the database and return the plan, with the rows there are now if `counted`.

    Raises:
        errors.UsageError: a group or the mode is unknown.
        errors.DatabaseUnavailable: the database is away.
        errors.LockNotAvailable: a table stayed locked against readers.
    """
    with (
        connect(source_url, application_name=_APPLICATION) as conn,
        naming_who_blocks(source_url),
        translated("planning the restore"),
    ):
        with conn.transaction():
            set_pins(conn, lock_timeout_seconds=lock_timeout_seconds)
            catalogue = read_catalogue(conn)
            plan = plan_restore(manifest, request, catalogue)
            roots = {t.table.oid for t in plan.targets}
            views = find_readers(conn, [t.oid for t in catalogue.tables if t.root in roots])
            plan = replace(plan, stale_views=views)
            if not counted:
                return plan
            conn.execute("SET LOCAL row_security = on")
            counts = count_rows(conn, catalogue, [t.table for t in plan.targets])
        return replace(plan_restore(manifest, request, catalogue, counts), stale_views=views)


def run_restore(
    plan: RestorePlan,
    manifest: Manifest,
    *,
    vault: Vault,
    source_url: str,
    on_progress: ProgressSink = ignore_progress,
    before_commit: Callable[[str], None] | None = None,
    rehearse: bool = False,
    samples: int = 0,
    agree: Callable[[Mapping[str, TableResult]], None] | None = None,
    lock_timeout_seconds: float = 30,
) -> RestoreReport:
    """Make the chosen tables hold the rows of the backup, as the plan's mode says, or change nothing at all.

    Args:
        plan: from `prepare_restore`; refused if the schema has changed since.
        before_commit: is told the transaction's id (xid8 as text) before COMMIT is sent. If the connection is lost
            just then, `commit_outcome` tells what became of it.
        rehearse: compute the exact numbers and roll back. Takes no lock that keeps writers away. What the restore would
            be refused for because of keys is in the report then.
        samples: of how many rows a table a rehearsal shows the values.
        agree: is told, by table, what will be done, as a rehearsal would tell it, when everything is locked and nothing
            is touched yet. What it raises ends the restore. It is asked again if the restore has to begin anew. It is
            told nothing of tables that maintenance loads anew: what is in those is replaced, whatever it is.

    Raises:
        errors.PlanRefused: a foreign key would break, the schema has moved, or PostgreSQL refuses a row.
        errors.Corrupt: a chunk is missing or damaged. Nothing was changed.
        errors.DatabaseTrouble: the database went away or a lock was not to be had. Nothing was changed.
    """
    plan.refuse_if_blocked()
    started = time.monotonic()
    settings = _Settings(source_url, vault, on_progress, before_commit, rehearse, samples, agree, lock_timeout_seconds)
    whole = alone = False
    while True:
        try:
            report = _carry_out(plan, manifest, settings, whole=whole, alone=alone)
        except OthersInTheWay:
            alone = True
        except PartDisturbed:
            # What a foreign key did to rows outside the touched part, only a whole stage sets right.
            whole = alone = True
        else:
            break
        # All was rolled back.
    return replace(report, seconds=round(time.monotonic() - started, 3))


@dataclass(frozen=True, slots=True)
class _Settings:
    """The arguments of `run_restore` that stay the same, however often it has to begin."""

    source_url: str
    vault: Vault
    on_progress: ProgressSink
    before_commit: Callable[[str], None] | None
    rehearse: bool
    samples: int
    agree: Callable[[Mapping[str, TableResult]], None] | None
    lock_timeout_seconds: float


def _carry_out(
    plan: RestorePlan, manifest: Manifest, given: _Settings, *, whole: bool = False, alone: bool = False
) -> RestoreReport:
    """Do it in one transaction.

    Args:
        whole: stage all rows, also those of segments that did not change.
        alone: keep writers away from all targets, also from those of which nothing differs.
    """
    conn = connect(given.source_url, application_name=_APPLICATION)
    staging = Staging(given.vault, given.on_progress, plan)

    def begin() -> None:
        with translated("beginning the rehearsal" if given.rehearse else "beginning the restore"):
            # A rehearsal holds no locks: only within one snapshot do its numbers fit together.
            conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ" if given.rehearse else "BEGIN")
            set_pins(conn, _known_pins(manifest), lock_timeout_seconds=given.lock_timeout_seconds)

    def look() -> Ground:
        with translated("planning the restore"):
            catalogue = read_catalogue(conn)
        again = _same_plan(plan, manifest, catalogue)
        damage = {} if whole else survey(conn, again, manifest, catalogue, given.source_url, on_table=looking_at)
        return Ground(again, catalogue, damage, choose_reloads(conn, again, catalogue, damage))

    def looking_at(target: TargetTable) -> None:
        staging.report(f"Looking at {target.name}")

    try:
        given.on_progress(Progress("Locking the tables", tables_total=len(plan.targets)))
        if given.rehearse:
            begin()
            with naming_who_blocks(given.source_url):
                ground = look()
            calm = calm_targets(ground.plan, ground.damage)
        else:
            ground, calm = lock_what_differs(
                conn,
                given.source_url,
                begin,
                look,
                timeout_seconds=given.lock_timeout_seconds,
                all_of_it=alone,
            )
        staging.begin(ground.plan, ground.damage, calm)
        # A rehearsal counts what differs, which takes a stage.
        reloads = Reloads() if given.rehearse else ground.reloads
        reloading = Reloading(conn, ground.plan, reloads, staging)
        report = _restore(conn, ground.catalogue, staging, reloading, given)
        if given.rehearse:
            conn.execute("ROLLBACK")
        else:
            _commit(conn, given.before_commit)
    finally:
        conn.close()
    return report


def commit_outcome(source_url: str, xid: str) -> str | None:
    """Return 'committed', 'aborted', 'in progress', or None if the server no longer remembers that transaction."""
    with connect(source_url, application_name=_APPLICATION) as conn, translated("asking for a transaction's outcome"):
        row = conn.execute("SELECT pg_catalog.pg_xact_status(%s::text::pg_catalog.xid8)", (xid,)).fetchone()
    return row[0] if row else None


def _known_pins(manifest: Manifest) -> dict[str, str]:
    # client_encoding comes with the pins: the bytes are in the encoding of the server that wrote them.
    return {**manifest.pins, "row_security": "off", "search_path": ""}


def _same_plan(plan: RestorePlan, manifest: Manifest, catalogue: Catalogue) -> RestorePlan:
    again = plan_restore(manifest, plan.request, catalogue)
    again.refuse_if_blocked()
    if again.fingerprint != plan.fingerprint:
        raise errors.PlanRefused(
            "The tables have changed since the plan was made.", hint="Look at the plan again, then restore."
        )
    return again


def _restore(
    conn: Connection, catalogue: Catalogue, staging: Staging, reloading: Reloading, given: _Settings
) -> RestoreReport:
    plan = reloading.rest
    staged = {target.table.oid: staging.staged(i, target) for i, target in enumerate(plan.targets)}
    with refusals(rehearse=given.rehearse):
        for target in plan.targets:
            staging.fill(conn, staged[target.table.oid], target)
        staging.report("Checking the foreign keys")
        aside = SettingAside(conn, plan, staged, catalogue)
        aside.run()
        consequences = find_consequences(conn, plan, staged, catalogue, left=aside.left)
        if given.rehearse:
            report = rehearsed(conn, plan, staged, samples=given.samples)
            return replace(_with_parts(report, plan, staging, aside), consequences=consequences)
        refuse(consequences)
        if given.agree is not None:
            given.agree(_with_parts(rehearsed(conn, plan, staged), plan, staging, aside).tables)
        written = [t.table for t in staging.plan.targets if t.table.oid not in staging.calm]
        with others_in_the_way(conn, among_others=bool(staging.calm)), silence_triggers(conn, catalogue, written):
            reloading.fill()
            conn.execute("SET CONSTRAINTS ALL DEFERRED")
            with LooseKeys(conn, catalogue) as loose:
                results = Reconciliation(conn, plan, staged, catalogue, loose).run(on_table=staging.report)
                staging.report("Checking the constraints")
                conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
            reloading.rebuild()
        sequences = move_sequences_on(conn, plan.sequences, catalogue)
        staging.report("Comparing with the backup")
        newer = prove(conn, plan, staged)
        reloaded = reloading.results()
    tables = {
        t.name: TableResult(r.added, r.changed, r.removed, t.backup_rows + newer[t.table.oid], round(r.seconds, 3))
        for t in plan.targets
        for r in (results[t.table.oid],)
    }
    return _with_parts(RestoreReport(tables | reloaded, sequences, 0.0), staging.plan, staging, aside)


def _with_parts(report: RestoreReport, plan: RestorePlan, staging: Staging, aside: SettingAside) -> RestoreReport:
    """The report with what staging and setting aside know of each table."""
    tables = {}
    for target in plan.targets:
        oid, result = target.table.oid, report.tables[target.name]
        damage = staging.damage.get(oid)
        tables[target.name] = replace(
            result,
            rows=result.rows + aside.grown.get(oid, 0),
            set_aside=aside.counts.get(oid, 0),
            segments=(damage.touched, damage.total) if damage else None,
        )
    return replace(report, tables=tables)


def _commit(conn: Connection, before_commit: Callable[[str], None] | None) -> None:
    with translated("committing the restore"):
        row = conn.execute("SELECT pg_catalog.pg_current_xact_id()::text").fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        if before_commit is not None:
            before_commit(row[0])
        conn.execute("COMMIT")
