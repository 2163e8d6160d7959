"""Small things that an installation remembers about itself; any number of instances may write them at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from rxbackup.tables.system import Setting


def recall(session: Session, key: str) -> Any:
    """What was remembered; None if nothing was."""
    return session.exec(select(Setting.value).where(col(Setting.key) == key)).first()


def remember(session: Session, key: str, value: Any, *, at: datetime, by: str) -> None:
    """Remember a plain value in the caller's transaction, in place of what was remembered before."""
    values = {"value": value, "updated_at": at, "updated_by": by}
    statement = insert(Setting).values(key=key, **values)
    session.connection().execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
