"""The marker object `vault.json`: it says that a store holds a vault, and keeps the vault's keys, wrapped."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson

from rxbackup.errors import Corrupt, WrongKey
from rxbackup.vault.keyring import KEY_BYTES, Keyring
from rxbackup.vault.sealing import VaultKeys
from rxbackup.vault.strict_json import decode, encode

MARKER = "vault.json"
FORMAT = "rxbackup-vault/1"

_HINT = "Put the vault's own marker back from a copy of the store. Nothing was initialised and nothing deleted."


@dataclass(frozen=True, slots=True)
class _DataKey:
    key_id: str
    wrapped: str


@dataclass(frozen=True, slots=True)
class _Slot:
    """The vault's keys, wrapped by one key-encryption key. The last data key is the current one."""

    key_id: str
    data_keys: list[_DataKey]
    id_key: str


@dataclass(frozen=True, slots=True)
class _Marker:
    format: str
    vault_id: str
    created_at: str
    slots: list[_Slot]


def new_marker(keyring: Keyring) -> bytes:
    """The marker of a new vault, with fresh keys wrapped by the keyring."""
    identity = uuid4()
    data_key_id = secrets.token_bytes(8)
    data_key = _wrapped(keyring, identity, f"data key {data_key_id.hex()}", secrets.token_bytes(KEY_BYTES))
    id_key = _wrapped(keyring, identity, "id key", secrets.token_bytes(KEY_BYTES))
    slot = _Slot(keyring.key_id, [_DataKey(data_key_id.hex(), data_key)], id_key)
    marker = _Marker(FORMAT, str(identity), datetime.now(UTC).isoformat(timespec="seconds"), [slot])
    return orjson.dumps(encode(marker), option=orjson.OPT_INDENT_2)


def open_marker(content: bytes, keyring: Keyring) -> VaultKeys:
    """The vault's keys.

    Raises:
        WrongKey: the vault has no slot for this key.
        Corrupt: the marker is damaged, or of a later format.
    """
    marker = _read(content)
    identity = UUID(marker.vault_id)
    slots = [slot for slot in marker.slots if slot.key_id == keyring.key_id]
    if not slots:
        others = ", ".join(slot.key_id for slot in marker.slots)
        raise WrongKey(f"This vault opens with the key {others}; the key from {keyring.origin} is {keyring.key_id}.")
    slot = slots[0]
    try:
        data_keys = {
            bytes.fromhex(each.key_id): _unwrapped(keyring, identity, f"data key {each.key_id}", each.wrapped)
            for each in slot.data_keys
        }
        id_key = _unwrapped(keyring, identity, "id key", slot.id_key)
        return VaultKeys(identity.bytes, data_keys, bytes.fromhex(slot.data_keys[-1].key_id), id_key)
    except (WrongKey, ValueError, IndexError) as error:
        # The slot carries this key's id, so it is not the key that is wrong.
        raise Corrupt("The vault's marker vault.json was changed: its keys do not open.", hint=_HINT) from error


def vault_id_of(content: bytes) -> str:
    """The vault's uuid, as its marker says. Raises `Corrupt`."""
    return _read(content).vault_id


def _read(content: bytes) -> _Marker:
    try:
        document = orjson.loads(content)
        said = document.get("format") if isinstance(document, dict) else None
        if isinstance(said, str) and said != FORMAT and said.startswith("rxbackup-vault/"):
            raise Corrupt(
                f"The vault is of format {said}; this version of rxbackup reads {FORMAT}.",
                hint="Install the newer version of rxbackup that made this vault.",
            )
        marker = decode(_Marker, document)
        if marker.format != FORMAT or str(UUID(marker.vault_id)) != marker.vault_id:
            raise ValueError("not a marker")  # noqa: TRY301 - one complaint for all
    except ValueError as error:
        raise Corrupt("The vault's marker vault.json is damaged.", hint=_HINT) from error
    return marker


def _wrapped(keyring: Keyring, identity: UUID, purpose: str, secret: bytes) -> str:
    return base64.b64encode(keyring.wrap(secret, vault_id=identity.bytes, purpose=purpose)).decode()


def _unwrapped(keyring: Keyring, identity: UUID, purpose: str, wrapped: str) -> bytes:
    try:
        secret = keyring.unwrap(base64.b64decode(wrapped, validate=True), vault_id=identity.bytes, purpose=purpose)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if len(secret) != KEY_BYTES:
        raise ValueError(purpose)
    return secret
