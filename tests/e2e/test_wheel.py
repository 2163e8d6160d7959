"""What `pip install` gets: a wheel with the page in it, that runs without Node, compiler or network."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.support.running_app import ROOT, start_app, wait_until_ready

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="needs hatchling"),
]


def hatch(folder: Path, *arguments: str, **environment: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, built_page: Path) -> Path:
    """The files that a release is made from, as an unpacked sdist: nothing of this checkout's leftovers."""
    folder = tmp_path_factory.mktemp("sdist")
    hatch(ROOT, "-t", "sdist", "-d", str(folder))
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as unpacked:
        assert not [name for name in unpacked.getnames() if "/_web/" in name or "/node_modules/" in name]
        assert "/reflex.lock/package-lock.json" in " ".join(unpacked.getnames())
        unpacked.extractall(folder, filter="data")
    (root,) = [path for path in folder.iterdir() if path.is_dir()]
    assert '"resolved"' not in (root / "reflex.lock" / "package-lock.json").read_text(encoding="utf-8")
    # npm's packages are there already: only the compile is of interest here.
    shutil.copytree(ROOT / "build" / "page", root / "build" / "page", symlinks=True)
    return root


@pytest.fixture(scope="module")
def wheel(sources: Path) -> Path:
    hatch(sources, "-t", "wheel", "-d", "dist")
    (wheel,) = (sources / "dist").glob("*.whl")
    return wheel


def test_the_wheel_holds_page_and_migrations_and_no_addresses(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert "rxbackup/_web/build/client/index.html" in names
        assert "rxbackup/_web/rxconfig.py" in names
        assert "rxbackup/_alembic/env.py" in names
        assert not [name for name in names if name.endswith(".map") or "node_modules" in name or "/tests/" in name]
        for name in names:
            if name.endswith((".js", ".json", ".html")):
                assert b"localhost:8000" not in archive.read(name), name
    assert wheel.stat().st_size < 5_000_000
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_wheel_runs_where_there_is_nothing_else(wheel: Path, tmp_path: Path) -> None:
    site, data = tmp_path / "site", tmp_path / "data"
    data.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (data / "rxconfig.py").write_text("raise SystemExit('a foreign rxconfig.py was read')", encoding="utf-8")
    app = start_app(data, code=site, path="/nowhere")
    try:
        wait_until_ready(app)
        assert "Building" not in app.output
        page = httpx.get(f"{app.url}/sign-in")
        assert "Sign in" in page.text
        assert not list(site.rglob("*.tmp"))
    finally:
        app.stop()


def test_an_editable_install_does_not_build_the_page(sources: Path, tmp_path: Path) -> None:
    shutil.rmtree(sources / "rxbackup" / "_web", ignore_errors=True)
    code = f"from hatchling.build import build_editable; build_editable({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=sources, check=True, capture_output=True, timeout=60)
    assert not (sources / "rxbackup" / "_web").exists()
    assert list(tmp_path.glob("*.whl"))
