"""What is broken, and what was done about it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Enum,
    Identity,
    Index,
    Interval,
    Numeric,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, ProtectedTable, by_default, now

ISSUE_SEVERITY = Enum("low", "medium", "high", "critical", name="issue_severity", metadata=ProtectedTable.metadata)
ISSUE_STATE = Enum(
    "open", "in_progress", "waiting", "resolved", "closed", name="issue_state", metadata=ProtectedTable.metadata
)
MAINTENANCE_KIND = Enum(
    "inspection",
    "repair",
    "upgrade",
    "cleaning",
    "calibration",
    name="maintenance_kind",
    metadata=ProtectedTable.metadata,
)


class Issue(ProtectedTable, table=True):
    """Something is wrong with an asset."""

    __tablename__ = "issues"
    __table_args__ = (
        CheckConstraint("resolved_at IS NULL OR resolved_at >= reported_at", name="resolved_after_reported"),
        Index(None, "state", "severity"),
        Index(None, "reported_at"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    asset_id: int = Field(sa_type=BigInteger, foreign_key="assets.id", index=True, ondelete="CASCADE")
    reported_by_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="users.id", index=True, ondelete="SET NULL"
    )
    assigned_to_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="users.id", index=True, ondelete="SET NULL"
    )
    duplicate_of_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="issues.id", index=True, ondelete="SET NULL"
    )
    title: str = Field(sa_type=Text)
    description: str | None = Field(default=None, sa_type=Text)
    severity: str = Field(default="medium", sa_type=ISSUE_SEVERITY, sa_column_kwargs=by_default("'medium'"))
    state: str = Field(default="open", sa_type=ISSUE_STATE, sa_column_kwargs=by_default("'open'"))
    labels: list[str] = Field(default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs=by_default("'{}'"))
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    reported_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    resolved_at: datetime | None = None
    open_for: timedelta | None = Field(
        default=None, sa_column=Column(Interval, Computed("resolved_at - reported_at", persisted=True))
    )
    updated_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)


class MaintenanceRecord(ProtectedTable, table=True):
    """Work that was done on an asset."""

    __tablename__ = "maintenance_records"
    __table_args__ = (CheckConstraint("cost >= 0 AND hours >= 0", name="cost_and_hours"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    asset_id: int = Field(sa_type=BigInteger, foreign_key="assets.id", index=True, ondelete="CASCADE")
    issue_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="issues.id", index=True, ondelete="SET NULL"
    )
    technician_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="users.id", index=True)
    kind: str = Field(sa_type=MAINTENANCE_KIND)
    performed_on: date
    hours: Decimal = Field(default=Decimal(0), sa_type=Numeric(5, 2), sa_column_kwargs=by_default("0"))
    cost: Decimal = Field(default=Decimal(0), sa_type=Numeric(10, 2), sa_column_kwargs=by_default("0"))
    parts: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs=by_default("'[]'"))
    notes: str | None = Field(default=None, sa_type=Text)
    next_due_on: date | None = None
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
