"""The marker object `vault.json`: it says that a store holds a vault, and keeps the vault's keys, wrapped.

The marker of an archive may have a slot more, which a passphrase opens.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson

from rxbackup.errors import Corrupt, WrongKey
from rxbackup.vault.keyring import KEY_BYTES, Keyring
from rxbackup.vault.passphrase import PassphraseRule
from rxbackup.vault.sealing import VaultKeys
from rxbackup.vault.strict_json import decode, encode

MARKER = "vault.json"
FORMAT = "rxbackup-vault/1"

_MOST_PASSPHRASES = 4
"""More are not tried: each costs half a second."""

_HINT = "Put the vault's own marker back from a copy of the store. Nothing was initialised and nothing deleted."


@dataclass(frozen=True, slots=True)
class _DataKey:
    key_id: str
    wrapped: str


@dataclass(frozen=True, slots=True)
class _Slot:
    """The vault's keys, wrapped by one key-encryption key. The last data key is the current one.

    `passphrase` says how that key comes from a passphrase; None for a key of its own.
    """

    key_id: str
    data_keys: list[_DataKey]
    id_key: str
    passphrase: PassphraseRule | None = None


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
    return _written(marker)


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


def key_ids_of(content: bytes) -> tuple[str, ...]:
    """The ids of the keys that open it, passphrases not counted. Raises `Corrupt`."""
    return tuple(slot.key_id for slot in _read(content).slots if slot.passphrase is None)


def with_slot(content: bytes, keys: VaultKeys, keyring: Keyring, *, rule: PassphraseRule | None = None) -> bytes:
    """The marker with one slot more, which this key opens.

    Args:
        content: a marker of the same vault.
        keys: the vault's, opened.
        keyring: the key that shall open the new slot; an older slot of it is replaced.
        rule: how that key comes from a passphrase.
    """
    marker = _read(content)
    identity = UUID(marker.vault_id)
    if identity.bytes != keys.vault_id:
        raise Corrupt("These are not the keys of this vault.", hint=_HINT)
    # The current key is the last one of the list.
    ordered = sorted(keys.data_keys.items(), key=lambda pair: pair[0] == keys.current)
    data_keys = [
        _DataKey(key_id.hex(), _wrapped(keyring, identity, f"data key {key_id.hex()}", secret))
        for key_id, secret in ordered
    ]
    slot = _Slot(keyring.key_id, data_keys, _wrapped(keyring, identity, "id key", keys.id_key), rule)
    others = [each for each in marker.slots if each.key_id != keyring.key_id]
    return _written(_Marker(marker.format, marker.vault_id, marker.created_at, [*others, slot]))


def open_by_passphrase(content: bytes, passphrase: str) -> VaultKeys:
    """The keys of the vault in an archive.

    Raises:
        WrongKey: the passphrase opens none of its slots, or it has none for passphrases.
        Corrupt: the marker is damaged.
    """
    slots = [slot for slot in _read(content).slots if slot.passphrase is not None][:_MOST_PASSPHRASES]
    if not slots:
        raise WrongKey(
            "This file has no passphrase.", hint="Open it with the key of the installation that it came from."
        )
    for slot in slots:
        assert slot.passphrase is not None  # noqa: S101 - chosen so just now
        keyring = slot.passphrase.keyring(passphrase)
        if keyring.key_id == slot.key_id:
            return open_marker(content, keyring)
    raise WrongKey("The passphrase is not the one of this file.", hint="Type it again.")


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


def _written(marker: _Marker) -> bytes:
    # What is not there is left out, so that releases which do not know it read the others.
    document: dict[str, Any] = encode(marker)
    for slot in document["slots"]:
        if slot["passphrase"] is None:
            del slot["passphrase"]
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


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
