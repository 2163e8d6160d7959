"""Drill: restore a whole backup into a place of its own, compare, bind, write, and leave nothing behind.

Rows are loaded as a restore loads them, read back, and compared with the sealed bytes. Then the tables are bound by the
keys, checks and foreign keys that the protected database has, and a row of each is changed, removed and inserted. The
tables of the protected database are not read, not written and not locked.

Damage is what makes the backup worth less. What cannot be proven (the database has changed since, or refuses its own
rows) is told apart from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rxbackup.postgres.connecting import connect, set_pins, translated
from rxbackup.postgres.definitions import known_types, read_definitions
from rxbackup.postgres.introspection import read_catalogue
from rxbackup.postgres.scratch import Scratch, drop_leftovers, open_scratch, read_rights
from rxbackup.postgres.scratch_types import make_types
from rxbackup.postgres.server_disk import local_data_folder
from rxbackup.postgres.text_rules import read_text_rules
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault
from rxbackup.verify.drill_plan import live_oids, moved_types, plan_drill
from rxbackup.verify.drill_run import RESTORING, Drill, Ground
from rxbackup.verify.drill_space import require_space
from rxbackup.verify.report import VerifyReport

__all__ = ["RESTORING", "drop_leftovers", "verify_drill"]


def verify_drill(
    vault: Vault,
    manifest: Manifest,
    *,
    source_url: str,
    server_folder: Path | None = None,
    on_progress: ProgressSink = ignore_progress,
) -> VerifyReport:
    """Prove that a backup restores.

    Args:
        source_url: the protected database.
        server_folder: where its server keeps data, if that is on this machine: there must be room.

    Raises:
        ManifestCorrupt: the manifest contradicts itself.
        Refused: the role may make no place to restore to, or there is no room.
        DatabaseTrouble: the server is away or in trouble; that says nothing about the backup.
        StoreTrouble: the store cannot be read; neither does that.
        Cancelled: whatever `on_progress` raises goes through. Everything is cleaned up.
    """
    manifest.check()
    began = time.monotonic()
    on_progress(Progress("Preparing the drill"))
    drop_leftovers(source_url)
    ground = _look(manifest, source_url)
    require_space(manifest, server_folder or ground.server_folder)
    drill = Drill(vault, manifest, ground, on_progress)
    with open_scratch(source_url, ground.plan.schemas, ground.rights, prepare=_preparer(drill, source_url)) as scratch:
        drill.run(scratch)
    return VerifyReport(
        "drill",
        len(drill.opened.keys() | manifest.needed_ids()),
        sum(each.plain_bytes for each in drill.opened.values()),
        tuple(drill.damaged),
        time.monotonic() - began,
        tables=drill.tables_same,
        rows=drill.rows_same,
        unproven=tuple(dict.fromkeys(drill.unproven)),
        place=scratch.kind,
    )


def _look(manifest: Manifest, source_url: str) -> Ground:
    with (
        closing(connect(source_url, application_name="rxbackup drill")) as conn,
        translated("planning the drill"),
        conn.transaction(),
    ):
        set_pins(conn)
        rights = read_rights(conn)
        rights.require_some()
        catalogue = read_catalogue(conn)
        oids = live_oids(manifest, catalogue)
        definitions, references = read_definitions(conn, oids)
        known = known_types(conn, moved_types(manifest, catalogue))
        rules = read_text_rules(conn)
        folder = local_data_folder(conn)
    plan = plan_drill(manifest, catalogue, definitions, references, known)
    return Ground(plan, oids, rights, rules == manifest.snapshot.text_rules, folder)


def _preparer(drill: Drill, source_url: str) -> Callable[[Scratch], None]:
    def prepare(scratch: Scratch) -> None:
        if scratch.kind == "database":
            with closing(connect(source_url, application_name="rxbackup drill")) as source, source.transaction():
                set_pins(source)
                make_types(source, scratch, drill.ground.oids)
        # Where there is a second place to try, the first one must be able to hold everything.
        drill.make(scratch, strictly=scratch.kind == "database" and drill.ground.rights.may_create_schema)

    return prepare
