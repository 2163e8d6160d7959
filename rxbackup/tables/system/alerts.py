"""What is wrong at present, and what was."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, SystemTable, by_default, now


class Alert(SystemTable, table=True):
    """Something that wants a person. `kind` and `about` name it: while it is open it is not raised again."""

    __tablename__ = "alerts"
    __table_args__ = (
        CheckConstraint("severity IN ('notice', 'warning', 'critical')", name="severity"),
        Index("ix_alerts_open", "kind", "about", unique=True, postgresql_where=text("solved_at IS NULL")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    kind: str = Field(sa_type=Text)
    about: str = Field(default="", sa_type=Text, sa_column_kwargs=by_default("''"))
    severity: str = Field(default="warning", sa_type=Text, sa_column_kwargs=by_default("'warning'"))
    message: str = Field(sa_type=Text)
    hint: str = Field(default="", sa_type=Text, sa_column_kwargs=by_default("''"))
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    raised_at: datetime = Field(default_factory=now, index=True, sa_column_kwargs=BY_DEFAULT_NOW)
    reminded_at: datetime | None = None
    solved_at: datetime | None = None
    solved_by: str | None = Field(default=None, sa_type=String(255))


class StoreSize(SystemTable, table=True):
    """How much a store held at the end of a day (UTC)."""

    __tablename__ = "store_sizes"

    store: str = Field(foreign_key="rxbackup.stores.name", sa_type=String(63), primary_key=True, ondelete="CASCADE")
    day: date = Field(primary_key=True)
    stored_bytes: int = Field(sa_type=BigInteger)
    backups: int
    free_bytes: int | None = Field(default=None, sa_type=BigInteger)
