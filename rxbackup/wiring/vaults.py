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
from rxbackup.stores.base import Store as StoreOfObjects
from rxbackup.stores.base import StoreRecipe
from rxbackup.stores.opening import create_store, open_store
from rxbackup.tables.identity import own_identity, take_turns_at_first_vaults
from rxbackup.tables.session import SystemDatabase
from rxbackup.tables.system import Store, StoreObject
from rxbackup.vault.credentials import open_recipe
from rxbackup.vault.keyring import Keyring, create_key_file, load_keyring
from rxbackup.vault.ownership import claim, refuse_other_owner
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
        self._lock = threading.RLock()
        self._vaults: dict[str, Vault] = {}
        self._places: dict[str, object] = {}

    def open(self, name: str) -> Vault:
        """The vault of a store. The first time ever, an empty store becomes one: the same as in the other stores.

        Raises:
            NotFound: there is no store of that name.
            KeyTrouble: the key is missing, damaged or the wrong one.
            VaultMarkerMissing: where the vault was there is nothing, or another one.
            StoreTrouble: the store cannot be reached.
            Refused: it belongs to another installation.
        """
        with self._lock:
            return self._opened(self._row(name))

    def close(self) -> None:
        """Let go of all of them."""
        with self._lock:
            for vault in self._vaults.values():
                vault.close()
            self._vaults.clear()

    def _opened(self, row: Store) -> Vault:
        vault = self._vaults.get(row.name)
        if vault is not None:
            # Another process may have removed the store since, and added another one under the name.
            if self._places.get(row.name) == _place(row) and vault.id == str(row.vault_id):
                return vault
            del self._vaults[row.name]
            vault.close()
        vault = self._open(row)
        self._vaults[row.name], self._places[row.name] = vault, _place(row)
        return vault

    def _open(self, row: Store) -> Vault:
        keyring = load_keyring(self._settings)
        recipe = self._recipe(row, keyring)
        if row.vault_id is None:
            return self._begin(row, create_store(recipe), keyring)
        # A vault was here: an empty folder in its place is a missing mount, not a new beginning.
        vault = Vault.open(open_store(recipe), keyring)
        if vault.id != str(row.vault_id):
            raise VaultMarkerMissing(f"The store {row.name} holds another vault than it did before.")
        return vault

    def _begin(self, row: Store, store: StoreOfObjects, keyring: Keyring) -> Vault:
        """A store's first use: all stores of an installation hold one vault, and none of another installation."""
        with self._system.session("system") as session:
            take_turns_at_first_vaults(session)
            own = own_identity(session)
            refuse_other_owner(store, own)
            others = session.exec(select(Store).where(col(Store.vault_id).is_not(None)).order_by(col(Store.created_at)))
            like = next((self._opened(other) for other in others if other.name != row.name), None)
            vault = Vault.open_or_create(store, keyring, like=like)
            claim(store, own, row.name)
            session.exec(
                update(Store)
                .where(col(Store.name) == row.name, col(Store.vault_id).is_(None))
                .values(vault_id=UUID(vault.id))
            )
            return vault

    def _row(self, name: str) -> Store:
        with self._system.session("system") as session:
            row = session.get(Store, name)
        if row is None:
            raise NotFound(f"There is no store named {name!r}.", hint="`rxbackup store list` shows them all.")
        return row

    def _recipe(self, row: Store, keyring: Keyring) -> StoreRecipe:
        with self._system.session("system") as session:
            own = own_identity(session)
        return open_recipe(
            row.kind,
            row.settings,
            row.secrets,
            store=row.name,
            keyring=keyring,
            installation=own,
            system_url=self._system_url,
        )


def _place(row: Store) -> object:
    return (row.kind, dict(row.settings), row.secrets)


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
