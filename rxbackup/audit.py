"""The trail of what happened: append only, every entry chained to the one before it by its hash.

Removing, changing or reordering an entry breaks the chain behind it, and `verify_chain` names the place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from rxbackup.tables.system import AuditEntry

_CHAIN_LOCK = 0x7278_6261  # "rxba": any number will do that nobody else uses
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    id: int
    at: datetime
    actor: str
    action: str
    object_type: str | None
    object_id: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a look along the chain found; `broken_at` is the id of the first entry that does not fit, if any."""

    entries: int
    broken_at: int | None

    @property
    def ok(self) -> bool:
        """Whether every entry fits."""
        return self.broken_at is None


def append(
    session: Session,
    *,
    actor: str,
    action: str,
    object_type: str | None = None,
    object_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry in the session's transaction. Call it last: the chain is locked until that transaction ends.

    Args:
        session: a transaction whose identity may write the trail.
        actor: the email of who did it.
        action: what was done, as `object.verb` or a word: "backup.created", "refused".
        object_type: the kind of thing it was done to.
        object_id: which one.
        details: small facts; text, whole numbers and truth values only are kept as they are, and never a secret.
    """
    connection = session.connection()
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    at = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    previous = session.exec(select(AuditEntry.hash).order_by(col(AuditEntry.id).desc()).limit(1)).first()
    entry = AuditEntry(
        at=at,
        actor=_clean(actor),
        action=action,
        object_type=object_type,
        object_id=_clean(object_id) if object_id else None,
        details=_plain(details or {}),
        previous_hash=previous,
        hash=b"",
    )
    entry.hash = _hash(entry)
    session.add(entry)
    session.flush()


def read_entries(session: Session, *, limit: int = 50, before: int | None = None) -> tuple[Entry, ...]:
    """The latest entries, newest first; `before` continues below an id."""
    statement = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(limit)
    if before is not None:
        statement = statement.where(col(AuditEntry.id) < before)
    return tuple(
        Entry(row.id or 0, row.at, row.actor, row.action, row.object_type, row.object_id, row.details)
        for row in session.exec(statement)
    )


def verify_chain(session: Session) -> ChainReport:
    """Walk the whole trail and check that every entry's hash fits its content and its predecessor."""
    previous: bytes | None = None
    count = 0
    for row in _walk(session):
        count += 1
        fits = row.previous_hash == previous and row.hash == _hash(row)
        if not fits:
            return ChainReport(count, row.id)
        previous = row.hash
    return ChainReport(count, None)


def _walk(session: Session) -> Iterator[AuditEntry]:
    last = -1
    while True:
        rows = session.exec(
            select(AuditEntry).where(col(AuditEntry.id) > last).order_by(col(AuditEntry.id)).limit(_BATCH)
        ).all()
        if not rows:
            return
        for row in rows:
            yield row
            last = row.id or last
            session.expunge(row)


def _hash(entry: AuditEntry) -> bytes:
    content = [
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.details,
    ]
    image = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    return hashlib.sha256((entry.previous_hash or b"") + image).digest()


def _plain(value: Any) -> Any:
    """The value as jsonb gives it back unchanged: floats as text, no NUL, no half characters."""
    match value:
        case None | bool() | int():
            return value
        case Mapping():
            return {_clean(str(k)): _plain(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(v) for v in value]
        case _:
            return _clean(str(value))


def _clean(text_: str) -> str:
    return text_.replace("\0", "\\0").encode(errors="backslashreplace").decode()
