"""What an installation remembers about itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, SystemTable, now


class Setting(SystemTable, table=True):
    """One remembered value, such as whether the bundled application lives here."""

    __tablename__ = "settings"

    key: str = Field(sa_type=Text, primary_key=True)
    value: Any = Field(sa_type=JSONB, nullable=False)
    updated_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    updated_by: str = Field(sa_type=Text)


class Watermark(SystemTable, table=True):
    """The token that a backup leaves in the database it protects, after its snapshot."""

    __tablename__ = "watermarks"

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    backup_id: UUID = Field(index=True)
    system_identifier: str = Field(sa_type=Text)
    taken_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
