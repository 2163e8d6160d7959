"""What happened. A trigger refuses every change to what is written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, SystemTable, by_default, now


class AuditEntry(SystemTable, table=True):
    """One thing that happened, chained to the one before by its hash."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "object_type", "object_id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    at: datetime = Field(default_factory=now, index=True, sa_column_kwargs=BY_DEFAULT_NOW)
    actor: str = Field(sa_type=Text, index=True)
    action: str = Field(sa_type=Text)
    object_type: str | None = Field(default=None, sa_type=Text)
    object_id: str | None = Field(default=None, sa_type=Text)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    previous_hash: bytes | None = None
    hash: bytes
