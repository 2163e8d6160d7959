"""axe-core for browser tests: fetched once from the npm registry, never part of the product."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

VERSION = "4.14.1"
FOLDER = Path(__file__).resolve().parents[2] / "build" / "axe-core"

# A menu hangs at the end of the document, where Radix puts it; a landmark around it would be announced for nothing.
_OUTSIDE_LANDMARKS = {"rules": {"region": {"enabled": False}}}


def violations(page: Any, *, menu: bool = False) -> list[str]:
    """What axe finds wrong with the page as it stands, one line each; `menu`: a menu is open."""
    page.evaluate(_source())
    options = _OUTSIDE_LANDMARKS if menu else {}
    found = page.evaluate("options => axe.run(document, options).then(result => result.violations)", options)
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


@cache
def _source() -> str:
    script = FOLDER / f"axe-{VERSION}.min.js"
    if not script.is_file():
        _fetch(script)
    return script.read_text(encoding="utf-8")


def _fetch(script: Path) -> None:
    npm = shutil.which("npm", path=os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", "")]))
    if npm is None:
        pytest.skip("npm is needed once, to fetch axe-core")
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", f"axe-core@{VERSION}", "--silent"], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"axe-core could not be fetched: {done.stderr.strip()[-200:]}")
    with tarfile.open(FOLDER / done.stdout.strip().splitlines()[-1]) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        script.write_bytes(member.read())
