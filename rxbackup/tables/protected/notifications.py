"""What people were told, and how they want to be told."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from sqlalchemy import BigInteger, Column, Enum, Identity, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, ProtectedTable, by_default, now

NOTIFICATION_CHANNEL = Enum("email", "push", "sms", name="notification_channel", metadata=ProtectedTable.metadata)


class Notification(ProtectedTable, table=True):
    """One message to one user."""

    __tablename__ = "notifications"
    __table_args__ = (Index(None, "user_id", "created_at"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    user_id: int = Field(sa_type=BigInteger, foreign_key="users.id", ondelete="CASCADE")
    issue_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="issues.id", index=True, ondelete="SET NULL"
    )
    kind: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    body: str | None = Field(default=None, sa_type=Text)
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    read_at: datetime | None = None
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)


class NotificationPreference(ProtectedTable, table=True):
    """Whether a user wants to hear of an event by a channel."""

    __tablename__ = "notification_preferences"

    user_id: int = Field(sa_type=BigInteger, foreign_key="users.id", primary_key=True, ondelete="CASCADE")
    channel: str = Field(sa_type=NOTIFICATION_CHANNEL, primary_key=True)
    event: str = Field(sa_type=Text, primary_key=True)
    enabled: bool = Field(default=True, sa_column_kwargs=by_default("true"))
    quiet_from: time | None = None
    quiet_until: time | None = None
    updated_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
