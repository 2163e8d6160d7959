"""The key and the vaults."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from sqlmodel import col, select, update

from rxbackup.errors import KeyMissing, KeyTrouble, NotFound, Refused, VaultMarkerMissing
from rxbackup.settings import Settings
from rxbackup.stores.base import StoreRecipe
from rxbackup.stores.opening import create_store, open_store
from rxbackup.tables.session import SystemDatabase
from rxbackup.tables.system import Store, StoreObject
from rxbackup.vault.keyring import create_key_file, load_keyring
from rxbackup.vault.vault import Vault

_MARKER = "vault.json"

_KEY_MADE = """\
A new encryption key was made: {path}
Copy that file to a safe place now, away from this machine. Without it nobody can read the backups, not even we.\
"""


class VaultShelf:
    """The vaults of this process, each opened when it is first asked for."""

    def __init__(self, settings: Settings, system: SystemDatabase, system_url: str) -> None:
        self._settings = settings
        self._system = system
        self._system_url = system_url
        self._lock = threading.Lock()
        self._vaults: dict[str, Vault] = {}

    def open(self, name: str) -> Vault:
        """The vault of a store. The first time ever, an empty store becomes one.

        Raises:
            NotFound: there is no store of that name.
            KeyTrouble: the key is missing, damaged or the wrong one.
            VaultMarkerMissing: where the vault was there is nothing, or another one.
            StoreTrouble: the store cannot be reached.
        """
        with self._lock:
            vault = self._vaults.get(name)
            if vault is None:
                vault = self._vaults[name] = self._open(name)
            return vault

    def close(self) -> None:
        """Let go of all of them."""
        with self._lock:
            for vault in self._vaults.values():
                vault.close()
            self._vaults.clear()

    def _open(self, name: str) -> Vault:
        keyring = load_keyring(self._settings)
        with self._system.session("system") as session:
            row = session.get(Store, name)
        if row is None:
            raise NotFound(f"There is no store named {name!r}.", hint="Use `database` or `local`.")
        recipe = StoreRecipe(row.kind, row.settings, system_url=self._system_url)
        if row.vault_id is None:
            vault = Vault.open_or_create(create_store(recipe), keyring)
            self._remember(name, vault)
            return vault
        # A vault was here: an empty folder in its place is a missing mount, not a new beginning.
        vault = Vault.open(open_store(recipe), keyring)
        if vault.id != str(row.vault_id):
            raise VaultMarkerMissing(f"The store {name} holds another vault than it did before.")
        return vault

    def _remember(self, name: str, vault: Vault) -> None:
        with self._system.session("system") as session:
            session.exec(
                update(Store)
                .where(col(Store.name) == name, col(Store.vault_id).is_(None))
                .values(vault_id=UUID(vault.id))
            )


def provide_stores(system: SystemDatabase, local_folder: Path) -> None:
    """See that the stores every installation has are known: the database, and a folder beside it."""
    wanted = {"database": ("database", {}), "local": ("local", {"path": str(local_folder)})}
    with system.session("system") as session:
        known = set(session.exec(select(Store.name)))
        for name, (kind, facts) in wanted.items():
            if name not in known:
                session.merge(Store(name=name, kind=kind, settings=facts, created_by="system"))


def provide_key(settings: Settings, system: SystemDatabase, tell: Callable[[str], object]) -> None:
    """Make a key file where there is no key and no vault either.

    Where there is a vault, a missing key stays missing: a new one would open nothing and hide the loss.
    """
    try:
        load_keyring(settings)
    except KeyMissing:
        if _has_vault(system):
            return
        with suppress(Refused):  # another process made it at this very moment
            create_key_file(settings.key_path)
            tell(_KEY_MADE.format(path=settings.key_path))
    except KeyTrouble as error:
        # Lists, sign-in and `doctor` work without a key; opening a vault says it again.
        tell(f"Warning: {error.message} {error.hint}")


def _has_vault(system: SystemDatabase) -> bool:
    with system.session("system") as session:
        if session.exec(select(StoreObject.name).where(col(StoreObject.name) == _MARKER)).first():
            return True
        stores = session.exec(select(Store)).all()
    return any(
        store.vault_id is not None
        or (store.kind == "local" and (Path(str(store.settings.get("path", ""))) / _MARKER).exists())
        for store in stores
    )
