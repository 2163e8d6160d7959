"""From a recipe to an open store: one visible table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rxbackup.errors import UsageError
from rxbackup.stores.base import Store, StoreRecipe
from rxbackup.stores.local import LocalStore
from rxbackup.stores.memory import MemoryStore
from rxbackup.stores.retrying import RetryingStore

# The database store mends its own connection, and a folder has none.
_BEHIND_A_NETWORK = frozenset({"s3"})


def open_store(recipe: StoreRecipe, *, patient: bool = True) -> Store:
    """Open the store that the recipe describes; nothing is created and nothing asked yet.

    Args:
        recipe: which one.
        patient: try again what the network on the way to it may have lost. Not for a probe, which shall see it.

    Raises:
        UsageError: the kind is unknown, or a setting is missing or malformed.
    """
    store = _opener(recipe)(recipe)
    return RetryingStore(store) if patient and recipe.kind in _BEHIND_A_NETWORK else store


def create_store(recipe: StoreRecipe) -> Store:
    """Like `open_store`, but make the place where it may be missing: the folder of a local store."""
    _opener(recipe)
    if recipe.kind == "local":
        return LocalStore.create(_setting(recipe, "path"))
    return open_store(recipe)


def _opener(recipe: StoreRecipe) -> Callable[[StoreRecipe], Store]:
    try:
        return KINDS[recipe.kind]
    except KeyError:
        raise UsageError(f"{recipe.kind!r} is no kind of store; there are: {', '.join(sorted(KINDS))}.") from None


def _setting(recipe: StoreRecipe, key: str) -> str:
    value = recipe.settings.get(key)
    if not value:
        raise UsageError(f"A store of kind {recipe.kind} needs the setting {key!r}.")
    return value


def _open_database(recipe: StoreRecipe) -> Store:
    # Imported here: a program that keeps its backups in a folder need not load a database driver.
    from rxbackup.stores.database import DatabaseStore

    if not recipe.system_url:
        raise UsageError("A store of kind database needs the address of the system database.")
    return DatabaseStore(recipe.system_url, actor=recipe.actor)


def _open_s3(recipe: StoreRecipe) -> Store:
    # Imported here for the same reason.
    from rxbackup.stores.s3 import S3Store

    return S3Store(recipe)


KINDS: Mapping[str, Callable[[StoreRecipe], Store]] = {
    "database": _open_database,
    "local": lambda recipe: LocalStore(_setting(recipe, "path")),
    "memory": lambda recipe: MemoryStore(recipe.settings.get("label")),
    "s3": _open_s3,
}
