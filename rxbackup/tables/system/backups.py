"""The catalogue of backups. The rows that were backed up are never here: they rest sealed in chunks."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, SystemTable, by_default, now


class Backup(SystemTable, table=True):
    """One backup: begun, complete, or what became of it.

    `origin` is null where the backup was taken here; else how it came: `kind` (archive, json or rebuild), `foreign`
    (another key signed it), `signer` (a vault's id, or null) and `file` (the name it had). What is in the trash is
    whole until `trash_until`.
    """

    __tablename__ = "backups"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'complete', 'failed', 'interrupted', 'deleting')", name="state"),
        CheckConstraint("trigger IN ('manual', 'schedule', 'safety', 'import')", name="trigger"),
        CheckConstraint("verified_level IN ('stored', 'readable', 'decrypted', 'restored')", name="verified_level"),
        # What is complete can be read: it has a manifest.
        CheckConstraint("state <> 'complete' OR backup_data IS NOT NULL", name="complete_has_manifest"),
        CheckConstraint("(trashed_at IS NULL) = (trash_until IS NULL)", name="trash"),
        Index(None, "metadata", postgresql_using="gin"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    name: str = Field(sa_type=String(255))
    description: str | None = Field(default=None, sa_type=Text)
    timestamp: datetime = Field(default_factory=now, index=True, sa_column_kwargs=BY_DEFAULT_NOW)
    version: str = Field(default="1.0.0", sa_type=String(50), sa_column_kwargs=by_default("'1.0.0'"))
    metadata_: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column("metadata", JSONB, nullable=False, **by_default("'{}'"))
    )
    backup_data: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    created_by: str = Field(sa_type=String(255), index=True)
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)

    state: str = Field(default="running", sa_type=Text, index=True, sa_column_kwargs=by_default("'running'"))
    error: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    finished_at: datetime | None = None
    rows: int | None = Field(default=None, sa_type=BigInteger)
    tables: int | None = None
    raw_bytes: int | None = Field(default=None, sa_type=BigInteger)
    stored_bytes: int | None = Field(default=None, sa_type=BigInteger)
    segments_total: int | None = None
    segments_read: int | None = None
    seconds: float | None = Field(default=None, sa_type=Double)
    pinned: bool = Field(default=False, sa_column_kwargs=by_default("false"))
    expires_at: datetime | None = Field(default=None, index=True)
    verified_level: str | None = Field(default=None, sa_type=Text)
    verified_at: datetime | None = None
    schedule_id: UUID | None = Field(default=None, foreign_key="rxbackup.schedules.id", index=True, ondelete="SET NULL")
    store: str = Field(foreign_key="rxbackup.stores.name", sa_type=String(63), index=True)
    base_id: UUID | None = Field(default=None, foreign_key="rxbackup.backups.id", index=True, ondelete="SET NULL")
    trigger: str = Field(default="manual", sa_type=Text, sa_column_kwargs=by_default("'manual'"))
    job_id: UUID | None = Field(default=None, index=True)
    origin: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    trashed_at: datetime | None = None
    trashed_by: str | None = Field(default=None, sa_type=String(255))
    trash_until: datetime | None = Field(default=None, index=True)
