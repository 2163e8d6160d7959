"""What travels to the browser about schedules: flat values, made from what operations return."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rxbackup.operations.views import JudgedView, OccurrenceView, RetentionView, ScheduleView
from rxbackup.operations.views.alerts import FreshnessView
from rxbackup.ui import wording

_LATE_AFTER = timedelta(minutes=10)
"""Somebody looks at the clock every minute; a run that waits longer than this waits for nobody."""
JUDGED_PER_PAGE = 12
SHOWN = ("", "staying", "going")


@dataclass(frozen=True)
class ScheduleCard:
    """One schedule.

    Attributes:
        light: ok, overdue, failed, missed, skipped, late, running, waiting or paused.
        trouble: says that no good backup came in time; "" where one did.
        next_at, last_at: ISO; "" where there is none.
        last: what became of the last due moment, in a word; `last_note` says why, where there is something to say.
        keeps_all: whether nothing it takes is ever removed by itself.
    """

    id: str
    name: str
    note: str
    sentence: str
    zone: str
    light: str
    trouble: str
    active: bool
    paused_because: str
    is_running: bool
    next_at: str
    last_at: str
    last: str
    last_note: str
    last_backup: str
    backups: int
    keeps_all: bool
    owner: str


@dataclass(frozen=True)
class OccurrenceLine:
    """One due moment and what became of it. `state` is done, failed, missed, skipped, queued or running."""

    key: str
    at: str
    state: str
    word: str
    note: str
    by: str
    backup_id: str


@dataclass(frozen=True)
class JudgedLine:
    """One backup as a policy sees it. `until` is ISO, "" where that depends on backups to come."""

    id: str
    name: str
    at: str
    going: bool
    why: str
    until: str


@dataclass(frozen=True)
class Judged:
    """What a policy makes of today's backups: numbers in words, and one page of the lines.

    `total` is -1 before anybody asked; `shown` is "" for all of them, staying or going.
    """

    total: int = -1
    staying: int = 0
    going: int = 0
    shown: str = ""
    held: str = ""
    lines: list[JudgedLine] = field(default_factory=list)
    page: int = 1
    pages: int = 1


OCCURRENCE_WORDS = {
    "done": "Done",
    "failed": "Failed",
    "missed": "Missed",
    "skipped": "Skipped",
    "queued": "Waiting",
    "running": "Running",
}


def light_of(view: ScheduleView, fresh: FreshnessView | None, now: datetime) -> str:
    """How a schedule is doing, in one word."""
    if view.is_running:
        return "running"
    if not view.active:
        return "paused"
    if fresh is not None and fresh.state == "late":
        return "overdue"
    if view.next_at is not None and view.next_at < now - _LATE_AFTER:
        return "late"
    if view.last is None:
        return "waiting"
    return {"done": "ok", "queued": "running"}.get(view.last.state, view.last.state)


def schedule_card(view: ScheduleView, fresh: FreshnessView | None, now: datetime) -> ScheduleCard:
    """A schedule as its card."""
    last, light = view.last, light_of(view, fresh, now)
    return ScheduleCard(
        id=view.id,
        name=view.name,
        note=view.description,
        sentence=view.sentence,
        zone=view.zone,
        light=light,
        trouble=fresh.sentence if fresh is not None and light == "overdue" else "",
        active=view.active,
        paused_because=view.paused_because,
        is_running=view.is_running,
        next_at=wording.iso(view.next_at),
        last_at=wording.iso(last.due_at) if last else "",
        last=OCCURRENCE_WORDS.get(last.state, last.state.capitalize()) if last else "",
        last_note=last.message if last and (last.state != "done" or last.missed) else "",
        last_backup=(last.backup_id or "") if last and last.state == "done" else "",
        backups=view.backups,
        keeps_all=not {name for name in view.policy if name != "floor"},
        owner=view.owner,
    )


def occurrence_line(view: OccurrenceView) -> OccurrenceLine:
    """A due moment in words."""
    word = OCCURRENCE_WORDS.get(view.state, view.state.capitalize())
    if view.state == "missed" and view.missed > 1:
        word = f"{wording.number(view.missed)} missed"
    return OccurrenceLine(
        key=f"{view.schedule_id} {view.due_at.isoformat()}",
        at=wording.iso(view.due_at),
        state=view.state,
        word=word,
        note=view.message,
        by=view.by,
        backup_id=(view.backup_id or "") if view.state == "done" else "",
    )


def judged(view: RetentionView, page: int = 1, shown: str = "", per_page: int = JUDGED_PER_PAGE) -> Judged:
    """One page of what a policy makes of the backups, newest first: all of them, or only those that stay or go."""
    wanted = [one for one in view.backups if not shown or one.going == (shown == "going")]
    pages = max(1, -(-len(wanted) // per_page))
    page = max(1, min(pages, page))
    return Judged(
        total=len(view.backups),
        staying=len(view.backups) - len(view.going),
        going=len(view.going),
        shown=shown,
        held=view.held,
        lines=[_judged_line(one) for one in wanted[(page - 1) * per_page : page * per_page]],
        page=page,
        pages=pages,
    )


def _judged_line(one: JudgedView) -> JudgedLine:
    return JudgedLine(
        id=one.id,
        name=one.name,
        at=wording.iso(one.when),
        going=one.going,
        why=_sentence(one.reasons) if one.reasons else "Nothing keeps it any more",
        until=wording.iso(one.until),
    )


def _sentence(reasons: tuple[str, ...]) -> str:
    words = "; ".join(reasons)
    return words[:1].upper() + words[1:]
