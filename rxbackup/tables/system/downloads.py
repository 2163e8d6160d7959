"""Links that hand out a backup once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Text
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, SystemTable, now


class DownloadLink(SystemTable, table=True):
    """A link that works once, for the session that asked for it. Only its hash is kept."""

    __tablename__ = "download_links"
    __table_args__ = (CheckConstraint("format IN ('json', 'sql', 'archive')", name="format"),)

    token_hash: bytes = Field(primary_key=True)
    backup_id: UUID = Field(foreign_key="rxbackup.backups.id", index=True, ondelete="CASCADE")
    format: str = Field(sa_type=Text)
    email: str = Field(sa_type=Text)
    session_id: UUID | None = Field(default=None, foreign_key="rxbackup.sessions.id", index=True, ondelete="CASCADE")
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    expires_at: datetime = Field(index=True)
    used_at: datetime | None = None
