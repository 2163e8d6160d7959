"""What came of a restore, as the page draws it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rxbackup.operations.views import JobView, UndoView
from rxbackup.ui import addresses, wording


@dataclass(frozen=True)
class ResultLine:
    """What a restore did to one table, in rows; `took` is "" where it was not measured."""

    table: str
    added: int
    changed: int
    removed: int
    set_aside: int
    took: str


@dataclass(frozen=True)
class Result:
    """What a restore did, in words. Times are ISO; "" where there is nothing to say.

    Attributes:
        safety: id of the backup that holds the rows of before.
        undo_until: until when that is kept at least.
        stale_views: materialized views that want a refresh, listed.
    """

    summary: str = ""
    at: str = ""
    took: str = ""
    by: str = ""
    note: str = ""
    safety: str = ""
    undo_until: str = ""
    stale_views: str = ""
    sessions_ended: str = ""


@dataclass(frozen=True)
class WayBack:
    """Whether a restore can be undone. Times are ISO; "" where there is nothing to say.

    Attributes:
        closed: why it cannot be undone any more.
        undone_at: when it was undone; it can be undone again then, but nobody needs to.
        undone_href: the result of that undo.
    """

    closed: str = ""
    undone_at: str = ""
    undone_href: str = ""


def way_back(undo: UndoView) -> WayBack:
    """What there is to say of a restore whose rows of before are there."""
    if undo.undone_by is None:
        return WayBack()
    href = f"{addresses.BACKUPS}/{undo.backup.id}/restore?undo={undo.job}&step=result&run={undo.undone_by}"
    return WayBack(undone_at=wording.iso(undo.undone_at), undone_href=href)


def result_lines(tables: Mapping[str, Mapping[str, Any]]) -> list[ResultLine]:
    """The tables that a restore changed, those with more changed rows first."""
    lines = [_line(name, one) for name, one in tables.items()]
    touched = [line for line in lines if line.added or line.changed or line.removed or line.set_aside]
    return sorted(touched, key=lambda line: (-(line.added + line.changed + line.removed), line.table))


def _line(name: str, one: Mapping[str, Any]) -> ResultLine:
    seconds = float(one.get("seconds") or 0)
    return ResultLine(
        table=name,
        added=int(one.get("added", 0)),
        changed=int(one.get("changed", 0)),
        removed=int(one.get("removed", 0)),
        set_aside=int(one.get("set_aside", 0)),
        took=wording.span(seconds) if seconds else "",
    )


def result_summary(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """All of a restore as one sentence."""
    if not tables:
        return "The tables hold the rows that were asked for; what changed in each was not kept."
    lines = result_lines(tables)
    touched = [line for line in lines if line.added or line.changed or line.removed]
    alike = len(tables) - len(touched)
    if not touched:
        return f"Nothing had to be changed in {wording.plural(alike, 'table')}."
    sums = (sum(row.added for row in lines), sum(row.changed for row in lines), sum(row.removed for row in lines))
    words = (
        f"{wording.plural(sums[0], 'row')} added, {wording.number(sums[1])} changed, {wording.number(sums[2])} removed"
    )
    same = f"; {wording.plural(alike, 'table')} needed no change" if alike else ""
    return f"{words} in {wording.plural(len(touched), 'table')}{same}."


def result_of(job: JobView) -> Result:
    """What a finished run says."""
    told = job.result
    seconds = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else 0.0
    ended = int(told.get("sessions_ended") or 0)
    views = [str(name) for name in told.get("stale_views") or ()]
    return Result(
        summary=result_summary(told.get("tables") or {}),
        at=wording.iso(job.finished_at or job.created_at),
        took=wording.span(seconds) if seconds else "",
        by=job.actor,
        note=str(told.get("note") or ""),
        safety=str(told.get("safety_backup") or ""),
        undo_until=str(told.get("undo_until") or ""),
        stale_views=wording.listed(views) if views else "",
        sessions_ended=wording.plural(ended, "session") if ended else "",
    )
