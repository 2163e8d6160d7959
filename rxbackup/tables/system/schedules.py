"""When backups are taken by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, SystemTable, by_default, now


class Schedule(SystemTable, table=True):
    """A rule for backups: when, of what, where to, and how long they are kept.

    `paused_because` says why a schedule that is not active rests; null where a person paused it without a word.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("full_every > 0", name="full_every"),
        CheckConstraint("jitter_minutes BETWEEN 0 AND 720", name="jitter_minutes"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    name: str = Field(sa_type=String(255), unique=True)
    description: str | None = Field(default=None, sa_type=Text)
    cadence: dict[str, Any] = Field(sa_type=JSONB)
    zone: str = Field(default="UTC", sa_type=Text, sa_column_kwargs=by_default("'UTC'"))
    groups: list[str] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    store: str = Field(foreign_key="rxbackup.stores.name", sa_type=String(63), index=True)
    copy_to: list[str] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs=by_default("'[]'"))
    retention: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    active: bool = Field(default=True, sa_column_kwargs=by_default("true"))
    next_due_at: datetime | None = Field(default=None, index=True)
    last_due_at: datetime | None = None
    created_by: str = Field(sa_type=String(255))
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    updated_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    full_every: int | None = None
    jitter_minutes: int = Field(default=0, sa_column_kwargs=by_default("0"))
    paused_because: str | None = Field(default=None, sa_type=Text)


class Occurrence(SystemTable, table=True):
    """One due time of a schedule. Who inserts it owns the run; it can be inserted only once.

    `message` says why an occurrence was missed or skipped, or how it failed.
    """

    __tablename__ = "occurrences"
    __table_args__ = (
        CheckConstraint("state IN ('claimed', 'queued', 'done', 'failed', 'missed', 'skipped')", name="state"),
    )

    schedule_id: UUID = Field(foreign_key="rxbackup.schedules.id", primary_key=True, ondelete="CASCADE")
    due_at: datetime = Field(primary_key=True)
    claimed_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    claimed_by: str | None = Field(default=None, sa_type=Text)
    job_id: UUID | None = Field(default=None, index=True)
    missed: int = Field(default=0, sa_column_kwargs=by_default("0"))
    state: str = Field(default="claimed", sa_type=Text, sa_column_kwargs=by_default("'claimed'"))
    message: str | None = Field(default=None, sa_type=Text)
