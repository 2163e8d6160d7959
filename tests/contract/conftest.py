"""Every kind of store, each empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from rxbackup.postgres.embedded import OWNER, EmbeddedServer
from rxbackup.stores.base import Store
from rxbackup.stores.database import DatabaseStore
from rxbackup.stores.local import LocalStore
from rxbackup.stores.memory import MemoryStore
from rxbackup.stores.metered import MeteredStore
from rxbackup.stores.opening import open_store
from tests.support.objects_table import make_objects_table
from tests.support.postgres import admin_url, database_url
from tests.support.s3_servers import S3Server

_KINDS = [
    "memory",
    "local",
    "s3",
    "another s3",
    *(pytest.param(each, marks=pytest.mark.integration) for each in ("database", "migrated")),
]


@pytest.fixture(scope="session")
def bare_objects(postgres_server: EmbeddedServer) -> str:
    """A database with the bare table, under the sternest policies: only the application's role, only for somebody."""
    with psycopg.connect(postgres_server.superuser_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare_objects TEMPLATE template0")
        connection.execute(f"ALTER DATABASE bare_objects OWNER TO {OWNER}")
    url = database_url(postgres_server, "bare_objects")
    make_objects_table(url)
    return url


@pytest.fixture(params=_KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "local":
        made = LocalStore.create(tmp_path / "store")
    elif request.param in ("s3", "another s3"):
        server: S3Server = request.getfixturevalue("s3_server" if request.param == "s3" else "other_s3_server")
        made = MeteredStore(open_store(server.recipe(server.new_bucket(), "backups/rx")))
    elif request.param == "database":
        url = request.getfixturevalue("bare_objects")
        with psycopg.connect(admin_url(url), autocommit=True) as connection:
            connection.execute("TRUNCATE rxbackup.objects")
        made = DatabaseStore(url, actor="ada@example.org")
    else:
        made = DatabaseStore(request.getfixturevalue("system_database"), actor="system")
    yield made
    made.close()
