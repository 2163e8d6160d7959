"""Alerts: raised once, open until they are solved, whoever finds out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from rxbackup.tables.system import Alert

NOTICE, WARNING, CRITICAL = "notice", "warning", "critical"


def raise_alert(
    session: Session,
    kind: str,
    about: str,
    severity: str,
    message: str,
    hint: str = "",
    *,
    details: Mapping[str, Any] | None = None,
) -> UUID | None:
    """Open an alert in the caller's transaction, which must act as `system` or as an admin.

    Args:
        session: the caller's transaction.
        kind: what is wrong, in kebab case: failure, overdue, radar, schedule-paused …
        about: whose alert it is: the id of a schedule or a backup, the name of a store, or "" for the whole.
        severity: `NOTICE`, `WARNING` or `CRITICAL`.
        message: one sentence for people.
        hint: what to do.
        details: plain values; no secrets, no rows.

    Returns:
        Its id; None if one of this kind is open about it already, which then stays as it is.
    """
    statement = (
        insert(Alert)
        .values(
            id=uuid4(),
            kind=kind,
            about=about,
            severity=severity,
            message=message,
            hint=hint,
            details=dict(details or {}),
            raised_at=func.clock_timestamp(),
        )
        .on_conflict_do_nothing(index_elements=["kind", "about"], index_where=text("solved_at IS NULL"))
        .returning(col(Alert.id))
    )
    row = session.connection().execute(statement).first()
    return row[0] if row else None


def solve_alert(session: Session, kind: str, about: str, by: str) -> UUID | None:
    """Close the open alert of this kind about this, if there is one; its id.

    Args:
        session: the caller's transaction; as `raise_alert`.
        kind: what was wrong.
        about: whose alert it is.
        by: the email of who solved it, or `system`.
    """
    statement = (
        update(Alert)
        .where(col(Alert.kind) == kind, col(Alert.about) == about, col(Alert.solved_at).is_(None))
        .values(solved_at=func.clock_timestamp(), solved_by=by)
        .returning(col(Alert.id))
    )
    row = session.connection().execute(statement).first()
    return row[0] if row else None


def is_open(session: Session, kind: str, about: str = "") -> bool:
    """Whether an alert of this kind is open about this."""
    statement = select(Alert.id).where(
        col(Alert.kind) == kind, col(Alert.about) == about, col(Alert.solved_at).is_(None)
    )
    return session.exec(statement).first() is not None
