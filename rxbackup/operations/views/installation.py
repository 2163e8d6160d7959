"""The values that tell about an installation, its files and its people; doors take them from `views`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class DownloadLink:
    """A link that works once, for the session that asked."""

    path: str
    expires_at: datetime
    file_name: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file to stream; `content` is made while it is read."""

    file_name: str
    media_type: str
    content: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class GroupCount:
    """How many rows a group holds now; `estimated` is True where PostgreSQL's statistics were used for a table."""

    name: str
    tables: tuple[str, ...]
    rows: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class KeyView:
    """What the key check found; `key_id` names the key, it is no secret."""

    key_id: str
    source: str
    vaults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a health check."""

    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether this instance can do its work, and why not."""

    ok: bool
    checks: Mapping[str, Check] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of `doctor`; `hint` is empty where all is well."""

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account."""

    email: str
    role: str
    active: bool
    created_at: datetime
    last_sign_in_at: datetime | None
