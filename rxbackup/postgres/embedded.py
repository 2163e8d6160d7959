"""The embedded PostgreSQL: there when it is needed, shared by our processes, stopped by the last of them.

Two lock files in the data folder keep order, and both are let go of by the kernel when a process dies, however it dies:

* `postgres.starting.lock` is held exclusively while somebody looks, starts or stops;
* `postgres.using.lock` is held shared by everybody who uses the server. Who can have it exclusively is the last.

A server whose users were all killed keeps running and is taken over by the next one.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import LiteralString, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from rxbackup.errors import DatabaseUnavailable, Refused, RxbackupError
from rxbackup.postgres.cluster import SUPERUSER, Cluster, Postmaster
from rxbackup.postgres.cluster_settings import PORT
from rxbackup.postgres.embedded_binaries import packaged_binaries, reachable_binaries
from rxbackup.postgres.run_user import RunUser, choose_run_user
from rxbackup.postgres.search_permission import let_pass

OWNER = "rxbackup"
DATABASE = "rxbackup"
APP_ROLE = "rxbackup_app"
_FIRST_WITH_GRANT_OPTIONS = 160000


class EmbeddedServer:
    """A running embedded PostgreSQL, used by this process until `stop`.

    Attributes:
        url: the database `rxbackup` as its owner, who is no superuser.
        superuser_url: the database `postgres` as superuser, for administration.
    """

    def __init__(self, cluster: Cluster, *, locks: Path) -> None:
        self._cluster = cluster
        self._starting = locks / "postgres.starting.lock"
        self._using = _open_lock(locks / "postgres.using.lock")
        self._owner_pid = os.getpid()
        self._guard = threading.Lock()
        self.url = ""
        self.superuser_url = ""

    @classmethod
    def ensure(cls, data_dir: Path, *, binaries: Path | None = None, durable: bool = True) -> EmbeddedServer:
        """Start the server of this data folder, or join it if it runs.

        Args:
            data_dir: the cluster is its `postgres` folder; made if it is not there.
            binaries: the bin folder of another PostgreSQL installation than the packaged one.
            durable: False for tests that may lose everything.

        Raises:
            DatabaseUnavailable: it does not start; the message holds PostgreSQL's own words.
            Refused: the folder is of another major version, or belongs to somebody else.
        """
        root = _make_data_dir(data_dir)
        folder = root / "postgres"
        run_user = choose_run_user(folder)
        server = cls(
            Cluster(folder, _binaries_for(run_user, root, binaries), run_user, durable=durable),
            locks=root,
        )
        try:
            server.ensure_running()
        except BaseException:
            os.close(server._using)
            raise
        atexit.register(server._stop_at_exit)  # also when a command ends before anybody closes anything
        return server

    @property
    def folder(self) -> Path:
        """The cluster's folder; the server's own log is in its `log`."""
        return self._cluster.folder

    def ensure_running(self) -> None:
        """Start the server again if it was killed. Cheap while it runs; a server that others started is joined."""
        with self._guard, _held(self._starting):
            if self._using < 0:
                raise DatabaseUnavailable("The embedded PostgreSQL was let go of by this process.")
            fcntl.flock(self._using, fcntl.LOCK_SH)
            if not self._cluster.exists():
                self._cluster.create()
            self._cluster.check_version()
            self._point_to(self._cluster.start())
            self._provide_database()

    def stop(self) -> bool:
        """Use the server no longer; whether that stopped it, because nobody else uses it. May be called again."""
        with self._guard:
            if self._using < 0 or os.getpid() != self._owner_pid:
                return False
            using, self._using = self._using, -1
            atexit.unregister(self._stop_at_exit)
            try:
                with _held(self._starting):
                    try:
                        fcntl.flock(using, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        return False
                    self._cluster.stop()
                    return True
            finally:
                os.close(using)

    def _stop_at_exit(self) -> None:
        with contextlib.suppress(RxbackupError):  # the folder may be gone by now, and nobody is left to be told
            self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _point_to(self, server: Postmaster) -> None:
        at = f"host={quote(server.socket_folder, safe='')}&port={PORT}"
        self.url = f"postgresql://{OWNER}@/{DATABASE}?{at}"
        self.superuser_url = f"postgresql://{SUPERUSER}@/postgres?{at}"

    def _provide_database(self) -> None:
        """Make the owner, the role of our own statements and the database, whichever is not there yet."""
        try:
            with psycopg.connect(self.superuser_url, autocommit=True, connect_timeout=30) as connection:
                _provide_roles(connection)
                if not _there(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
                    _create_database(connection)
        except psycopg.Error as error:
            raise DatabaseUnavailable(f"The embedded PostgreSQL does not answer as it should: {error}") from error


def _provide_roles(connection: psycopg.Connection) -> None:
    role = "SELECT 1 FROM pg_roles WHERE rolname = %s"
    if not _there(connection, role, OWNER):
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOCREATEDB NOCREATEROLE NOBYPASSRLS").format(sql.Identifier(OWNER))
        )
    if not _there(connection, role, APP_ROLE):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOBYPASSRLS").format(sql.Identifier(APP_ROLE)))
        # The owner becomes that role on purpose, for a transaction; it does not have its rights all the time.
        options = " WITH INHERIT FALSE, SET TRUE" if connection.info.server_version >= _FIRST_WITH_GRANT_OPTIONS else ""
        connection.execute(sql.SQL("GRANT {} TO {}" + options).format(sql.Identifier(APP_ROLE), sql.Identifier(OWNER)))


def _create_database(connection: psycopg.Connection) -> None:
    database = sql.Identifier(DATABASE)
    create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'")
    connection.execute(create.format(database, sql.Identifier(OWNER)))
    # Our schema has the owner's name: by default it would come before `public` for whoever logs in as the owner.
    connection.execute(sql.SQL("ALTER DATABASE {} SET search_path TO public").format(database))


def _there(connection: psycopg.Connection, question: LiteralString, name: str) -> bool:
    return connection.execute(question, (name,)).fetchone() is not None


def _binaries_for(run_user: RunUser, data_dir: Path, given: Path | None) -> Path:
    if run_user.is_other:
        let_pass(data_dir, uid=run_user.uid, gids=frozenset({run_user.gid}))
    return reachable_binaries(given or packaged_binaries(), run_user=run_user, data_dir=data_dir)


def _make_data_dir(data_dir: Path) -> Path:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        return data_dir.resolve(strict=True)
    except OSError as error:
        raise Refused(
            f"The data folder {data_dir} cannot be made: {error.strerror or error}.",
            hint="Set RXBACKUP_DATA_DIR to a folder that this user may write to.",
        ) from error


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refused(
            f"{path} cannot be opened: {error.strerror or error}.",
            hint="Run rxbackup as the user who owns the data folder, or set RXBACKUP_DATA_DIR to another one.",
        ) from error


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    lock = _open_lock(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
