"""A whole installation for one test: its own databases, key, folder and clock, and no worker."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from rxbackup.access.actor import Actor
from rxbackup.operations import accounts
from rxbackup.operations.services import Services
from rxbackup.settings import Settings
from rxbackup.tables.session import SystemDatabase
from rxbackup.vault.keyring import create_key_file
from rxbackup.wiring.vaults import VaultShelf, provide_stores

ADMIN = "ada@example.org"
PASSWORD = "lovelace counts 1843"
CONSOLE = Actor.console(ADMIN)

SHOP = """
CREATE TABLE public.customers (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.orders (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id int NOT NULL REFERENCES public.customers,
    total numeric(10, 2) NOT NULL
);
CREATE TABLE public.notes (id serial PRIMARY KEY, body text);
INSERT INTO public.customers SELECT n, 'customer ' || n FROM generate_series(1, 50) n;
INSERT INTO public.orders (customer_id, total) SELECT 1 + n % 50, n FROM generate_series(1, 500) n;
INSERT INTO public.notes (body) SELECT repeat('ä', n) FROM generate_series(1, 20) n;
"""


TABLES = {"customers": "name = name", "orders": "total = total", "notes": "body = body"}


@dataclass
class Clock:
    """A clock that tests turn."""

    offset: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def forward(self, **span: float) -> None:
        self.offset += timedelta(**span)


@dataclass
class Queue:
    """Takes jobs and performs none; tests perform them."""

    jobs: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, job_id: str, kind: str) -> int:
        self.jobs.append((job_id, kind))
        return len(self.jobs)


@dataclass
class Installation:
    """The services and what stands around them."""

    services: Services
    clock: Clock
    queue: Queue

    def again(self) -> Services:
        """Services of another process: nothing in memory is shared."""
        system = SystemDatabase(self.services.system_url)
        shelf = VaultShelf(self.services.settings, system, self.services.system_url)
        return dataclasses.replace(self.services, system=system, open_vault=shelf.open)

    def patient(self, seconds: float) -> Services:
        """Have runs wait so long for locks from now on."""
        settings = self.services.settings.model_copy(update={"lock_timeout_seconds": seconds})
        self.services = dataclasses.replace(self.services, settings=settings)
        return self.services

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement in the protected database."""
        with psycopg.connect(self.services.source_url, autocommit=True) as conn:
            cursor = conn.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def system_sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement on rxbackup's own tables, as the app."""
        with psycopg.connect(self.services.system_url, autocommit=True) as conn:
            conn.execute("SET rxbackup.actor = 'system'")
            cursor = conn.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def image(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of the shop."""
        return {name: self.sql(f"SELECT t::text FROM public.{name} t ORDER BY 1") for name in TABLES}

    def touch(self) -> None:
        """Write every row of the shop anew, as it is: no segment is known to be unchanged after that."""
        for name, same in TABLES.items():
            self.sql(f"UPDATE public.{name} SET {same}")

    def damage(self, change: str = "content") -> None:
        """Flip a byte of one chunk in the database store, or delete the chunk's object."""
        if change == "content":
            self.system_sql(
                "UPDATE rxbackup.objects SET content = set_byte(content, length(content) - 1, "
                "get_byte(content, length(content) - 1) # 1) "
                "WHERE name = (SELECT min(name) FROM rxbackup.objects WHERE name LIKE 'chunks/%%')"
            )
            return
        self.system_sql("UPDATE rxbackup.chunks SET object_name = NULL")
        self.system_sql(
            "DELETE FROM rxbackup.objects "
            "WHERE name = (SELECT min(name) FROM rxbackup.objects WHERE name LIKE 'chunks/%%')"
        )


def build(system_url: str, source_url: str, folder: Path) -> Installation:
    """An installation on two databases, with a fresh key."""
    settings = Settings(
        database_url=SecretStr(source_url), system_url=SecretStr(system_url), data_dir=folder, lock_timeout_seconds=2
    )
    if not settings.key_path.exists():
        create_key_file(settings.key_path)
    system = SystemDatabase(system_url)
    provide_stores(system, folder / "store")
    shelf = VaultShelf(settings, system, system_url)
    clock, queue = Clock(), Queue()
    services = Services(
        settings=settings,
        system=system,
        system_url=system_url,
        source_url=source_url,
        clock=clock,
        open_vault=shelf.open,
        queue=queue,
        local_folder=folder / "store",
        processes=1,
    )
    return Installation(services, clock, queue)


@pytest.fixture
def installation(system_database: str, tmp_path: Path) -> Iterator[Installation]:
    """An installation that protects the shop, in the same database as its own tables."""
    with psycopg.connect(system_database, autocommit=True) as conn:
        conn.execute(SHOP)
    built = build(system_database, system_database, tmp_path)
    yield built
    built.services.system.dispose()


@pytest.fixture
def admin(installation: Installation) -> Actor:
    """An admin with an account, as the browser's door would name her."""
    accounts.create_admin(installation.services, CONSOLE, ADMIN, PASSWORD)
    return Actor(ADMIN, "admin")
