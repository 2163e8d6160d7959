"""Who may sign in, and who is signed in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Text
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, SystemTable, by_default, now


class Account(SystemTable, table=True):
    """Somebody who may sign in. The email is the identity, everywhere."""

    __tablename__ = "accounts"
    __table_args__ = (
        # An actor named `system` is the app itself; no account can take that name.
        CheckConstraint("email = lower(email) AND position('@' in email) > 1", name="email"),
        CheckConstraint("role IN ('admin', 'operator', 'viewer')", name="role"),
        CheckConstraint("failed_attempts >= 0", name="failed_attempts"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    email: str = Field(sa_type=Text, unique=True)
    password_hash: str = Field(sa_type=Text)
    role: str = Field(default="admin", sa_type=Text, sa_column_kwargs=by_default("'admin'"))
    active: bool = Field(default=True, sa_column_kwargs=by_default("true"))
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    last_sign_in_at: datetime | None = None
    failed_attempts: int = Field(default=0, sa_column_kwargs=by_default("0"))
    locked_until: datetime | None = None


class UserSession(SystemTable, table=True):
    """A browser that is signed in. The cookie itself is not here, only its hash."""

    __tablename__ = "sessions"
    __table_args__ = (
        ForeignKeyConstraint(["email"], ["rxbackup.accounts.email"], ondelete="CASCADE", onupdate="CASCADE"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    token_hash: bytes = Field(unique=True)
    email: str = Field(sa_type=Text, index=True)
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    last_seen_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    expires_at: datetime = Field(index=True)
    ip: str | None = Field(default=None, sa_type=Text)
    user_agent: str | None = Field(default=None, sa_type=Text)
    revoked_at: datetime | None = None
