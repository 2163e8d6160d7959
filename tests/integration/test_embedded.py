"""The embedded PostgreSQL survives what happens to processes, and hands nobody more rights than needed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from rxbackup.errors import DatabaseUnavailable, Refused
from rxbackup.postgres.embedded import EmbeddedServer

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")

_HOLDER = """
import sys
from pathlib import Path
from rxbackup.postgres.embedded import EmbeddedServer
with EmbeddedServer.ensure(Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path: its parents are closed to other users, which would put an access list on them.
    folder = Path(tempfile.mkdtemp(prefix="rxbackup-test-"))
    yield folder
    pid = postmaster_pid(folder)
    if pid is not None and psutil.pid_exists(pid):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def hold(data_dir: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts another process that uses the server until its standard input is closed."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql://")
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def postmaster_pid(data_dir: Path) -> int | None:
    try:
        return int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, IndexError, ValueError):
        return None


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert ends(pid)


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_server_is_durable_checked_and_reachable_by_socket_only(data_dir: Path) -> None:
    with EmbeddedServer.ensure(data_dir) as server:
        shown = {
            name: ask(server.superuser_url, f"SHOW {name}")
            for name in ("fsync", "full_page_writes", "data_checksums", "listen_addresses", "server_encoding", "jit")
        }
        sockets = Path(str(ask(server.superuser_url, "SHOW unix_socket_directories")))
        assert shown == {
            "fsync": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "jit": "off",
        }
        assert sockets.stat().st_mode & 0o777 == 0o700


def test_owner_is_no_superuser_and_does_not_see_past_policies(data_dir: Path) -> None:
    with EmbeddedServer.ensure(data_dir) as server:
        rights = ask(
            server.url,
            "SELECT ARRAY[rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication]"
            " FROM pg_roles WHERE rolname = current_user",
        )
        assert rights == [False] * 5
        assert ask(
            server.url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        ) == ("rxbackup")
        assert ask(server.url, "SHOW search_path") == "public"
        with psycopg.connect(server.url) as connection:
            connection.execute("SET ROLE rxbackup_app")
            connection.execute("CREATE TEMP TABLE t ()")


def test_start_on_an_existing_cluster_takes_less_than_two_seconds(data_dir: Path) -> None:
    EmbeddedServer.ensure(data_dir).stop()
    began = time.monotonic()
    with EmbeddedServer.ensure(data_dir):
        assert time.monotonic() - began < 2


def test_last_user_stops_the_server_and_no_one_before(
    data_dir: Path, hold: Callable[[], subprocess.Popen[str]]
) -> None:
    other = hold()
    server = EmbeddedServer.ensure(data_dir)
    other.communicate("")
    assert ask(server.url, "SELECT 1") == 1
    second = hold()
    assert not server.stop()
    pid = postmaster_pid(data_dir)
    assert pid is not None
    second.communicate("")
    assert postmaster_pid(data_dir) is None
    assert ends(pid)


def test_stop_twice_and_ensure_after_stop_are_clear(data_dir: Path) -> None:
    server = EmbeddedServer.ensure(data_dir)
    assert server.stop()
    assert not server.stop()
    with pytest.raises(DatabaseUnavailable):
        server.ensure_running()


def test_many_processes_starting_at_once_share_one_server(data_dir: Path) -> None:
    EmbeddedServer.ensure(data_dir).stop()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    urls = set()
    for process in processes:
        assert process.stdout is not None
        urls.add(process.stdout.readline())
    assert len(urls) == 1
    for process in processes:
        process.communicate("")
        assert process.returncode == 0
    assert postmaster_pid(data_dir) is None


def test_killed_postmaster_leaves_nothing_to_repair(data_dir: Path) -> None:
    server = EmbeddedServer.ensure(data_dir)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")
        pid = postmaster_pid(data_dir)
        assert pid is not None
        kill(pid)
    server.ensure_running()
    assert ask(server.url, "SELECT count(*) FROM t") == 1000
    assert server.stop()


def test_killed_users_leave_a_server_that_the_next_one_takes_over(
    data_dir: Path, hold: Callable[[], subprocess.Popen[str]]
) -> None:
    first, second = hold(), hold()
    pid = postmaster_pid(data_dir)
    kill(first.pid)
    kill(second.pid)
    server = EmbeddedServer.ensure(data_dir)
    assert postmaster_pid(data_dir) == pid
    assert server.stop()


def test_everything_killed_at_once_leaves_nothing_to_repair(
    data_dir: Path, hold: Callable[[], subprocess.Popen[str]]
) -> None:
    holder = hold()
    pid = postmaster_pid(data_dir)
    assert pid is not None
    kill(holder.pid)
    kill(pid)
    with EmbeddedServer.ensure(data_dir) as server:
        assert ask(server.url, "SELECT 1") == 1
        assert postmaster_pid(data_dir) != pid


def test_note_of_a_pid_that_now_is_a_stranger_does_not_prevent_a_start(data_dir: Path) -> None:
    server = EmbeddedServer.ensure(data_dir)
    owner = server.folder.stat()
    server.stop()
    identity = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    stranger = subprocess.Popen(["sleep", "100"], **identity)  # type: ignore[call-overload]
    try:
        note = server.folder / "postmaster.pid"
        note.write_text(f"{stranger.pid}\n{server.folder}\n1700000000\n5432\n/nowhere\n\n  1 2\nready   \n")
        os.chown(note, owner.st_uid, owner.st_gid)
        with EmbeddedServer.ensure(data_dir) as again:
            assert ask(again.url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_interrupt_from_the_terminal_does_not_reach_the_server(data_dir: Path) -> None:
    with EmbeddedServer.ensure(data_dir):
        pid = postmaster_pid(data_dir)
        assert pid is not None
        assert os.getsid(pid) != os.getsid(0)
        assert os.getpgid(pid) != os.getpgid(0)


def test_interrupted_initialisation_is_begun_anew(data_dir: Path) -> None:
    left = data_dir / "postgres.new-killed"
    left.mkdir()
    (left / "PG_VERSION").write_text("18\n")
    with EmbeddedServer.ensure(data_dir) as server:
        assert ask(server.url, "SELECT 1") == 1
    assert not left.exists()


def test_cluster_of_another_major_version_is_refused_in_words(data_dir: Path) -> None:
    server = EmbeddedServer.ensure(data_dir)
    server.stop()
    (server.folder / "PG_VERSION").write_text("13\n")
    with pytest.raises(Refused, match="written by PostgreSQL 13"):
        EmbeddedServer.ensure(data_dir)


def test_folder_with_other_files_is_not_touched(data_dir: Path) -> None:
    precious = data_dir / "postgres" / "letter.txt"
    precious.parent.mkdir()
    precious.write_text("dear reader")
    with pytest.raises(Refused, match="holds files but no PostgreSQL cluster"):
        EmbeddedServer.ensure(data_dir)
    assert precious.read_text() == "dear reader"


def test_server_that_cannot_start_says_why(data_dir: Path) -> None:
    server = EmbeddedServer.ensure(data_dir)
    server.stop()
    with (server.folder / "postgresql.auto.conf").open("a") as conf:
        conf.write("shared_buffers = 'many'\n")
    with pytest.raises(DatabaseUnavailable, match="shared_buffers"):
        EmbeddedServer.ensure(data_dir)


def test_long_path_gets_its_socket_elsewhere(data_dir: Path) -> None:
    with EmbeddedServer.ensure(data_dir / ("a" * 60) / ("b" * 60)) as server:
        assert ask(server.url, "SELECT 1") == 1
        sockets = Path(str(ask(server.superuser_url, "SHOW unix_socket_directories")))
        assert sockets.stat().st_mode & 0o777 == 0o700


@as_root
def test_root_runs_it_as_somebody_else_who_passes_through_closed_folders(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedServer.ensure(closed / "data") as server:
        pid = int((server.folder / "postmaster.pid").read_text().splitlines()[0])
        assert psutil.Process(pid).uids().effective != 0
        assert ask(server.url, "SELECT 1") == 1
    assert closed.stat().st_mode & 0o007 == 0  # nobody else may read or pass


@as_root
def test_root_runs_it_from_programs_that_nobody_else_can_reach(data_dir: Path) -> None:
    from rxbackup.postgres.embedded_binaries import packaged_binaries

    closed = data_dir / "venv"
    closed.mkdir(mode=0o700)
    package = packaged_binaries().parents[1]
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.with_name(name), closed / name, symlinks=True)
    with EmbeddedServer.ensure(data_dir / "data", binaries=closed / package.name / "pginstall" / "bin") as server:
        assert ask(server.url, "SELECT 1") == 1
    assert closed.stat().st_mode & 0o777 == 0o700
