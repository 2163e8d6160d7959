"""The values that tell about rows put elsewhere, and about what follows a restore; doors take them from `views`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NewSideSchema:
    """Rows of a backup that somebody wants to look at beside the protected tables.

    Attributes:
        backup_id: full id of the backup.
        schema: name of the schema to make.
        groups, skip, tables: which tables, as in `NewRestore`.
        hours: how long it stays.
        trust_foreign: whether a backup that another key has signed, or none, is trusted.
        store: read the copy that rests there; None is where the backup was taken.
    """

    backup_id: str
    schema: str
    groups: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    tables: tuple[str, ...] | None = None
    hours: int = 24
    trust_foreign: bool = False
    store: str | None = None


@dataclass(frozen=True, slots=True)
class MadeSideSchema:
    """What was put into a schema of its own.

    Attributes:
        tables: rows, by qualified name in the backup.
        places: the table's name in the schema, by qualified name in the backup.
    """

    job: str
    schema: str
    tables: Mapping[str, int]
    places: Mapping[str, str]
    expires_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class SideSchemaView:
    """A schema that holds rows of a backup.

    Attributes:
        backup_name: None if the backup is no longer there.
        can_drop: whether the role of the installation may drop it.
    """

    name: str
    backup_id: str
    backup_name: str | None
    expires_at: datetime
    tables: int
    bytes: int
    can_drop: bool


@dataclass(frozen=True, slots=True)
class RefreshView:
    """What became of materialized views: `left` are those that could not be refreshed, each with the reason."""

    job: str
    refreshed: tuple[str, ...]
    left: Mapping[str, str]
    seconds: float
