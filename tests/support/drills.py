"""Drills for tests."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql

from rxbackup.backup.run import BackupOutcome, BackupRequest, run_backup
from rxbackup.postgres.embedded import OWNER
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.vault.vault import Vault
from rxbackup.verify.drill import verify_drill
from rxbackup.verify.report import VerifyReport
from tests.support.postgres import admin_url


def drill(
    url: str, vault: Vault, outcome: BackupOutcome, *, on_progress: ProgressSink = ignore_progress
) -> VerifyReport:
    """Drill a backup, with the manifest as the vault holds it."""
    manifest = vault.get_manifest(outcome.manifest.backup_id)
    return verify_drill(vault, manifest, source_url=url, on_progress=on_progress)


def next_backup(url: str, vault: Vault, base: BackupOutcome) -> BackupOutcome:
    """Take a backup that leans on an earlier one."""
    request = BackupRequest(str(uuid4()), "Next", "", "admin@example.com")
    return run_backup(request, source_url=url, vault=vault, bases=[base.manifest])


def leftovers(url: str) -> list[str]:
    """Schemas and databases that drills left on this server."""
    with psycopg.connect(admin_url(url), autocommit=True) as conn:
        rows = conn.execute(
            "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'rxbackup\\_drill\\_%' "
            "UNION ALL SELECT datname::text FROM pg_database WHERE datname LIKE 'rxbackup\\_drill\\_%'"
        ).fetchall()
    return [name for (name,) in rows]


def once(stage: str, act: Callable[[], None]) -> ProgressSink:
    """A sink that does something the first time a drill reports this stage."""
    done = False

    def on_progress(progress: Progress) -> None:
        nonlocal done
        if progress.stage == stage and not done:
            done = True
            act()

    return on_progress


def run(url: str, script: str) -> None:
    """Run a script as the owner of a database."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(script)


@contextmanager
def role_of_its_own(url: str, *, options: str = "", rights: str = "") -> Iterator[str]:
    """The same database as another role, which owns all its tables.

    Args:
        options: of CREATE ROLE.
        rights: to be granted on the database.
    """
    role = f"drill_{os.getpid()}_{secrets.token_hex(3)}"
    with psycopg.connect(admin_url(url), autocommit=True) as conn:
        name = sql.Identifier(role)
        database = sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN {}").format(name, sql.SQL(options)))
        for schema, table in conn.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
        ).fetchall():
            conn.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(schema, table), name))
        if rights:
            conn.execute(sql.SQL("GRANT {} ON DATABASE {} TO {}").format(sql.SQL(rights), database, name))
        try:
            yield url.replace(f"//{OWNER}@", f"//{role}@", 1)
        finally:
            conn.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(name, sql.Identifier(OWNER)))
            conn.execute(sql.SQL("DROP OWNED BY {}").format(name))
            conn.execute(sql.SQL("DROP ROLE {}").format(name))
