"""From a recipe to an open store: one visible table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rxbackup.errors import UsageError
from rxbackup.stores.base import Store, StoreRecipe
from rxbackup.stores.local import LocalStore
from rxbackup.stores.memory import MemoryStore


def open_store(recipe: StoreRecipe) -> Store:
    """Open the store that the recipe describes; nothing is created.

    Raises:
        UsageError: the kind is unknown or a setting is missing.
    """
    return _opener(recipe)(recipe)


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


KINDS: Mapping[str, Callable[[StoreRecipe], Store]] = {
    "database": _open_database,
    "local": lambda recipe: LocalStore(_setting(recipe, "path")),
    "memory": lambda recipe: MemoryStore(recipe.settings.get("label")),
}
