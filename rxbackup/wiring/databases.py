"""Which databases there are, and making them ready."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from rxbackup.errors import Refused, RxbackupError, UsageError
from rxbackup.postgres.connecting import connect
from rxbackup.postgres.embedded import EmbeddedServer
from rxbackup.settings import Settings
from rxbackup.tables.migrating import is_current, migrate, own_schemas
from rxbackup.tables.session import SystemDatabase
from rxbackup.tables.system import Setting
from rxbackup.tables.watermarks import ensure_watermarks

_URI = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://(?:[^@/?#]*@)?(?P<hosts>[^@/?#]*)(?:/[^?#]*)?(?:\?.*)?")
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.%]*\]|[^:\[\]]*)(?::\d*)?")
_PAIRS = re.compile(r"[a-z_]+\s*=")
_FIRST_START_LOCK = 0x7278_6673

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the protected rows and rxbackup's own tables are; `embedded` runs them where no URL is given."""

    source_url: str
    system_url: str
    embedded: EmbeddedServer | None = None


def find_databases(settings: Settings, stack: contextlib.ExitStack) -> Databases:
    """The databases of the settings; the embedded server is started or joined where they name none."""
    system_url = _address("RXBACKUP_SYSTEM_URL", settings.system_url)
    source_url = _address("RXBACKUP_DATABASE_URL", settings.database_url)
    if source_url is not None:
        return Databases(source_url, system_url or source_url)
    server = EmbeddedServer.ensure(settings.data_dir)
    stack.callback(server.stop)
    return Databases(server.url, system_url or server.url, server)


def _address(name: str, given: SecretStr | None) -> str | None:
    """The address in a setting. What libpq says about one that it cannot read repeats it, password and all."""
    if given is None:
        return None
    url = given.get_secret_value().strip()
    hosts = _URI.fullmatch(url)
    readable = all(_HOST.fullmatch(h) for h in hosts["hosts"].split(",")) if hosts else _PAIRS.match(url)
    if not readable:
        raise UsageError(
            f"{name} is not an address of PostgreSQL.",
            hint="It looks like postgresql://user:password@host:5432/database; write @ : / % in a password as %40 %3A "
            "%2F %25.",
        )
    return url


def prepare_databases(databases: Databases, tell: Callable[[str], object]) -> None:
    """Bring rxbackup's tables up to date; `tell` hears of schemas that were made in somebody's database."""
    if databases.embedded is not None:
        tell = _keep_to_oneself
    if not is_current(databases.system_url):
        with _telling_of_schemas(databases.system_url, tell):
            migrate(databases.system_url, protected_url=None)
    if databases.source_url != databases.system_url:
        try:
            with _telling_of_schemas(databases.source_url, tell):
                ensure_watermarks(databases.source_url)
        except RxbackupError as error:
            # Backups work without watermarks; an absent database must not keep the app from saying so.
            _logger.warning("No watermarks in the protected database: %s", error.message)


@contextlib.contextmanager
def _telling_of_schemas(url: str, tell: Callable[[str], object]) -> Iterator[None]:
    _, before = own_schemas(url)
    yield
    database, after = own_schemas(url)
    if made := sorted(after - before):
        tell(f"Made the schema{'s' if len(made) > 1 else ''} {' and '.join(made)} in database {database}.")


def _keep_to_oneself(text: str) -> None:
    """For the embedded database: it is rxbackup's own."""


def fill_once(databases: Databases, system: SystemDatabase, tell: Callable[[str], object]) -> None:
    """Fill the embedded database with the demo application on its very first start, also if that was interrupted."""
    with connect(databases.source_url, application_name="rxbackup first start") as conn:
        # Two processes may start at once: the second waits, and then finds that it was done.
        conn.execute("SELECT pg_catalog.pg_advisory_lock(%s)", (_FIRST_START_LOCK,))
        with system.session("system") as session:
            if session.get(Setting, "bundled_application") is not None:
                return
        tell("First start: filling the embedded database with the asset-management application's demo data.")
        from rxbackup.demo import load_demo

        try:
            load_demo(databases.source_url, scale=1, system_url=databases.system_url)
        except Refused as error:
            _logger.info("No demo data: %s", error.message)
