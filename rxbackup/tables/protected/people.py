"""Who works here. Users belong to departments and departments have heads: two foreign keys that form a circle."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, Enum, ForeignKeyConstraint, Identity, Numeric, String, Text
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlmodel import Field

from rxbackup.tables.base import BY_DEFAULT_NOW, ProtectedTable, by_default, now

USER_ROLE = Enum("admin", "manager", "technician", "employee", name="user_role", metadata=ProtectedTable.metadata)


class Department(ProtectedTable, table=True):
    """A part of the company."""

    __tablename__ = "departments"
    __table_args__ = (ForeignKeyConstraint(["head_user_id"], ["users.id"], ondelete="SET NULL", use_alter=True),)

    id: int | None = Field(default=None, primary_key=True, sa_column_args=[Identity()])
    name: str = Field(sa_type=Text, unique=True)
    code: str = Field(sa_type=String(12), unique=True)
    budget: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 2), sa_column_kwargs=by_default("0"))
    head_user_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    updated_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)


class User(ProtectedTable, table=True):
    """Somebody who works here. An active user with the role admin is an admin of rxbackup, too."""

    __tablename__ = "users"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    email: str = Field(sa_type=Text, unique=True)
    name: str = Field(sa_type=Text)
    role: str = Field(default="employee", sa_type=USER_ROLE, sa_column_kwargs=by_default("'employee'"))
    active: bool = Field(default=True, sa_column_kwargs=by_default("true"))
    department_id: int | None = Field(default=None, foreign_key="departments.id", index=True)
    manager_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="users.id", index=True)
    job_title: str | None = Field(default=None, sa_type=Text)
    phone: str | None = Field(default=None, sa_type=String(40))
    skills: list[str] = Field(default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs=by_default("'{}'"))
    profile: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs=by_default("'{}'"))
    last_login_at: datetime | None = None
    last_login_ip: str | None = Field(default=None, sa_type=INET)
    created_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
    updated_at: datetime = Field(default_factory=now, sa_column_kwargs=BY_DEFAULT_NOW)
