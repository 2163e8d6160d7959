"""The key that opens the vaults."""

from __future__ import annotations

from sqlmodel import col, select

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations._backups.taking import vault_of_its_own
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import KeyView
from rxbackup.tables.system import Store
from rxbackup.vault.keyring import load_keyring

__all__ = ["KeyView", "check_key"]


@requires(Permission.ADMINISTER)
def check_key(services: Services, actor: Actor) -> KeyView:
    """Load the key and open every vault with it.

    Raises:
        KeyTrouble: it is missing, damaged, exposed or the wrong one.
    """
    keyring = load_keyring(services.settings)
    with services.system.session(actor.identity) as session:
        names = session.exec(select(Store.name).where(col(Store.vault_id).is_not(None)).order_by(col(Store.name))).all()
    for name in names:
        with vault_of_its_own(services, name):
            pass
    return KeyView(keyring.key_id, keyring.origin, tuple(names))
