"""Where backups rest, and which stored chunk is needed by which backup."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, SystemTable, by_default, now

_STORE_NAME = String(63)


class Store(SystemTable, table=True):
    """A place where a vault's objects rest. `secrets` are sealed under the key; nothing reads them back to a person."""

    __tablename__ = "stores"
    __table_args__ = (CheckConstraint("kind IN ('database', 'local', 's3')", name="kind"),)

    name: str = Field(sa_type=_STORE_NAME, primary_key=True)
    kind: str = Field(sa_type=Text)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    secrets: bytes | None = None
    vault_id: UUID | None = None
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    created_by: str = Field(sa_type=String(255))
    probe: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    probed_at: datetime | None = None


class StoreObject(SystemTable, table=True):
    """One object of the `database` store: sealed bytes. Kept out of line and not compressed again."""

    __tablename__ = "objects"

    name: str = Field(sa_type=Text(collation="C"), primary_key=True)
    content: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)


class Chunk(SystemTable, table=True):
    """A chunk that a store holds. While it is a tombstone, deduplication does not see it.

    Its bytes go once none of the backups and copies that ran when it was retired (`retired_beside`) runs any more.
    """

    __tablename__ = "chunks"
    __table_args__ = (
        CheckConstraint("state IN ('live', 'tombstone')", name="state"),
        Index("ix_chunks_retired_at", "store", "retired_at", postgresql_where=text("state = 'tombstone'")),
    )

    store: str = Field(foreign_key="rxbackup.stores.name", sa_type=_STORE_NAME, primary_key=True)
    id: bytes = Field(primary_key=True)
    generation: int = Field(default=0, sa_column_kwargs=by_default("0"))
    plain_bytes: int | None = Field(default=None, sa_type=BigInteger)
    stored_bytes: int = Field(sa_type=BigInteger)
    codec: str | None = Field(default=None, sa_type=Text)
    anchor: bytes | None = None
    # Only where the store is `database`: then PostgreSQL itself refuses to delete an object that a chunk needs.
    object_name: str | None = Field(
        default=None,
        foreign_key="rxbackup.objects.name",
        sa_type=Text(collation="C"),
        index=True,
        ondelete="RESTRICT",
    )
    state: str = Field(default="live", sa_type=Text, sa_column_kwargs=by_default("'live'"))
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    retired_at: datetime | None = None
    retired_beside: list[UUID] = Field(default_factory=list, sa_type=ARRAY(Uuid), sa_column_kwargs=by_default("'{}'"))


class BackupChunk(SystemTable, table=True):
    """A chunk that a backup needs. While this row is there, the chunk cannot go."""

    __tablename__ = "backup_chunks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["store", "chunk_id"], ["rxbackup.chunks.store", "rxbackup.chunks.id"], ondelete="RESTRICT"
        ),
        Index(None, "store", "chunk_id"),
    )

    backup_id: UUID = Field(foreign_key="rxbackup.backups.id", primary_key=True, ondelete="CASCADE")
    store: str = Field(sa_type=_STORE_NAME, primary_key=True)
    chunk_id: bytes = Field(primary_key=True)


class BackupCopy(SystemTable, table=True):
    """A backup's copy in a further store."""

    __tablename__ = "copies"
    __table_args__ = (
        UniqueConstraint("backup_id", "store"),
        CheckConstraint("state IN ('pending', 'running', 'complete', 'failed', 'deleting')", name="state"),
        CheckConstraint("verified_level IN ('stored', 'readable', 'decrypted', 'restored')", name="verified_level"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True, sa_column_kwargs=BY_DEFAULT_UUID)
    backup_id: UUID = Field(foreign_key="rxbackup.backups.id", ondelete="CASCADE")
    store: str = Field(foreign_key="rxbackup.stores.name", sa_type=_STORE_NAME, index=True)
    state: str = Field(default="pending", sa_type=Text, sa_column_kwargs=by_default("'pending'"))
    error: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    stored_bytes: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    finished_at: datetime | None = None
    job_id: UUID | None = None
    verified_level: str | None = Field(default=None, sa_type=Text)
    verified_at: datetime | None = None
