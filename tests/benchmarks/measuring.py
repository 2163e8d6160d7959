"""Run commands, time and weigh them, and put what came out into a table."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
import psycopg

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Measured:
    """One command, or the medians of several runs of it.

    Attributes:
        seconds: on the clock.
        cpu_seconds: of its processes, user and system; of a database server it talks with nothing.
        peak_mib: resident memory of its largest process, where it says so: by the kernel's own high-water mark.
        answer: the JSON object it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float
    answer: Mapping[str, object]


@dataclass(frozen=True)
class Line:
    """A row of the table. No ratio: it could not be measured here, and the note says why. No bar: only for knowing."""

    what: str
    ratio: float | None
    bar: float | None
    note: str
    unit: str = "×"
    figures: Mapping[str, object] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        if self.ratio is None:
            return "absent"
        if self.bar is None:
            return ""
        return "met" if self.ratio <= self.bar else "MISSED"

    def as_text(self) -> str:
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f} {self.unit}"
        bar = "–" if self.bar is None else f"≤ {self.bar:g} {self.unit}"
        return f"{self.what:74} {ratio:>10} {bar:>10} {self.verdict:7} {self.note}"


def measure(command: list[str], *, environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end. Watching it from outside would take time from it: the kernel kept count."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, **(environment or {})}, text=True
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with {process.returncode}")
    answer = json.loads(output) if output.startswith("{") else {}
    # Of a child the kernel's mark begins with the memory of its parent, this process: rxbackup tells its own.
    return Measured(seconds, used.ru_utime + used.ru_stime, float(answer.get("peak_mib", 0)), answer)


def rxbackup(verb: str, url: str, folder: Path, argument: str = "", *, store: str = "local") -> Measured:
    return measure([sys.executable, "-m", "tests.benchmarks.subject", verb, store, url, str(folder), argument])


def median(runs: Iterable[Measured]) -> Measured:
    every = list(runs)
    return Measured(
        statistics.median(r.seconds for r in every),
        statistics.median(r.cpu_seconds for r in every),
        max(r.peak_mib for r in every),
        every[-1].answer,
    )


def alternate(
    times: int, ours: Callable[[int], Measured], theirs: Callable[[int], Measured]
) -> tuple[Measured, Measured]:
    """A B A B …, so that a drifting machine is fair to both."""
    pairs = [(ours(i), theirs(i)) for i in range(times)]
    return median(a for a, _ in pairs), median(b for _, b in pairs)


def against(ours: Measured, theirs: Measured) -> str:
    return f"{ours.seconds:.1f} s against {theirs.seconds:.1f} s (processor {ours.cpu_seconds:.1f} s)"


def figures(**measured: Measured) -> dict[str, object]:
    return {name: asdict(each) for name, each in measured.items()}


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


def empty(folder: Path) -> Path:
    """The folder's name, with nothing there."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def machine() -> dict[str, object]:
    """The machine's shape: no name, no address."""
    return {
        "cores": os.cpu_count(),
        "ram_gib": round(psutil.virtual_memory().total / 2**30),
        "load_before": os.getloadavg()[0],
        "system": platform.system(),
        "python": platform.python_version(),
    }
