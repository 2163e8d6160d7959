"""Settings become live objects, only here."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rxbackup.errors import RxbackupError, UsageError
from rxbackup.operations.services import Services
from rxbackup.postgres.embedded import EmbeddedServer
from rxbackup.progress import ProgressSink
from rxbackup.settings import Settings
from rxbackup.tables.session import SystemDatabase
from rxbackup.wiring.databases import Databases, fill_once, find_databases, prepare_databases
from rxbackup.wiring.queue import JobQueue
from rxbackup.wiring.vaults import VaultShelf, provide_key, provide_stores

if TYPE_CHECKING:
    from rxbackup.demo import DemoReport

__all__ = [
    "close",
    "current",
    "keep_database",
    "load_demo_data",
    "migrate_databases",
    "read_settings",
    "services",
    "set_current",
]

_logger = logging.getLogger("rxbackup")
_lock = threading.RLock()
_stack = contextlib.ExitStack()
_current: Services | None = None
_embedded: EmbeddedServer | None = None


def services(settings: Settings | None = None, *, tell: Callable[[str], object] | None = None) -> Services:
    """Build everything: embedded server if no URL is given, migrations, key, vaults (opened when first used).

    Blocking, some seconds on a first start. The result is also `current()`.

    Args:
        settings: what the environment says, if not given.
        tell: hears what a person should know about a first start; the log, if not given.
    """
    global _current, _stack
    with _lock:
        close()
        stack = contextlib.ExitStack()
        with stack:
            built = _build(settings or read_settings(), stack, tell or _logger.warning)
            _stack, _current = stack.pop_all(), built
        return built


def migrate_databases(settings: Settings | None = None, *, tell: Callable[[str], object] | None = None) -> None:
    """Bring rxbackup's own tables up to date, and nothing else. `tell` as in `services`."""
    with contextlib.ExitStack() as stack:
        databases = find_databases(settings or read_settings(), stack)
        prepare_databases(databases, tell or _logger.warning)


def read_settings() -> Settings:
    """The settings of the environment.

    Raises:
        UsageError: a variable holds something that it cannot mean; says which, and never repeats a secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"RXBACKUP_{str(e['loc'][0]).upper()}: {_told(e)}" for e in error.errors(include_input=False)]
        raise UsageError(
            f"The settings cannot be used. {'; '.join(wrong)}.", hint="Correct the environment variable, or unset it."
        ) from None


def _told(error: ErrorDetails) -> str:
    if error["type"] == "too_short":
        return f"{error['ctx']['min_length']} characters at least are needed"
    return error["msg"]


def current() -> Services:
    """The services of this process.

    Raises:
        RuntimeError: neither `services()` nor `set_current()` was called.
    """
    if _current is None:
        raise RuntimeError("wiring.services() was not called in this process")
    return _current


def set_current(value: Services | None) -> None:
    """Let `current()` answer this; tests and launchers use it."""
    global _current  # noqa: PLW0603 - see above
    with _lock:
        _current = value


def close() -> None:
    """Close what `services()` opened, in reverse order. Safe to call twice."""
    global _current, _embedded  # noqa: PLW0603 - see above
    with _lock:
        _current = _embedded = None
        try:
            _stack.close()
        except RxbackupError:
            _logger.warning("Something could not be closed", exc_info=True)


def load_demo_data(value: Services, *, scale: float, on_progress: ProgressSink | None = None) -> DemoReport:
    """Make the bundled application in the protected database and fill it; refused where it would replace anything."""
    from rxbackup.demo import load_demo

    return load_demo(value.source_url, scale=scale, on_progress=on_progress, system_url=value.system_url)


def keep_database() -> None:
    """Start the embedded server again if something killed it. Does nothing where there is none."""
    with _lock:
        if _embedded is not None:
            _embedded.ensure_running()


def _build(settings: Settings, stack: contextlib.ExitStack, tell: Callable[[str], object]) -> Services:
    global _embedded  # noqa: PLW0603 - see above
    databases: Databases = find_databases(settings, stack)
    _embedded = databases.embedded
    prepare_databases(databases, tell)
    system = SystemDatabase(databases.system_url)
    stack.callback(system.dispose)
    if databases.embedded is not None:
        fill_once(databases, system, tell)
    local_folder = settings.data_dir / "store"
    provide_stores(system, local_folder)
    provide_key(settings, system, tell)
    shelf = VaultShelf(settings, system, databases.system_url)
    stack.callback(shelf.close)
    queue = JobQueue(databases.system_url)
    stack.callback(queue.close)
    return Services(
        settings=settings,
        system=system,
        system_url=databases.system_url,
        source_url=databases.source_url,
        clock=lambda: datetime.now(UTC),
        open_vault=shelf.open,
        queue=queue.put,
        local_folder=local_folder,
        processes=settings.processes or os.cpu_count() or 1,
        embedded=databases.embedded is not None,
    )
