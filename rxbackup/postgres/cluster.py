"""One PostgreSQL cluster in a folder: made, started, looked at and stopped. `embedded` decides who may, and when."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from rxbackup.errors import DatabaseUnavailable, Refused
from rxbackup.postgres.cluster_settings import PORT, settings_text
from rxbackup.postgres.run_user import RunUser

SUPERUSER = "postgres"
_SOCKET_NAME = f".s.PGSQL.{PORT}"
_LONGEST_SOCKET_PATH = 100  # the kernel ends at 107 bytes
_START_SECONDS = 600  # a crash recovery may replay a lot
_STOP_SECONDS = 120
_ORPHAN_SECONDS = 10.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What `postmaster.pid` says about a server that runs or ran."""

    pid: int
    socket_folder: str
    status: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data folder together with the programs and the user that serve it.

    Attributes:
        folder: the cluster, `<data_dir>/postgres`.
        binaries: the bin folder of the PostgreSQL installation.
        run_user: who owns the folder and runs the processes.
        durable: False trades durability for speed; for tests.
    """

    folder: Path
    binaries: Path
    run_user: RunUser
    durable: bool = True

    @property
    def mark(self) -> str:
        """The name in the titles of this cluster's processes, unlike any other cluster's."""
        return "rxbackup-" + hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]

    def exists(self) -> bool:
        """Whether the cluster was made; it gets its name only when it is complete."""
        return (self.folder / "PG_VERSION").exists()

    def create(self) -> None:
        """Make a new cluster with checksums, UTF-8 and sorting by code point."""
        if self.folder.exists() and any(self.folder.iterdir()):
            raise Refused(
                f"{self.folder} holds files but no PostgreSQL cluster.",
                hint="Move that folder away, or set RXBACKUP_DATA_DIR to another one.",
            )
        for left in self.folder.parent.glob(f"{self.folder.name}.new-*"):  # by a process that was killed right here
            shutil.rmtree(left, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{self.folder.name}.new-", dir=self.folder.parent))
        self.run_user.own(unfinished)
        command = [str(self.binaries / "initdb"), "-D", str(unfinished), "-U", SUPERUSER, "--auth=trust"]
        command += ["--encoding=UTF8", "--data-checksums", *self._locale_options()]
        command += [] if self.durable else ["--no-sync"]
        done = self.run_user.run(command, timeout=_START_SECONDS)
        if done.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise DatabaseUnavailable(f"A new PostgreSQL cluster could not be made: {_last_lines(done.stdout)}")
        with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("\ninclude 'rxbackup.conf'  # written by rxbackup at every start\n")
        if self.folder.exists():
            self.folder.rmdir()
        unfinished.rename(self.folder)
        if self.durable:
            _sync_folder(self.folder.parent)

    def check_version(self) -> None:
        """Refuse a cluster of another major version before PostgreSQL does so less clearly."""
        has = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        ours = self._major_version()
        if has != str(ours):
            raise Refused(
                f"The data in {self.folder} was written by PostgreSQL {has}; this rxbackup brings PostgreSQL {ours}.",
                hint=f"Start it with the rxbackup release it was made with, or with a PostgreSQL {has} of your own"
                " (RXBACKUP_DATABASE_URL), and bring the data over with pg_dumpall.",
            )

    def postmaster(self) -> Postmaster | None:
        """The server process of this cluster, if it is alive, ready or not."""
        noted = self._noted_postmaster()
        # It may be alive where we cannot see its pid: in another container, sharing our folder.
        return noted if noted is not None and (self._is_alive(noted.pid) or _answers(noted)) else None

    def start(self) -> Postmaster:
        """Start the server, after clearing away what a killed one left; the caller holds the lock for starting."""
        running = self._settle()
        if running is not None:
            return running
        self._end_orphans()
        sockets = self._socket_folder()
        self._forget_reused_pids(sockets)
        self._write_settings(sockets)
        log = self.folder / "start.log"
        # pg_ctl makes the server a session of its own: Ctrl-C in our terminal does not reach it.
        options = ["-D", str(self.folder), "-l", str(log), "-w", "-t", str(_START_SECONDS), "start"]
        done = self._pg_ctl(options, timeout=_START_SECONDS + 10)
        noted = self._noted_postmaster()
        if done.returncode != 0 or noted is None:
            raise DatabaseUnavailable(
                f"The embedded PostgreSQL did not start: {self._last_complaint() or _last_lines(_read(log))}",
                hint=f"The server's own messages are in {self.folder / 'log'} and {log}.",
            )
        return noted

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, everything committed is written."""
        if self.postmaster() is None:
            return
        for mode in ("fast", "immediate"):
            options = ["-D", str(self.folder), "-m", mode, "-w", "-t", str(_STOP_SECONDS), "stop"]
            if self._pg_ctl(options, timeout=_STOP_SECONDS + 10).returncode == 0 or self.postmaster() is None:
                return
        raise DatabaseUnavailable(f"The embedded PostgreSQL in {self.folder} does not stop.")

    def _settle(self) -> Postmaster | None:
        """Wait for a live server to be ready, or to be gone."""
        deadline = time.monotonic() + _START_SECONDS
        while (running := self.postmaster()) is not None:
            if running.status == "ready" and _answers(running):
                return running
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"The embedded PostgreSQL (process {running.pid}) does not become ready.")
            time.sleep(_POLL_SECONDS)
        return None

    def _noted_postmaster(self) -> Postmaster | None:
        lines = _read(self.folder / "postmaster.pid").decode("utf-8", "replace").splitlines()
        try:
            pid = abs(int(lines[0]))
        except (IndexError, ValueError):
            return None
        return Postmaster(
            pid=pid,
            socket_folder=lines[4].strip() if len(lines) > 4 else "",  # noqa: PLR2004 - its fifth line
            status=lines[7].strip() if len(lines) > 7 else "starting",  # noqa: PLR2004 - its eighth line
        )

    def _is_alive(self, pid: int) -> bool:
        """Whether this pid is our postmaster, and not a stranger that got the number after a crash."""
        try:
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and str(self.folder) in process.cmdline()
        except psutil.Error:
            return False

    def _forget_reused_pids(self, sockets: Path) -> None:
        # PostgreSQL itself removes a note whose process is gone. If the number now belongs to another process of the
        # same user, or to a zombie (both common in containers), it would refuse to start for ever; we know better.
        for note in (self.folder / "postmaster.pid", sockets / f"{_SOCKET_NAME}.lock"):
            first_line = _read(note).split(b"\n", 1)[0].strip().lstrip(b"-")
            if first_line.isdigit() and psutil.pid_exists(int(first_line)):
                note.unlink(missing_ok=True)

    def _end_orphans(self) -> None:
        """Wait for the children of a killed postmaster: they leave by themselves, or are told to."""
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while orphans := [p for p in psutil.process_iter() if self._is_child(p)]:
            late = time.monotonic() > deadline
            for process in orphans:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGKILL if late else signal.SIGQUIT)
            time.sleep(_POLL_SECONDS)

    def _is_child(self, process: psutil.Process) -> bool:
        try:
            title = " ".join(process.cmdline())
            return title.startswith(f"postgres: {self.mark}") and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def _pg_ctl(self, options: list[str], *, timeout: float) -> subprocess.CompletedProcess[bytes]:
        try:
            return self.run_user.run([str(self.binaries / "pg_ctl"), *options], timeout=timeout)
        except (OSError, subprocess.SubprocessError) as error:
            raise DatabaseUnavailable(f"pg_ctl could not be run: {error}") from error

    def _last_complaint(self) -> str:
        logs = sorted((self.folder / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        lines = _read(logs[-1]).splitlines()[-50:] if logs else []
        return _last_lines(b"\n".join(line for line in lines if b"FATAL:" in line or b"PANIC:" in line), or_else="")

    def _write_settings(self, socket_folder: Path) -> None:
        text = settings_text(sockets=str(socket_folder), mark=self.mark, durable=self.durable)
        path = self.folder / "rxbackup.conf"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self.run_user.own(path)

    def _socket_folder(self) -> Path:
        """A folder that only the run user (and root) may enter; beside the cluster, or where paths are short."""
        beside = self.folder.with_name(f"{self.folder.name}.socket")
        if len(os.fsencode(beside / f"{_SOCKET_NAME}.lock")) <= _LONGEST_SOCKET_PATH:
            return self._private_folder(beside)
        for parent in (os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp"):  # noqa: S108 - checked below
            folder = Path(parent) / f"{self.mark}-{self.run_user.uid}"
            if not parent or len(os.fsencode(folder / f"{_SOCKET_NAME}.lock")) > _LONGEST_SOCKET_PATH:
                continue
            if not self.run_user.is_other or parent == "/tmp":  # noqa: S108 - a runtime folder is closed to others
                return self._private_folder(folder)
        raise Refused(
            "No folder has a path short enough for PostgreSQL's socket.", hint="Set RXBACKUP_DATA_DIR to a shorter one."
        )

    def _private_folder(self, folder: Path) -> Path:
        try:
            folder.mkdir(mode=0o700)
            self.run_user.own(folder)
        except FileExistsError:
            facts = folder.lstat()
            if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in (0, self.run_user.uid):
                raise Refused(f"{folder} belongs to somebody else.", hint=f"Remove {folder}.") from None
            folder.chmod(0o700)
            self.run_user.own(folder)
        return folder

    def _major_version(self) -> int:
        said = self.run_user.run([str(self.binaries / "postgres"), "--version"], timeout=60).stdout.decode()
        return int(said.split(")")[1].strip().split(".")[0])

    def _locale_options(self) -> list[str]:
        if self._major_version() >= 17:  # noqa: PLR2004 - the first with a provider of its own
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return ["--locale=C.UTF-8"]


def _answers(server: Postmaster) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(Path(server.socket_folder) / _SOCKET_NAME))
        except OSError:
            return False
        return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _last_lines(output: bytes, *, or_else: str = "it said nothing") -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or or_else
