from __future__ import annotations

import base64

import pytest

from rxbackup.vault.passphrase import PassphraseRule


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second of guessing costs is for attackers, not for tests."""
    salt = base64.b64encode(bytes(range(16))).decode()
    monkeypatch.setattr(PassphraseRule, "new", classmethod(lambda cls: cls("scrypt", salt, 1 << 10, 8, 1)))
