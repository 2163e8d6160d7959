"""Who this installation is: a number it gives itself once, by which stores know who keeps their catalogue."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from rxbackup.tables.system import Setting

_KEY = "installation"
_FIRST_VAULT_LOCK = 0x7278_6676


def own_identity(session: Session) -> UUID:
    """The number of this installation; made when it is first asked for. Of two that ask at once both hear the same."""
    found = _read(session)
    if found is None:
        made = {"key": _KEY, "value": {"id": str(uuid4())}, "updated_by": "system"}
        session.connection().execute(insert(Setting).values(made).on_conflict_do_nothing())
        found = _read(session)
    if found is None:
        raise ValueError("the setting `installation` holds no number")
    return found


def take_turns_at_first_vaults(session: Session) -> None:
    """Until the transaction ends nobody else begins a vault: two at once would give one installation two identities."""
    session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _FIRST_VAULT_LOCK})


def _read(session: Session) -> UUID | None:
    value = session.exec(select(Setting.value).where(col(Setting.key) == _KEY)).first()
    return UUID(value["id"]) if isinstance(value, dict) and "id" in value else None
