"""A key made of a passphrase, for archives that leave the installation. The cost is bounded when reading.

scrypt, because the standard library has it: whoever reads `docs/vault-format.md` can open an archive with nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass

from rxbackup.errors import Corrupt, UsageError
from rxbackup.vault.keyring import KEY_BYTES, Keyring

SHORTEST_PASSPHRASE = 12
LONGEST_PASSPHRASE = 1024
_SALT_BYTES = 16
_MOST_MEMORY = 128 * 1024 * 1024
_MOST_LANES = 4
_KDF = "scrypt"


@dataclass(frozen=True, slots=True)
class PassphraseRule:
    """How a key comes from a passphrase: part of a slot in the marker.

    Attributes:
        kdf: scrypt.
        salt: base64 of 16 bytes.
        n, r, p: scrypt's cost: memory is 128 * n * r bytes.
    """

    kdf: str
    salt: str
    n: int
    r: int
    p: int

    @classmethod
    def new(cls) -> PassphraseRule:
        """A fresh salt, 64 MiB and about half a second."""
        return cls(_KDF, base64.b64encode(secrets.token_bytes(_SALT_BYTES)).decode(), n=1 << 16, r=8, p=2)

    def keyring(self, passphrase: str) -> Keyring:
        """The key of this passphrase.

        Raises:
            Corrupt: the rule asks for something unknown, or for more memory than any archive of ours does.
        """
        salt = self._checked_salt()
        text = unicodedata.normalize("NFC", passphrase).encode()
        secret = hashlib.scrypt(text, salt=salt, n=self.n, r=self.r, p=self.p, dklen=KEY_BYTES, maxmem=2 * _MOST_MEMORY)
        return Keyring(secret, "the passphrase")

    def _checked_salt(self) -> bytes:
        try:
            salt = base64.b64decode(self.salt, validate=True)
        except (binascii.Error, ValueError):
            salt = b""
        power = self.n > 1 and self.n & (self.n - 1) == 0
        bounded = power and self.r > 0 and 128 * self.n * self.r <= _MOST_MEMORY and 0 < self.p <= _MOST_LANES
        if self.kdf != _KDF or len(salt) != _SALT_BYTES or not bounded:
            raise Corrupt(
                "The file asks for a passphrase in a way that this version of rxbackup does not know.",
                hint="Open it with the key of the installation that it came from.",
            )
        return salt


def check_passphrase(passphrase: str) -> str:
    """A passphrase that may protect a new archive.

    Raises:
        UsageError: it is too short to stand against guessing, or too long.
    """
    if not SHORTEST_PASSPHRASE <= len(passphrase) <= LONGEST_PASSPHRASE:
        raise UsageError(
            f"The passphrase has {len(passphrase)} characters; it needs {SHORTEST_PASSPHRASE} to {LONGEST_PASSPHRASE}.",
            hint="Take several words: who gets the file can try passphrases as long as he likes.",
        )
    try:
        passphrase.encode()
    except UnicodeEncodeError:
        raise UsageError("The passphrase contains half of a character.", hint="Type it again.") from None
    return passphrase
