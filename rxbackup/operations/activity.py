"""What happened, for admins: every run that has ended and every act on the audit trail, newest first.

What a run leaves on the trail is told by the run itself, once. Runs of schedules that were missed or skipped have
neither, and are told too: what did not happen is a failure as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    String,
    Subquery,
    and_,
    case,
    func,
    literal,
    literal_column,
    null,
    or_,
    tuple_,
    union,
    union_all,
)
from sqlalchemy import cast as as_type
from sqlalchemy import select as columns
from sqlalchemy.orm import QueryableAttribute, defer
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from rxbackup.access.actor import SYSTEM_EMAIL, Actor, Door
from rxbackup.access.roles import Permission
from rxbackup.errors import UsageError
from rxbackup.operations._backups.catalogue import job_view
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views.activity import KINDS, OUTCOMES, ActivityLine, ActivityPage, ActivityQuery
from rxbackup.operations.views.activity_words import (
    ACTS,
    OTHER,
    RUNS,
    all_that_contain,
    kind_of,
    note_on,
    title_of_act,
)
from rxbackup.tables.system import AuditEntry, Backup, Job, Occurrence, Schedule

__all__ = ["ActivityLine", "ActivityPage", "ActivityQuery", "last_act", "list_activity", "list_people"]

_MOST_PER_PAGE = 200
_RUN, _ACT, _DUE = "run", "act", "due"
_NAMED_BY_ID = frozenset({"account", "store", "side-schema"})
_OF_ONESELF = frozenset({"signed_in", "signed_out", "sign_in.failed"})
_TOLD_DOORS = frozenset({Door.API, Door.CONSOLE})
_OUTCOME_OF_ACT = {"refused": "refused", "sign_in.failed": "failed"}
_CANCEL = ".cancel"


@requires(Permission.ADMINISTER)
def list_activity(services: Services, actor: Actor, query: ActivityQuery | None = None) -> ActivityPage:
    """One page of what happened. A page behind the last is the last.

    Hand the page's `until` back with the next one: what happens meanwhile then moves no line to another page.

    Raises:
        UsageError: there is no such kind or outcome.
    """
    query = query or ActivityQuery()
    for given, known, word in ((query.kind, KINDS, "kind"), (query.outcome, OUTCOMES, "outcome")):
        if given and given not in known:
            raise UsageError(f"There is no {word} {given!r}.", hint=f"They are: {', '.join(known)}.")
    per_page = max(1, min(query.per_page, _MOST_PER_PAGE))
    lines = _all_lines()
    wanted = _filters(lines, query)
    c = lines.c
    with services.system.session(actor.identity) as session:
        now: datetime = session.exec(select(func.clock_timestamp())).one()
        total: int = session.execute(columns(func.count()).select_from(lines).where(*wanted)).scalar_one()
        pages = max(1, math.ceil(total / per_page))
        page = max(1, min(query.page, pages))
        found = session.execute(
            columns(c.source, c.id, c.number, c.at)
            .where(*wanted)
            .order_by(c.at.desc(), c.source, c.number.desc(), c.id)
            .limit(per_page)
            .offset((page - 1) * per_page)
        ).all()
        items = _read(session, found)
    until = query.until or max([now, *(row.at for row in found)])
    return ActivityPage(items, total, page, pages, until)


@requires(Permission.ADMINISTER)
def list_people(services: Services, actor: Actor) -> tuple[str, ...]:
    """Everybody who ever did something, by email. Names that were only tried at the door are nobody."""
    acted = union(
        columns(col(Job.actor).label("email")),
        columns(col(AuditEntry.actor)).where(col(AuditEntry.action) != "sign_in.failed"),
    ).subquery()
    with services.system.session(actor.identity) as session:
        return tuple(session.execute(columns(acted.c.email).order_by(acted.c.email)).scalars())


@requires(Permission.ADMINISTER)
def last_act(services: Services, actor: Actor) -> int:
    """A number that grows with every act and every run that ends; far quicker to ask for than the list."""
    with services.system.session(actor.identity) as session:
        return session.exec(select(func.max(AuditEntry.id))).one() or 0


def _all_lines() -> Subquery:
    """source, id (of the run, or of the schedule), number (of the act), at, by, what, outcome, told, wherever it is."""
    damaged = func.coalesce(col(Job.result)["damaged"], literal_column("'[]'::jsonb"))
    outcome_of_run = case(
        (and_(col(Job.state) == "succeeded", col(Job.kind) != "verify"), "done"),
        (and_(col(Job.state) == "succeeded", damaged == literal_column("'[]'::jsonb")), "done"),
        (col(Job.state).in_(["succeeded", "failed"]), "failed"),
        else_="stopped",
    )
    nothing: Any = null()
    runs: Any = columns(
        literal(_RUN).label("source"),
        col(Job.id).label("id"),
        as_type(nothing, AuditEntry.__table__.c.id.type).label("number"),  # type: ignore[attr-defined]
        func.coalesce(col(Job.finished_at), col(Job.created_at)).label("at"),
        col(Job.actor).label("by"),
        col(Job.kind).label("what"),
        outcome_of_run.label("outcome"),
        func.concat_ws(" ", col(Job.actor), col(Job.parameters)["name"].astext, col(Job.error)["message"].astext).label(
            "told"
        ),
    ).where(col(Job.state).not_in(["queued", "running"]))
    details = col(AuditEntry.details)
    acts = columns(
        literal(_ACT),
        as_type(nothing, Job.__table__.c.id.type),  # type: ignore[attr-defined]
        col(AuditEntry.id),
        col(AuditEntry.at),
        col(AuditEntry.actor),
        col(AuditEntry.action),
        case(_OUTCOME_OF_ACT, value=col(AuditEntry.action), else_="done"),
        func.concat_ws(
            *(" ", col(AuditEntry.actor), col(AuditEntry.object_id), details["name"].astext),
            *(details["because"].astext, details["table"].astext, details["operation"].astext),
        ),
    ).where(or_(~details.has_key("job"), col(AuditEntry.action).endswith(_CANCEL)))  # type: ignore[attr-defined]
    microseconds = func.extract("epoch", col(Occurrence.due_at)) * 1_000_000
    dues = (
        columns(
            literal(_DUE),
            col(Occurrence.schedule_id),
            as_type(microseconds, AuditEntry.__table__.c.id.type),  # type: ignore[attr-defined]
            col(Occurrence.claimed_at),
            literal(SYSTEM_EMAIL),
            func.concat("schedule.", col(Occurrence.state)),
            literal("missed"),
            func.concat_ws(" ", col(Schedule.name), col(Occurrence.message)),
        )
        .join(Schedule, col(Schedule.id) == col(Occurrence.schedule_id))
        .where(col(Occurrence.state).in_(["missed", "skipped"]))
    )
    return union_all(runs, acts, dues).subquery()


def _filters(lines: Subquery, query: ActivityQuery) -> list[ColumnElement[bool]]:
    c = lines.c
    filters: list[ColumnElement[bool]] = []
    if query.until is not None:
        filters.append(c.at <= query.until)
    if query.kind:
        known = [what for what in (*RUNS, *ACTS) if kind_of(what) == query.kind]
        filters.append(c.what.not_in([*RUNS, *ACTS]) if query.kind == OTHER else c.what.in_(known))
    if query.outcome:
        filters.append(c.outcome == query.outcome)
    if query.by:
        filters.append(c.by == query.by.strip())
    if text := query.text.strip():
        filters.append(or_(c.told.icontains(text, autoescape=True), c.what.in_(all_that_contain(text))))
    return filters


def _read(session: Session, found: Sequence[Row[Any]]) -> tuple[ActivityLine, ...]:
    """The lines behind the keys, in their order, with what they are about as long as it is there."""
    lines = {
        **_runs(session, [row.id for row in found if row.source == _RUN]),
        **_acts(session, [row.number for row in found if row.source == _ACT]),
        **_dues(session, [(row.id, _moment(row.number)) for row in found if row.source == _DUE]),
    }
    ordered = [lines[row.source, row.id, row.number] for row in found if (row.source, row.id, row.number) in lines]
    there = _still_there(session, Backup, [line.backup_id for line in ordered])
    schedules = _still_there(session, Schedule, [line.schedule_id for line in ordered])
    return tuple(
        replace(
            line,
            backup_id=line.backup_id if line.backup_id in there else None,
            schedule_id=line.schedule_id if line.schedule_id in schedules else None,
        )
        for line in ordered
    )


_Key = tuple[str, UUID | None, int | None]


def _runs(session: Session, ids: Sequence[UUID]) -> dict[_Key, ActivityLine]:
    # Results may be megabytes; only this much of them is told.
    result = col(Job.result)
    told = func.jsonb_build_object("message", result["message"], "damaged", result["damaged"])
    statement = (
        columns(Job, told, col(Schedule.name))
        .options(defer(cast("QueryableAttribute[Any]", Job.result)))
        .join(Schedule, as_type(col(Schedule.id), String) == col(Job.parameters)["schedule_id"].astext, isouter=True)
        .where(col(Job.id).in_(ids))
    )
    lines: dict[_Key, ActivityLine] = {}
    for job, facts, schedule in session.execute(statement):
        set_committed_value(job, "result", {name: value for name, value in facts.items() if value is not None})
        damaged = [str(each) for each in facts["damaged"] or ()]
        line = ActivityLine.of_run(job_view(job), damaged=damaged, schedule=schedule or "")
        lines[_RUN, job.id, None] = replace(line, schedule_id=(job.parameters or {}).get("schedule_id"))
    return lines


def _acts(session: Session, numbers: Sequence[int]) -> dict[_Key, ActivityLine]:
    entries = session.exec(select(AuditEntry).where(col(AuditEntry.id).in_(numbers))).all()
    names = _names_of_runs(session, [entry.details.get("job") for entry in entries])
    return {(_ACT, None, entry.id): _act(entry, names) for entry in entries}


def _act(entry: AuditEntry, names: dict[str, str]) -> ActivityLine:
    details, action, about = entry.details, entry.action, entry.object_type
    subject = str(details.get("name") or names.get(str(details.get("job")), ""))
    if not subject and about in _NAMED_BY_ID and action not in _OF_ONESELF:
        subject = entry.object_id or ""
    title = title_of_act(action)
    return ActivityLine(
        id=f"act {entry.id}",
        at=entry.at,
        by=entry.actor,
        what=action,
        kind=kind_of(action),
        outcome=_OUTCOME_OF_ACT.get(action, "done"),
        title=title if subject else title.removesuffix(":"),
        subject=subject,
        note=note_on(action, details),
        door=door if (door := str(details.get("door", ""))) in _TOLD_DOORS else "",
        backup_id=entry.object_id if about == "backup" or action.endswith(_CANCEL) else None,
        schedule_id=entry.object_id if about == "schedule" else None,
    )


def _dues(session: Session, keys: Sequence[tuple[UUID, datetime]]) -> dict[_Key, ActivityLine]:
    due = tuple_(col(Occurrence.schedule_id), col(Occurrence.due_at))
    statement = (
        select(Occurrence, Schedule.name)
        .join(Schedule, col(Schedule.id) == col(Occurrence.schedule_id))
        .where(due.in_(keys))
    )
    lines: dict[_Key, ActivityLine] = {}
    for occurrence, name in session.exec(statement):
        what, number = f"schedule.{occurrence.state}", _number(occurrence.due_at)
        lines[_DUE, occurrence.schedule_id, number] = ActivityLine(
            id=f"due {occurrence.schedule_id} {number}",
            at=occurrence.claimed_at,
            by=SYSTEM_EMAIL,
            what=what,
            kind=kind_of(what),
            outcome="missed",
            title=title_of_act(what),
            subject=name,
            note=occurrence.message or "",
            schedule_id=str(occurrence.schedule_id),
            schedule=name,
        )
    return lines


def _names_of_runs(session: Session, ids: Sequence[object]) -> dict[str, str]:
    known = [parsed for each in ids if (parsed := _as_id(each)) is not None]
    statement = columns(col(Job.id), col(Job.parameters)["name"].astext).where(col(Job.id).in_(known))
    return {str(job_id): name or "" for job_id, name in session.execute(statement)} if known else {}


def _still_there(session: Session, table: type[Backup | Schedule], ids: Sequence[str | None]) -> set[str]:
    known = {parsed for each in ids if (parsed := _as_id(each)) is not None}
    return {str(each) for each in session.exec(select(table.id).where(col(table.id).in_(known)))} if known else set()


def _as_id(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _number(due: datetime) -> int:
    return round(due.astimezone(UTC).timestamp() * 1_000_000)


def _moment(number: int) -> datetime:
    return datetime.fromtimestamp(number // 1_000_000, UTC).replace(microsecond=number % 1_000_000)
