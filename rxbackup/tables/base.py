"""What both families of tables share: how constraints are named, and how columns that recur are written."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar

from sqlalchemy import MetaData, text
from sqlmodel import SQLModel

SCHEMA = "rxbackup"

NAMES = MappingProxyType(
    {
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every constraint has a name that migrations can refer to."""


class SystemTable(SQLModel):
    """A table of rxbackup itself, in schema `rxbackup`."""

    metadata: ClassVar[MetaData] = MetaData(schema=SCHEMA, naming_convention=dict(NAMES))


class ProtectedTable(SQLModel):
    """A table of the bundled application, in schema `public`. Only Alembic and the tests look at these classes."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=dict(NAMES))


def now() -> datetime:
    """This instant, with its zone."""
    return datetime.now(UTC)


def by_default(expression: str) -> dict[str, Any]:
    """Column arguments: what PostgreSQL fills in where an INSERT names no value."""
    return {"server_default": text(expression)}


BY_DEFAULT_NOW = MappingProxyType(by_default("now()"))
BY_DEFAULT_UUID = MappingProxyType(by_default("gen_random_uuid()"))
