"""Credentials of stores and secrets of channels, sealed under the installation's key: opened only to be used."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import orjson

from rxbackup.errors import KeyTrouble, WrongKey
from rxbackup.stores.base import StoreRecipe
from rxbackup.vault.keyring import Keyring

CREDENTIALS = ("access_key", "secret_key", "session_token")


def seal_credentials(values: Mapping[str, str], keyring: Keyring, *, installation: UUID, store: str) -> bytes | None:
    """What is kept of them; None if there are none. Bound to the installation and to the store's name."""
    return seal_secrets(values, keyring, installation=installation, purpose=_purpose(store))


def seal_secrets(values: Mapping[str, str], keyring: Keyring, *, installation: UUID, purpose: str) -> bytes | None:
    """What is kept of secrets; None if there are none. Bound to the installation and to what they are for."""
    kept = {name: value for name, value in values.items() if value}
    if not kept:
        return None
    return keyring.wrap(orjson.dumps(kept), vault_id=installation.bytes, purpose=purpose)


def open_secrets(sealed: bytes | None, keyring: Keyring, *, installation: UUID, purpose: str) -> dict[str, str]:
    """What `seal_secrets` sealed.

    Raises:
        WrongKey: it was sealed with another key, for another installation or for something else.
    """
    if sealed is None:
        return {}
    opened = keyring.unwrap(bytes(sealed), vault_id=installation.bytes, purpose=purpose)
    return {name: str(value) for name, value in orjson.loads(opened).items()}


def open_recipe(
    kind: str,
    settings: Mapping[str, object],
    sealed: bytes | None,
    *,
    store: str,
    keyring: Keyring,
    installation: UUID,
    system_url: str,
) -> StoreRecipe:
    """How to open a store: its settings, together with the credentials.

    Raises:
        KeyTrouble: the credentials were sealed with another key.
    """
    known = {name: str(value) for name, value in settings.items()}
    try:
        known |= open_secrets(sealed, keyring, installation=installation, purpose=_purpose(store))
    except WrongKey:
        raise KeyTrouble(
            f"The credentials of the store {store} were sealed with another key.",
            hint="Put the right key back. If it is lost, remove the store and add it again.",
        ) from None
    return StoreRecipe(kind, known, system_url=system_url)


def _purpose(store: str) -> str:
    return f"credentials of the store {store}"
