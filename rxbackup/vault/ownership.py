"""The object `owner.json`: which installation keeps the catalogue of a vault, and may therefore delete in it.

Two installations that shared a store would each take the other's chunks for rubbish. Vaults from before this object
was written have none: whoever uses them first owns them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson

from rxbackup.errors import Corrupt, ObjectNotFound, Refused
from rxbackup.stores.base import Store
from rxbackup.vault.strict_json import decode, encode

OWNER = "owner.json"
FORMAT = "rxbackup-owner/1"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who keeps the catalogue.

    Attributes:
        installation: its uuid.
        since: when it began to, ISO 8601 with zone.
        store: what it calls the store; empty if it did not say.
    """

    format: str
    installation: str
    since: str
    store: str = ""


def read_owner(store: Store) -> Owner | None:
    """The owner, or None if nobody has said so. Raises `Corrupt` if the object is no such thing."""
    try:
        content = store.get(OWNER)
    except ObjectNotFound:
        return None
    try:
        owner = decode(Owner, orjson.loads(content), ignore_unknown=True)
        if owner.format != FORMAT or str(UUID(owner.installation)) != owner.installation:
            raise ValueError(owner.format)  # noqa: TRY301 - one complaint for all
    except ValueError as error:
        hint = "If no other installation uses this store, `rxbackup store rebuild` makes it yours again."
        raise Corrupt(f"The object {OWNER} in the {store.describe()} is damaged.", hint=hint) from error
    return owner


def refuse_other_owner(store: Store, installation: UUID) -> Owner | None:
    """The owner, if it is this installation or nobody.

    Raises:
        Refused: another installation keeps the catalogue of this store.
    """
    owner = read_owner(store)
    if owner is not None and owner.installation != str(installation):
        raise Refused(
            f"The {store.describe()} belongs to another installation of rxbackup, since {owner.since[:10]}.",
            hint="Use a place of its own. If the other installation is lost, `rxbackup store rebuild` takes this one "
            "over.",
        )
    return owner


def claim(store: Store, installation: UUID, name: str) -> None:
    """Write down that this installation keeps the catalogue; nothing happens where it says so already.

    Raises:
        Refused: another installation does.
    """
    if refuse_other_owner(store, installation) is not None:
        return
    # Of two that come at once one is first, and the other reads so.
    if not store.put(OWNER, _document(installation, name), if_absent=True):
        refuse_other_owner(store, installation)


def take_over(store: Store, installation: UUID, name: str) -> None:
    """Write down that this installation keeps the catalogue from now on, whoever did before."""
    try:
        owner = read_owner(store)
    except Corrupt:
        owner = None
    if owner is None or (owner.installation, owner.store) != (str(installation), name):
        store.put(OWNER, _document(installation, name))


def _document(installation: UUID, name: str) -> bytes:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return orjson.dumps(encode(Owner(FORMAT, str(installation), since, name)), option=orjson.OPT_INDENT_2)
