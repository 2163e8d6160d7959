"""A planned restore, carried out on one database, with an answer also where the connection died with the commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rxbackup.errors import DatabaseTrouble
from rxbackup.operations._restores.agreeing import Agree
from rxbackup.operations._restores.planning import Planned
from rxbackup.operations._runs.outcome import Outcome, await_outcome
from rxbackup.progress import ProgressSink
from rxbackup.restore.report import RestoreReport
from rxbackup.restore.run import run_restore

_RESOLVE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of it: it is committed. `report` is None, and `note` says why, if only that is known."""

    report: RestoreReport | None
    note: str = ""


def carry_out(
    planned: Planned,
    *,
    url: str,
    on_progress: ProgressSink,
    before_commit: Callable[[str], None],
    agree: Agree | None,
    lock_timeout_seconds: float,
) -> Carried:
    """Restore, as `planned`, into the database at `url`.

    Raises:
        DatabaseTrouble: nothing was changed; or the connection was lost with the commit and PostgreSQL does not know.
    """
    noted: list[str] = []

    def note(xid: str) -> None:
        before_commit(xid)
        noted.append(xid)

    try:
        report = run_restore(
            planned.plan,
            planned.manifest,
            vault=planned.vault,
            source_url=url,
            on_progress=on_progress,
            before_commit=note,
            agree=agree,
            lock_timeout_seconds=lock_timeout_seconds,
        )
    except DatabaseTrouble as error:
        if not noted:
            raise
        outcome = await_outcome(url, noted[0], seconds=_RESOLVE_SECONDS)
        if outcome is Outcome.COMMITTED:
            return Carried(None, "The connection was lost just after the restore was committed. The rows are restored.")
        if outcome is Outcome.ABORTED:
            raise
        raise DatabaseTrouble(
            f"The connection was lost while the restore was being committed ({error.message}), and PostgreSQL does not "
            "say what became of it.",
            hint="When the database answers again, compare the tables before restoring once more.",
        ) from error
    return Carried(report)
