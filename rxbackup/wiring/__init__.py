"""Settings become live objects, only here."""

from __future__ import annotations

from rxbackup.operations.services import Services
from rxbackup.settings import Settings


def services(settings: Settings | None = None) -> Services:
    """Build everything: embedded server if no URL is given, migrations, key, vaults (opened when first used).

    Blocking, a few seconds on a first start. Also makes the result `current()`.
    """
    raise NotImplementedError


def current() -> Services:
    """The services of this process; raises RuntimeError before `services()` or `set_current()` was called."""
    raise NotImplementedError


def set_current(value: Services | None) -> None:
    """Let `current()` answer this; tests and launchers use it."""
    raise NotImplementedError


def close() -> None:
    """Close what `services()` opened, in reverse order. Safe to call twice."""
    raise NotImplementedError
