"""Long operations: what was asked, how far it is, what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, SystemTable, by_default, now


class Job(SystemTable, table=True):
    """One run of a long operation. Every change is announced on the channel `rxbackup_jobs`, with the id."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted')", name="state"
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    kind: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    parameters: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    state: str = Field(default="queued", sa_type=Text, index=True, sa_column_kwargs=by_default("'queued'"))
    progress: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    result: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    error: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    queue_id: int | None = Field(default=None, sa_type=BigInteger)
    worker: str | None = Field(default=None, sa_type=Text)
    cancel_requested: bool = Field(default=False, sa_column_kwargs=by_default("false"))
    commit_xid: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(default_factory=now, index=True, sa_column_kwargs=BY_DEFAULT_NOW)
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    finished_at: datetime | None = None
