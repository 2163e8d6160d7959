"""Each library has its rooms: replacing one touches them and nothing else. The engine runs without the web."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rxbackup

HOUSE = Path(rxbackup.__file__).parent

ROOMS = {
    "alembic": {"tables"},
    "apprise": {"notify"},
    "apscheduler": {"worker"},
    "backports": {"vault/compression.py"},
    "blake3": {"vault/sealing.py"},
    "cronsim": {"cadence"},
    "cryptography": {"vault/sealing.py", "vault/keyring.py"},
    "fastapi": {"api"},
    "granian": {"serving"},
    "obstore": {"stores/s3.py"},
    "orjson": {"vault", "export", "api"},
    "passlib": {"access"},
    "procrastinate": {"wiring/queue.py", "worker", "tables/queue_schema.py"},
    "prometheus_client": {"api"},
    "psycopg": {"postgres", "stores/database.py"},
    "pydantic_settings": {"settings.py"},
    "reflex": {"ui", "rxbackup.py"},
    "rich": {"cli"},
    "sqlalchemy": {"tables", "access", "audit.py", "operations", "demo"},
    "sqlmodel": {"tables", "access", "audit.py", "operations", "wiring"},
    "typer": {"cli"},
}


def _imports() -> dict[str, set[str]]:
    """Top-level name of every imported library → files that import it."""
    found: dict[str, set[str]] = {}
    for path in HOUSE.rglob("*.py"):
        relative = path.relative_to(HOUSE)
        if relative.parts[0] in {"_web", "_alembic"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(relative.as_posix())
    return found


IMPORTS = _imports()


@pytest.mark.parametrize("library", sorted(ROOMS))
def test_a_library_stays_in_its_rooms(library: str) -> None:
    assert library in IMPORTS, f"{library} is no longer used: take it out of this table and of pyproject.toml"
    strays = {f for f in IMPORTS[library] if not any(f == room or f.startswith(f"{room}/") for room in ROOMS[library])}
    assert not strays


def test_the_engine_imports_without_the_web_framework() -> None:
    program = (
        "import sys; import rxbackup.backup.run, rxbackup.restore.run, rxbackup.verify.contents, "
        "rxbackup.export.json_document; "
        "loaded = {m.partition('.')[0] for m in sys.modules}; "
        "sys.exit(','.join(sorted(loaded & {'reflex', 'fastapi', 'sqlmodel', 'typer'})) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_folder_is_named_for_anything_and_nothing() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "misc", "managers", "services", "core", "lib"}
    assert not {p.stem for p in HOUSE.rglob("*") if p.suffix in {"", ".py"}} & (banned - {"services"})
