"""What the company owns, and who asked for more of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Enum,
    Identity,
    Index,
    Integer,
    Interval,
    Numeric,
    Sequence,
    SmallInteger,
    String,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB, MACADDR
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, BY_DEFAULT_UUID, ProtectedTable, by_default, now

ASSET_STATUS = Enum(
    "in_stock", "assigned", "in_repair", "retired", "lost", name="asset_status", metadata=ProtectedTable.metadata
)
REQUEST_STATE = Enum(
    "pending", "approved", "rejected", "fulfilled", "cancelled", name="request_state", metadata=ProtectedTable.metadata
)
TAG_SEQUENCE = Sequence("asset_tag_seq", start=1000, metadata=ProtectedTable.metadata)


class AssetCategory(ProtectedTable, table=True):
    """A kind of asset; its id comes from a sequence of the old kind."""

    __tablename__ = "asset_categories"

    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True, autoincrement=True))
    name: str = Field(sa_type=Text, unique=True)
    parent_category_id: int | None = Field(default=None, foreign_key="asset_categories.id", index=True)
    useful_life: timedelta | None = Field(default=None, sa_type=Interval)


class Asset(ProtectedTable, table=True):
    """One thing, with what it is part of and who has it."""

    __tablename__ = "assets"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("parent_asset_id <> id", name="not_its_own_parent"),
        Index(None, "attributes", postgresql_using="gin"),
        Index(None, "tags", postgresql_using="gin"),
        Index(None, "status", "department_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    external_id: UUID = Field(default_factory=uuid4, unique=True, sa_column_kwargs=BY_DEFAULT_UUID)
    asset_tag: str = Field(
        sa_type=Text, unique=True, sa_column_kwargs=by_default("('AT-' || nextval('asset_tag_seq'))")
    )
    name: str = Field(sa_type=Text)
    category_id: int = Field(foreign_key="asset_categories.id", index=True)
    status: str = Field(default="in_stock", sa_type=ASSET_STATUS, sa_column_kwargs=by_default("'in_stock'"))
    manufacturer: str | None = Field(default=None, sa_type=Text)
    model: str | None = Field(default=None, sa_type=Text)
    serial_number: str | None = Field(default=None, sa_type=Text, unique=True)
    mac_address: str | None = Field(default=None, sa_type=MACADDR)
    attributes: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    tags: list[str] = Field(default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs=by_default("'{}'"))
    price: Decimal = Field(sa_type=Numeric(12, 2))
    shipping: Decimal = Field(default=Decimal(0), sa_type=Numeric(8, 2), sa_column_kwargs=by_default("0"))
    total_cost: Decimal | None = Field(
        default=None, sa_column=Column(Numeric(13, 2), Computed("price + shipping", persisted=True))
    )
    currency: str = Field(default="EUR", sa_type=String(3), sa_column_kwargs=by_default("'EUR'"))
    purchased_on: date | None = None
    warranty_until: date | None = None
    parent_asset_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="assets.id", index=True, ondelete="SET NULL"
    )
    assigned_to_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="users.id", index=True, ondelete="SET NULL"
    )
    department_id: int | None = Field(default=None, foreign_key="departments.id", index=True)
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    updated_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)


class AssetEvent(ProtectedTable, table=True):
    """A change of an asset's status, written by a trigger."""

    __tablename__ = "asset_events"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    asset_id: int = Field(sa_type=BigInteger, foreign_key="assets.id", index=True, ondelete="CASCADE")
    at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    old_status: str | None = Field(default=None, sa_type=ASSET_STATUS)
    new_status: str = Field(sa_type=ASSET_STATUS)


class AssetRequest(ProtectedTable, table=True):
    """Somebody needs something."""

    __tablename__ = "asset_requests"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    requester_id: int = Field(sa_type=BigInteger, foreign_key="users.id", index=True)
    approver_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="users.id", index=True)
    category_id: int = Field(foreign_key="asset_categories.id", index=True)
    asset_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="assets.id", index=True, ondelete="SET NULL"
    )
    state: str = Field(default="pending", sa_type=REQUEST_STATE, sa_column_kwargs=by_default("'pending'"))
    quantity: int = Field(default=1, sa_type=SmallInteger, sa_column_kwargs=by_default("1"))
    reason: str | None = Field(default=None, sa_type=Text)
    needed_by: date | None = None
    decided_at: datetime | None = None
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    updated_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
