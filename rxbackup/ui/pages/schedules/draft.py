"""The form of a schedule: what stands in it when it opens, and the schedule that it describes.

The form lives in the browser and comes here as flat names and texts whenever something in it changes. Fields of other
kinds of rules come along as well; only those of the chosen kind are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from rxbackup.cadence.rules import LAST_DAY, WEEKDAYS, Rule, cron, daily, hourly, monthly, weekly
from rxbackup.errors import UsageError
from rxbackup.operations.views import NewSchedule, ScheduleView
from rxbackup.retention.policy import Policy

NO_NAME = "New schedule"
"""What a schedule is called in a forecast before it has a name."""

_GROUP, _COPY, _WEEKDAY, _MONTH_DAY, _KEEP = "group:", "copy:", "wday:", "mday:", "keep_"
_LONGEST_NUMBER = 9

Form = Mapping[str, object]


@dataclass(frozen=True)
class Filled:
    """What stands in the form when it opens; texts as fields hold them, "" for an empty one.

    Attributes:
        zone: "" lets the browser fill in its own.
        days, month_days: chosen days as the rules number them.
        what: everything or some; `groups` are those ticked.
        keep: by line of a policy; `floor` among them.
    """

    name: str = ""
    note: str = ""
    kind: str = "daily"
    at: str = "02:00"
    days: tuple[int, ...] = (0,)
    month_days: tuple[int, ...] = (1,)
    hours: str = "6"
    minute: str = "0"
    cron: str = "30 2 * * 1-5"
    zone: str = ""
    what: str = "everything"
    groups: tuple[str, ...] = ()
    store: str = ""
    copies: tuple[str, ...] = ()
    keep_days: str = ""
    keep_last: str = ""
    keep_hourly: str = ""
    keep_daily: str = ""
    keep_weekly: str = ""
    keep_monthly: str = ""
    keep_yearly: str = ""
    keep_floor: str = "1"
    full_every: str = ""
    jitter: str = "0"


def suggested(*, store: str, further: Sequence[str], name: str = "Nightly") -> Filled:
    """A sensible schedule to begin with: every night, everything, everywhere, thinned out over a year."""
    return Filled(
        name=name,
        store=store,
        copies=tuple(one for one in further if one != store),
        keep_daily="14",
        keep_weekly="8",
        keep_monthly="12",
        keep_floor="3",
    )


def filled_from(view: ScheduleView) -> Filled:
    """The form of a schedule that there is."""
    cadence = view.cadence
    kind = str(cadence["kind"])
    given: dict[str, Any] = {"kind": kind}
    if kind == "cron":
        given["cron"] = str(cadence["expression"])
    elif kind == "hourly":
        given |= {"hours": str(cadence["hours"]), "minute": str(int(str(cadence["at"]).partition(":")[2]))}
    else:
        given["at"] = str(cadence["at"])
    if kind in {"weekly", "monthly"}:
        given["days" if kind == "weekly" else "month_days"] = tuple(cadence["days"])
    given |= {f"{_KEEP}{name}": str(value) for name, value in view.policy.items()}
    return Filled(
        name=view.name,
        note=view.description,
        zone=view.zone,
        what="everything" if view.groups is None else "some",
        groups=view.groups or (),
        store=view.store,
        copies=view.copies,
        full_every="" if view.full_every is None else str(view.full_every),
        jitter=str(view.jitter_minutes),
        **given,
    )


def read_form(form: object, *, name_needed: bool = True) -> NewSchedule:
    """The schedule that a form describes.

    Args:
        form: flat names and texts, from a browser: anything may be missing or strange.
        name_needed: refuse where it has no name; a forecast needs none.

    Raises:
        UsageError: a field makes no sense; the message names it.
    """
    given: Form = form if isinstance(form, Mapping) else {}
    name = _text(given, "schedule_name")
    if not name and name_needed:
        raise UsageError("The schedule has no name.", hint="Call it by what it does, for instance Nightly.")
    store = _text(given, "store")
    groups = _chosen(given, _GROUP) if _text(given, "what") == "some" else None
    if groups == ():
        raise UsageError("No group is chosen.", hint="Choose at least one, or everything.")
    full_every = _number(given, "full_every", "Read everything again")
    new = NewSchedule(
        name=name or NO_NAME,
        rule=read_rule(given),
        zone=_text(given, "zone") or "UTC",
        description=_text(given, "note"),
        groups=groups,
        copies=tuple(one for one in _chosen(given, _COPY) if one != store),
        policy=read_policy(given),
        full_every=full_every,
        jitter_minutes=_number(given, "jitter", "Begin up to … minutes later") or 0,
    )
    return replace(new, store=store) if store else new


def read_rule(given: Form) -> Rule:
    """When it is due.

    Raises:
        UsageError: with what is missing or wrong.
    """
    kind, at = _text(given, "kind"), _text(given, "at")
    if kind == "cron":
        return cron(_text(given, "cron"))
    if kind == "hourly":
        minute = _number(given, "minute", "Minutes past the hour")
        return hourly(_number(given, "hours", "Every … hours") or 0, minute=minute or 0)
    if not at:
        raise UsageError("There is no time.", hint="Write hours and minutes, as 02:00.")
    if kind == "weekly":
        chosen = [WEEKDAYS[day] for day in range(len(WEEKDAYS)) if given.get(f"{_WEEKDAY}{day}")]
        return weekly(",".join(chosen), at)
    if kind == "monthly":
        days = [day for day in range(32) if given.get(f"{_MONTH_DAY}{day}")]
        return monthly(",".join("last" if day == LAST_DAY else str(day) for day in days), at)
    return daily(at)


def read_policy(given: Form) -> Policy:
    """How long backups are kept.

    Raises:
        UsageError: a number makes no sense.
    """
    lines = {each.name: _number(given, f"{_KEEP}{each.name}", "Keep") for each in fields(Policy)}
    return Policy(**{name: value for name, value in lines.items() if value is not None})


def _chosen(given: Form, prefix: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(prefix) for name, value in given.items() if name.startswith(prefix) and value)


def _text(given: Form, name: str) -> str:
    value = given.get(name)
    return value.strip() if isinstance(value, str) else ""


def _number(given: Form, name: str, label: str) -> int | None:
    text = _text(given, name)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_NUMBER:
        raise UsageError(f"“{label}” is no whole number: {text[:20]!r}.", hint="Write digits only, or nothing.")
    return int(text)
