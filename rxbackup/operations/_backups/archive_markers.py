"""The `vault.json` of an archive with a passphrase, between asking for its link and opening it.

The passphrase is used when the link is asked for and kept nowhere. What is kept is what the archive will carry anyway,
wrapped by the installation's key, for as long as the link lives.
"""

from __future__ import annotations

import base64
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, delete, select

from rxbackup.operations.services import Services
from rxbackup.tables.system import Setting
from rxbackup.vault.keyring import load_keyring
from rxbackup.vault.marker import vault_id_of

_PREFIX = "archive marker "
_PURPOSE = "archive marker"


def keep_marker(services: Services, token_hash: bytes, marker: bytes, expires_at: datetime) -> None:
    """Keep the marker for a link; those whose links are over are forgotten."""
    identity = UUID(vault_id_of(marker))
    wrapped = load_keyring(services.settings).wrap(marker, vault_id=identity.bytes, purpose=_PURPOSE)
    value = {
        "vault": str(identity),
        "wrapped": base64.b64encode(wrapped).decode(),
        "expires_at": expires_at.isoformat(),
    }
    with services.system.session("system") as session:
        session.connection().execute(
            text("DELETE FROM rxbackup.settings WHERE starts_with(key, :prefix) AND value ->> 'expires_at' < :now"),
            {"prefix": _PREFIX, "now": services.clock().isoformat()},
        )
        session.add(Setting(key=_PREFIX + token_hash.hex(), value=value, updated_by="system"))


def take_marker(services: Services, token_hash: bytes) -> bytes | None:
    """The marker that was kept for a link, once; None if the archive was wanted without a passphrase."""
    key = _PREFIX + token_hash.hex()
    with services.system.session("system") as session:
        value = session.exec(select(Setting.value).where(col(Setting.key) == key)).first()
        session.exec(delete(Setting).where(col(Setting.key) == key))
    if value is None:
        return None
    return load_keyring(services.settings).unwrap(
        base64.b64decode(value["wrapped"]), vault_id=UUID(value["vault"]).bytes, purpose=_PURPOSE
    )
