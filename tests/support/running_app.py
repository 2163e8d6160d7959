"""The real app as a process of its own, on a port nobody knew before."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "from rxbackup.cli.main import run; run()")
"""The console script, without asking where it was installed."""


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningApp:
    """A served app; `url` has no slash at its end."""

    url: str
    data_dir: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        """What it has said so far."""
        return "".join(self.lines)

    @property
    def setup_link(self) -> str:
        """The one-time link that it printed."""
        found = re.search(r"http\S+/setup\?token=\S+", self.output)
        assert found, self.output
        return found[0]

    @property
    def setup_token(self) -> str:
        """The token in that link."""
        return self.setup_link.partition("token=")[2]

    def post(self, path: str, body: Mapping[str, object], **headers: str) -> httpx.Response:
        """POST as a program does it."""
        return httpx.post(f"{self.url}{path}", json=dict(body), headers={"X-Rxb": "1", **headers}, timeout=30)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Ask it to stop; the seconds that took."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                raise
        return time.monotonic() - started


def start_app(
    data_dir: Path, *, port: int | None = None, code: Path = ROOT, path: str | None = None, **settings: str
) -> RunningApp:
    """Serve on a random port.

    Args:
        data_dir: RXBACKUP_DATA_DIR, and the current folder.
        port: one that is known to be free.
        code: where the package is.
        path: PATH, if not ours.
        settings: other RXBACKUP_ variables.
    """
    port = port or free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("RXBACKUP_", "REFLEX_", "__REFLEX"))}
    environment |= {"RXBACKUP_DATA_DIR": str(data_dir), "PYTHONPATH": str(code), "PYTHONUNBUFFERED": "1"}
    environment |= {f"RXBACKUP_{name.upper()}": value for name, value in settings.items()}
    if path is not None:
        environment["PATH"] = path
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(port)],
        cwd=data_dir,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    app = RunningApp(f"http://127.0.0.1:{port}", data_dir, process)
    threading.Thread(target=_listen, args=(app,), daemon=True).start()
    return app


def wait_until_ready(app: RunningApp, seconds: float = 180) -> RunningApp:
    """Wait for the first answer; whatever it said is in the failure."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if app.process.poll() is not None:
            raise AssertionError(f"the app ended with {app.process.returncode}:\n{app.output}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{app.url}/healthz", timeout=5).status_code == 200 and "is ready" in app.output:
                return app
        time.sleep(0.1)
    raise AssertionError(f"the app did not start in {seconds} s:\n{app.output}")


@contextlib.contextmanager
def running_app(**settings: str) -> Iterator[RunningApp]:
    """An app with a data folder of its own, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="rxb-e2e-", ignore_cleanup_errors=True) as folder:
        # The embedded server runs as another user when we are root, and must be able to walk in.
        Path(folder).chmod(0o755)
        app = start_app(Path(folder), **settings)
        try:
            yield wait_until_ready(app)
        finally:
            app.stop()


def _listen(app: RunningApp) -> None:
    assert app.process.stdout is not None
    for line in app.process.stdout:
        app.lines.append(line)
