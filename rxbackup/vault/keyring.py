"""The key that opens vaults: from the environment or a file, and how it wraps a vault's own keys.

The key-encryption key never touches data. It wraps each vault's data key and id key, so it can be changed
by wrapping them again.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rxbackup.errors import KeyFileDamaged, KeyFileExposed, KeyMissing, KeyTrouble, Refused, WrongKey

KEY_BYTES = 32

_FILE_TEXT = """\
# rxbackup key file. Keep a copy somewhere else, offline.
# With it anybody can read every backup of this installation. Without it nobody can, and nobody can help.
key-id: {key_id}
key: {key}
checksum: {checksum}
"""
_LARGEST_FILE = 4096


class _Hidden(Protocol):
    def get_secret_value(self) -> str: ...


class KeySource(Protocol):
    """The two settings that say where the key is: `rxbackup.settings.Settings` is one."""

    @property
    def key(self) -> _Hidden | None:
        """The key itself."""
        ...

    @property
    def key_path(self) -> Path:
        """The key file."""
        ...


@dataclass(frozen=True, slots=True)
class Keyring:
    """A key-encryption key.

    Attributes:
        secret: its 32 bytes; never printed.
        origin: where it came from, for messages.
    """

    secret: bytes = field(repr=False)
    origin: str = "memory"

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES or len(set(self.secret)) == 1:
            raise KeyFileDamaged(f"The key from {self.origin} is not {KEY_BYTES} random bytes.")

    @classmethod
    def generate(cls) -> Keyring:
        """A new random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def key_id(self) -> str:
        """16 hex digits that name the key and reveal nothing of it."""
        return self._derive(b"rxbackup/1 key id", b"")[:8].hex()

    def wrap(self, secret: bytes, *, vault_id: bytes, purpose: str) -> bytes:
        """Nonce, sealed secret and tag; bound to the vault and to what the secret is for."""
        nonce = os.urandom(12)
        return nonce + self._wrapping(vault_id).encrypt(nonce, secret, self._binding(vault_id, purpose))

    def unwrap(self, wrapped: bytes, *, vault_id: bytes, purpose: str) -> bytes:
        """The secret. Raises `WrongKey` if this key, vault or purpose is not the one it was wrapped with."""
        try:
            return self._wrapping(vault_id).decrypt(wrapped[:12], wrapped[12:], self._binding(vault_id, purpose))
        except (InvalidTag, ValueError):
            raise WrongKey(f"The key {self.key_id} does not open the vault's {purpose}.") from None

    def _wrapping(self, vault_id: bytes) -> AESGCM:
        return AESGCM(self._derive(b"rxbackup/1 wrap", vault_id))

    def _binding(self, vault_id: bytes, purpose: str) -> bytes:
        return b"rxbackup/1 wrap" + vault_id + bytes.fromhex(self.key_id) + purpose.encode("ascii")

    def _derive(self, information: bytes, salt: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt=salt, info=information).derive(self.secret)


def load_keyring(settings: KeySource) -> Keyring:
    """The key of this installation: RXBACKUP_KEY if set, else the key file.

    Raises:
        KeyMissing: there is neither.
        KeyFileDamaged: what is there is not a key.
        KeyFileExposed: other users can read the file.
    """
    if settings.key is not None:
        return parse_key(settings.key.get_secret_value(), origin="RXBACKUP_KEY")
    return read_key_file(settings.key_path)


def parse_key(text: str, *, origin: str) -> Keyring:
    """A key written as 64 hex digits or as base64 of 32 bytes. Raises `KeyFileDamaged`."""
    text = text.strip()
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return Keyring(bytes.fromhex(text), origin)
    try:
        secret = base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise KeyFileDamaged(f"{origin} is neither base64 nor hex of {KEY_BYTES} bytes.")
    return Keyring(secret, origin)


def read_key_file(path: Path) -> Keyring:
    """The key in a file made by `create_key_file`. Raises as `load_keyring`."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyMissing(f"There is no key file at {path}.") from None
    except OSError as error:
        raise KeyTrouble(f"The key file {path} cannot be read: {error.strerror}.") from error
    try:
        _refuse_exposed(path, os.fstat(number))
        content = os.read(number, _LARGEST_FILE)
    finally:
        os.close(number)
    return _parse_file(content, path)


def create_key_file(path: Path) -> Keyring:
    """Make a new key and its file (mode 0600), which must not exist yet.

    Raises:
        Refused: there is a file already. A key file is never overwritten: backups would become unreadable.
    """
    keyring = Keyring(secrets.token_bytes(KEY_BYTES), str(path))
    text = _FILE_TEXT.format(
        key_id=keyring.key_id, key=base64.b64encode(keyring.secret).decode(), checksum=_checksum(keyring.secret)
    )
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(number)
        # link refuses where rename would replace: two first starts at once end with one key.
        os.link(temporary, path)
        _flush_folder(path.parent)
    except FileExistsError:
        raise Refused(
            f"There is a key file at {path} already; it is never overwritten.",
            hint="Use that key. Move the file away yourself only if no backup needs it.",
        ) from None
    except OSError as error:
        raise KeyTrouble(
            f"The key file {path} cannot be written: {error.strerror}.",
            hint="Give the user that runs rxbackup the right to write there, or set RXBACKUP_KEY_FILE or RXBACKUP_KEY.",
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return keyring


def _parse_file(content: bytes, path: Path) -> Keyring:
    fields = dict(re.findall(r"^([a-z-]+):[ \t]*(\S+)[ \t]*\r?$", content.decode("ascii", "replace"), re.MULTILINE))
    if not {"key-id", "key", "checksum"} <= fields.keys():
        raise KeyFileDamaged(f"The file {path} is not a complete key file.")
    keyring = parse_key(fields["key"], origin=str(path))
    if fields["checksum"] != _checksum(keyring.secret) or fields["key-id"] != keyring.key_id:
        raise KeyFileDamaged(f"The key in {path} does not agree with its checksum: the file was changed.")
    return keyring


def _refuse_exposed(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeyFileDamaged(f"{path} is not a file.")
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid not in (0, os.geteuid()):
        raise KeyFileExposed(f"Other users of this machine can read or replace the key file {path}.")


def _checksum(secret: bytes) -> str:
    digest = Hash(SHA256())
    digest.update(b"rxbackup/1 key file" + secret)
    return digest.finalize()[:8].hex()


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
