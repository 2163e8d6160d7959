"""Who hears of what happens."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, SystemTable, by_default, now


class Channel(SystemTable, table=True):
    """A way to tell people: an address, a hook, the inbox. `secrets` are sealed under the key."""

    __tablename__ = "channels"
    __table_args__ = (CheckConstraint("kind IN ('inbox', 'email', 'webhook', 'apprise')", name="kind"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    name: str = Field(sa_type=String(255), unique=True)
    kind: str = Field(sa_type=Text)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    secrets: bytes | None = None
    events: list[str] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs=by_default("'[]'"))
    active: bool = Field(default=True, sa_column_kwargs=by_default("true"))
    created_by: str = Field(sa_type=String(255))
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
