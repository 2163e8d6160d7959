"""What the overview says about alerts, schedules and first steps: flat values, made from what operations return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rxbackup.operations.views import ScheduleView
from rxbackup.operations.views.alerts import AlertView, FreshnessView
from rxbackup.operations.views.channels import ChannelView
from rxbackup.ui import addresses, wording
from rxbackup.ui.pages.schedules.rows import light_of

SHOWN_LIGHTS = 5
_GRAVEST = ("critical", "warning", "notice")
_LIGHTS = ("overdue", "failed", "missed", "late", "skipped", "paused", "running", "waiting", "ok")
_GRAVITY = {name: number for names in (_GRAVEST, _LIGHTS) for number, name in enumerate(names)}
"""Worst first."""


@dataclass(frozen=True)
class Fact:
    """A name and a value."""

    name: str
    value: str


@dataclass(frozen=True)
class AlertLine:
    """Something that wants a person.

    Attributes:
        severity: critical, warning or notice.
        since: ISO.
        deed: what the button says that ends it; "" where it ends by itself once the cause is gone.
        releases: what pressing it lets go on.
        link, link_words: where one sets it right; "" for nowhere.
    """

    id: str
    severity: str
    title: str
    message: str
    hint: str
    since: str
    facts: list[Fact] = field(default_factory=list)
    deed: str = ""
    releases: str = ""
    link: str = ""
    link_words: str = ""


@dataclass(frozen=True)
class ScheduleLight:
    """How one schedule is doing; `next_at` is ISO, "" where it is not due."""

    id: str
    name: str
    light: str
    next_at: str
    zone: str


@dataclass(frozen=True)
class FirstSteps:
    """What a new installation needs, and which of it is there. `here` is the first that is not; "" if all are."""

    known: bool = False
    backed_up: bool = False
    scheduled: bool = False
    told: bool = False
    here: str = ""


def alert_lines(views: Sequence[AlertView]) -> list[AlertLine]:
    """Open alerts, the gravest first, and of those the newest."""
    return [alert_line(view) for view in sorted(views, key=lambda view: _GRAVITY[view.severity])]


def alert_line(view: AlertView) -> AlertLine:
    """One alert, with what one can do about it."""
    deed, releases = _deed(view)
    link, link_words = _link(view)
    return AlertLine(
        id=view.id,
        severity=view.severity,
        title=view.title,
        message=view.message,
        hint=view.hint,
        since=wording.iso(view.raised_at),
        facts=[Fact(name, value) for name, value in view.facts],
        deed=deed,
        releases=releases,
        link=link,
        link_words=link_words,
    )


def _deed(view: AlertView) -> tuple[str, str]:
    """What a person may say about it. What is found anew each minute as long as it lasts, nobody can talk away."""
    if view.kind == "radar":
        name = dict(view.facts).get("Last good", "")
        pin = f" and unpins “{name}”" if view.details.get("pinned") and name else ""
        return "This was expected", f"Lets schedules remove old backups again{pin}."
    if view.kind == "failure":
        return "Dealt with", "Takes it off this list. The next failure raises a new one."
    if view.kind == "verification-failed":
        return "Dealt with", "Takes it off this list. If damage is found again, it comes back."
    return "", ""


def _link(view: AlertView) -> tuple[str, str]:
    details = view.details
    if view.kind == "radar" and details.get("last_good") and details.get("backup"):
        address = addresses.compare_address(str(details["last_good"]), str(details["backup"]))
        return address, "Compare the two backups"
    if view.kind == "verification-failed":
        return addresses.backup_address(view.about.split(" ", 1)[0]), "Look at the backup"
    if view.kind == "store-nearly-full" or view.about.startswith(("copy ", "prune ")):
        return addresses.STORES, "Go to Stores"
    if view.kind in {"overdue", "schedule-paused"} or (view.kind == "failure" and view.about):
        return addresses.SCHEDULES, "Go to Schedules"
    return ("", "") if view.kind != "failure" else (addresses.BACKUPS, "Go to Backup Management")


def schedule_lights(
    found: Sequence[tuple[ScheduleView, FreshnessView | None]], now: datetime, most: int = SHOWN_LIGHTS
) -> list[ScheduleLight]:
    """How the schedules are doing: the worst ones first, then those that are due soonest; at most so many."""
    lights = [
        ScheduleLight(view.id, view.name, light_of(view, fresh, now), wording.iso(view.next_at), view.zone)
        for view, fresh in found
    ]
    lights.sort(key=lambda one: (_GRAVITY.get(one.light, 0), one.next_at or "~", one.name))
    return lights[:most]


def first_steps(whole: FreshnessView | None, schedules: int, channels: Sequence[ChannelView] | None) -> FirstSteps:
    """Which first steps are done. `channels` is None for who may not see them."""
    backed_up = whole is not None and whole.last_good_at is not None
    scheduled = schedules > 0
    told = channels is None or any(channel.active for channel in channels)
    done = {"back-up": backed_up, "schedule": scheduled, "tell": told}
    here = next((name for name, is_done in done.items() if not is_done), "")
    return FirstSteps(known=True, backed_up=backed_up, scheduled=scheduled, told=told, here=here)
