"""PostgreSQL's refusals of rows, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import psycopg

from rxbackup import errors
from rxbackup.postgres.connecting import Connection, translated
from rxbackup.postgres.locking import short_waits

# PostgreSQL 18 tells a key that says RESTRICT apart from other foreign keys.
_BROKEN_KEY = (psycopg.errors.ForeignKeyViolation, psycopg.errors.RestrictViolation)


class refusals:  # noqa: N801 - reads as a word in `with refusals():`
    """Say in words which constraint stopped the restore, or its rehearsal."""

    def __init__(self, *, rehearse: bool = False) -> None:
        self._doing = "rehearsing the restore" if rehearse else "restoring"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, errors.DatabaseTrouble) and isinstance(error.__cause__, psycopg.errors.IntegrityError):
            error = error.__cause__
        if not isinstance(error, psycopg.Error):
            return
        diag = error.diag
        where = f"{diag.schema_name}.{diag.table_name}" if diag.table_name else "a table"
        if isinstance(error, _BROKEN_KEY):
            at_once = ", which acts at once," if isinstance(error, psycopg.errors.RestrictViolation) else ""
            said = f"The foreign key {diag.constraint_name} of {where}{at_once} would break"
            raise errors.PlanRefused(f"{said}: {diag.message_detail}" if diag.message_detail else f"{said}.") from error
        if isinstance(error, psycopg.errors.IntegrityError):
            raise errors.PlanRefused(
                f"The database does not accept the backup's rows in {where}: {diag.message_primary}.",
                hint="A constraint is newer or stricter than the backup. Relax it, or skip the group.",
            ) from error
        with translated(self._doing):
            raise error


class OthersInTheWay(Exception):
    """What others write to a table that does not keep them away stops the restore. All is rolled back."""


@contextmanager
def others_in_the_way(conn: Connection, *, among_others: bool) -> Iterator[None]:
    """While rows are set right, raise OthersInTheWay where others may be the reason that PostgreSQL refuses.

    Rows that others are writing are waited for only as long as that cannot be half of a deadlock.

    Args:
        among_others: whether others may be writing to targets. If nobody can, errors go through.
    """
    try:
        with short_waits(conn) if among_others else nullcontext():
            yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, *_BROKEN_KEY) as error:
        if among_others:
            raise OthersInTheWay from error
        raise
