"""Everything is killed at once: the app, its worker, the copiers, PostgreSQL itself. Then it is started again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from rxbackup.access.actor import Actor
from rxbackup.operations import restores
from rxbackup.operations.services import Services
from rxbackup.operations.views import NewRestore
from rxbackup.postgres.embedded import EmbeddedServer
from rxbackup.settings import Settings
from rxbackup.wiring import close
from rxbackup.wiring import services as wired
from tests.support.databases import take_image
from tests.support.gates import gate_at_row, until
from tests.support.running_app import RunningApp, start_app, wait_until_ready
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PASSWORD = "violet kettle marches north"
EMAIL = "ada@example.com"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path: its parents are closed to the user who runs PostgreSQL when we are root.
    folder = Path(tempfile.mkdtemp(prefix="rxbackup-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _family(app: RunningApp, data_dir: Path) -> list[psutil.Process]:
    postmaster = int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    heads = [psutil.Process(app.process.pid), psutil.Process(postmaster)]
    return [each for head in heads for each in [head, *head.children(recursive=True)]]


def _kill(family: list[psutil.Process]) -> None:
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.send_signal(signal.SIGKILL)
    until(lambda: not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE], "all are dead")


def _queue_restore(data_dir: Path, backup: str) -> None:
    """Ask for a restore as the page does; the app's worker performs it."""
    services: Services = wired(Settings(data_dir=data_dir))
    try:
        wanted = NewRestore(backup, safety=False, confirm_name="Kept")
        restores.request_restore(services, Actor(EMAIL, "admin"), wanted)
    finally:
        close()


def _running_jobs(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET rxbackup.actor = 'system'")
        row = conn.execute("SELECT count(*) FROM rxbackup.jobs WHERE state IN ('queued', 'running')").fetchone()
    assert row is not None
    return int(row[0])


def test_everything_killed_in_the_middle_of_a_restore(data_dir: Path) -> None:
    shell = Terminal({"RXBACKUP_DATA_DIR": str(data_dir)})
    app = wait_until_ready(start_app(data_dir))
    family: list[psutil.Process] = []
    try:
        answer = app.post("/auth/setup", {"token": app.setup_token, "email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        kept = shell.run("backup", "create", "--name", "Kept", "--json", "-q", seconds=120).json["id"]
        server = EmbeddedServer.ensure(data_dir)
        with psycopg.connect(server.url, autocommit=True) as conn:
            conn.execute("UPDATE public.assets SET name = upper(name)")
            conn.execute("DELETE FROM public.notifications")
        with gate_at_row(server.url, "public.notifications", "id > 0") as gate:
            before = take_image(server.url)
            _queue_restore(data_dir, kept)
            gate.wait()
            family = _family(app, data_dir)
            assert len(family) > 6
            _kill(family)
            with contextlib.suppress(psycopg.Error):
                gate.conn.close()
        server.stop()
    finally:
        if app.process.poll() is None:
            os.killpg(app.process.pid, signal.SIGKILL)
        app.process.wait()

    app = wait_until_ready(start_app(data_dir))
    try:
        server = EmbeddedServer.ensure(data_dir)
        until(lambda: _running_jobs(server.url) == 0, "no job says running", seconds=120)
        assert take_image(server.url) == before
        with psycopg.connect(server.superuser_url.replace("/postgres?", "/rxbackup?"), autocommit=True) as conn:
            states = conn.execute("SELECT kind, state FROM rxbackup.jobs WHERE kind = 'restore'").fetchall()
        assert states == [("restore", "interrupted")]
        server.stop()
        assert shell.run("backup", "verify", kept, "--json", "-q", seconds=120).json["ok"] is True
        again = shell.run("backup", "create", "--name", "Again", "--json", "-q", seconds=120).json["id"]
        assert shell.run("backup", "verify", again, "--json", "-q", seconds=120).json["ok"] is True
        done = shell.run("restore", kept, "--yes", "--json", "-q", seconds=180)
        assert done.code == 0, (done.out, done.err)
        assert json.loads(done.out)["tables"]["public.notifications"]["added"] > 0
        seconds = app.stop()
        assert seconds < 10
        print(f"{len(family)} processes killed at once; afterwards the app stopped in {seconds:.1f} s")
    finally:
        if app.process.poll() is None:
            os.killpg(app.process.pid, signal.SIGKILL)
            app.process.wait()
