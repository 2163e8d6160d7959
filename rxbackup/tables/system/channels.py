"""Who hears of what happens."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, SystemTable, by_default, now


class Channel(SystemTable, table=True):
    """A way to tell people: an address, a hook, a service, a heartbeat. `secrets` are sealed under the key."""

    __tablename__ = "channels"
    __table_args__ = (CheckConstraint("kind IN ('email', 'webhook', 'apprise', 'heartbeat')", name="kind"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    name: str = Field(sa_type=String(255), unique=True)
    kind: str = Field(sa_type=Text)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    secrets: bytes | None = None
    events: list[str] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs=by_default("'[]'"))
    active: bool = Field(default=True, sa_column_kwargs=by_default("true"))
    created_by: str = Field(sa_type=String(255))
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    last_sent_at: datetime | None = None
    last_problem: str | None = Field(default=None, sa_type=Text)


class Message(SystemTable, table=True):
    """The outbox: what is to be said on a channel, tried until it is said or given up.

    `once` names the happening; a channel hears of it once.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sent', 'given up')", name="state"),
        UniqueConstraint("channel_id", "once", name="uq_messages_channel_id"),
        Index("ix_messages_next_try_at", "next_try_at", postgresql_where=text("state = 'waiting'")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    channel_id: UUID = Field(foreign_key="rxbackup.channels.id", ondelete="CASCADE")
    event: str = Field(sa_type=Text)
    once: str | None = Field(default=None, sa_type=Text)
    subject: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    html: str = Field(default="", sa_type=Text, sa_column_kwargs=by_default("''"))
    state: str = Field(default="waiting", sa_type=Text, sa_column_kwargs=by_default("'waiting'"))
    attempts: int = Field(default=0, sa_column_kwargs=by_default("0"))
    next_try_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    sent_at: datetime | None = None
    problem: str | None = Field(default=None, sa_type=Text)
