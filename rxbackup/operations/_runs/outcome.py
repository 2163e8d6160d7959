"""What became of a transaction whose connection died: PostgreSQL knows (`pg_xact_status`)."""

from __future__ import annotations

import time
from enum import StrEnum

from rxbackup.errors import DatabaseTrouble
from rxbackup.restore.run import commit_outcome


class Outcome(StrEnum):
    """What PostgreSQL says about a transaction; UNKNOWN if it forgot or cannot be asked."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    IN_PROGRESS = "in progress"
    UNKNOWN = "unknown"


def outcome_of(source_url: str, xid: str) -> Outcome:
    """Ask once.

    Raises:
        DatabaseTrouble: the database does not answer.
    """
    said = commit_outcome(source_url, xid)
    return Outcome(said) if said else Outcome.UNKNOWN


def await_outcome(source_url: str, xid: str, *, seconds: float) -> Outcome:
    """Ask until there is an answer or the time is up: the server may be restarting, the backend still be busy."""
    deadline = time.monotonic() + seconds
    outcome = Outcome.UNKNOWN
    while time.monotonic() < deadline:
        try:
            outcome = outcome_of(source_url, xid)
        except DatabaseTrouble:
            outcome = Outcome.UNKNOWN
        else:
            if outcome is not Outcome.IN_PROGRESS:
                return outcome
        time.sleep(0.5)
    return outcome
