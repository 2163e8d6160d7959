"""One look at the system for all tabs: asked for at most once a second, and only while somebody looks."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from rxbackup.access.actor import Actor
from rxbackup.errors import BackupNotFound, RxbackupError
from rxbackup.operations import alerts, backups, channels, freshness, groups, jobs, measures, schedules, stores
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupDetail, BackupQuery, BackupView, GroupCount, JobView, ScheduleView
from rxbackup.operations.views.alerts import AlertView, FreshnessView
from rxbackup.operations.views.measures import History

_T = TypeVar("_T")

PERIODS = (30, 90, 365)
"""Days that charts look back."""
_MOST_ALERTS = 1000

Revision = tuple[tuple[str, str], ...]
"""Id and state of every run that is known."""


@dataclass(frozen=True)
class Facts:
    """Everything the page shows apart from the list itself.

    Attributes:
        active, recent: what runs (oldest first), what has ended (newest first).
        latest: the last good backup of everything; `before` its rows by group.
        counts: rows by group now; None until they were counted once.
        fresh: how fresh the backups are, of all together first, then of each schedule.
        alerts: what is open, the newest first.
    """

    active: tuple[JobView, ...]
    recent: tuple[JobView, ...]
    latest: BackupView | None
    before: dict[str, int] | None
    counts: tuple[GroupCount, ...] | None
    fresh: tuple[FreshnessView, ...] = ()
    alerts: tuple[AlertView, ...] = ()

    @property
    def revision(self) -> Revision:
        """Changes whenever a run begins or ends."""
        return _revision(self.active, self.recent)


class Shared(Generic[_T]):
    """One answer for everybody who may ask, kept for `seconds`; failures are kept as well.

    Kept apart by role: what one role may see is not handed to another.
    """

    def __init__(self, ask: Callable[[Services, Actor], _T], *, seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._answers: dict[str, tuple[float, _T | Exception]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._asking: dict[str, asyncio.Task[_T]] = {}
        self._known: dict[str, _T] = {}

    async def get(self, services: Services, actor: Actor) -> _T:
        """The answer, at most `seconds` old. Everybody who waits meanwhile gets the same one."""
        async with self._locks.setdefault(actor.role, asyncio.Lock()):
            asked_at, answer = self._answers.get(actor.role, (float("-inf"), RuntimeError("never asked")))
            if time.monotonic() - asked_at >= self._seconds:
                answer = await asyncio.to_thread(self._try, services, actor)
                self._answers[actor.role] = (time.monotonic(), answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def get_or_last(self, services: Services, actor: Actor, *, patience: float) -> _T | None:
        """The answer if it comes within `patience` seconds, else the last one known, else None.

        For what may have to wait, behind a lock for instance, and must not keep the rest of the page waiting.
        """
        task = self._asking.get(actor.role)
        if task is None:
            task = self._asking[actor.role] = asyncio.create_task(self.get(services, actor))
        done, _ = await asyncio.wait({task}, timeout=patience)
        if done:
            self._asking.pop(actor.role, None)
            with contextlib.suppress(RxbackupError):
                self._known[actor.role] = task.result()
        return self._known.get(actor.role)

    def forget(self) -> None:
        """Ask anew next time: something has just been changed from here."""
        self._answers.clear()

    def _try(self, services: Services, actor: Actor) -> _T | Exception:
        try:
            return self._ask(services, actor)
        except Exception as error:  # noqa: BLE001 - handed on to everybody who waits
            return error


class Watch:
    """The shared look of one process."""

    def __init__(self) -> None:
        self.runs = Shared(_runs, seconds=0.8)
        self.latest = Shared(_good_backups, seconds=2.0)
        self.fresh = Shared(freshness.show_freshness, seconds=2.0)
        self.counts = Shared(groups.count_groups, seconds=4.0)
        self.stores = Shared(stores.list_stores, seconds=5.0)
        self.schedules = Shared(_schedules, seconds=2.0)
        self.alerts = Shared(_open_alerts, seconds=2.0)
        self.channels = Shared(channels.list_channels, seconds=2.0)
        self.messages = Shared(partial(channels.recent_messages, limit=50), seconds=2.0)
        self._history = {days: Shared(partial(measures.show_history, days=days), seconds=60.0) for days in PERIODS}
        self._changed = asyncio.Event()
        self._revision: Revision = ()
        self._details: tuple[str, dict[str, int]] = ("", {})

    async def facts(self, services: Services, actor: Actor) -> Facts:
        """What is true now, give or take a second or four."""
        active, recent = await self.runs.get(services, actor)
        revision = _revision(active, recent)
        if revision != self._revision:
            # What began or ended may have changed everything else.
            self._revision = revision
            for shared in (self.latest, self.fresh, self.counts, self.stores, self.schedules, self.alerts):
                shared.forget()
            self._forget_history()
        counts = await self.counts.get_or_last(services, actor, patience=1.0)
        latest = widest_of_late(await self.latest.get(services, actor), counts)
        before = await self._rows_by_group(services, actor, latest) if latest else None
        fresh = await self.fresh.get(services, actor)
        return Facts(active, recent, latest, before, counts, fresh, await self.alerts.get(services, actor))

    async def history(self, services: Services, actor: Actor, days: int) -> History:
        """What became of backups, and what the stores held, in the last so many days: one of `PERIODS`."""
        return await self._history[days].get(services, actor)

    def forget(self) -> None:
        """Look anew, and at once: something has just been changed from here."""
        shown = (self.latest, self.fresh, self.stores, self.schedules, self.alerts, self.channels, self.messages)
        for shared in (self.runs, *shown):
            shared.forget()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _forget_history(self) -> None:
        for shared in self._history.values():
            shared.forget()

    async def pause(self, seconds: float) -> None:
        """Wait before the next look, but not longer than until somebody changes something."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    async def _rows_by_group(self, services: Services, actor: Actor, latest: BackupView) -> dict[str, int] | None:
        # A finished backup never changes, so its counts are read once.
        if self._details[0] != latest.id:
            try:
                detail: BackupDetail = await asyncio.to_thread(backups.show_backup, services, actor, latest.id)
            except BackupNotFound:
                return None  # deleted this very moment
            self._details = (latest.id, {group.name: group.rows for group in detail.groups})
        return self._details[1]


def _revision(active: tuple[JobView, ...], recent: tuple[JobView, ...]) -> Revision:
    return tuple((job.id, job.state) for job in (*active, *recent))


def _runs(services: Services, actor: Actor) -> tuple[tuple[JobView, ...], tuple[JobView, ...]]:
    """What runs, and what has ended. In this order: a run that ends in between is in both, never in neither."""
    active = jobs.active_jobs(services, actor)
    recent = jobs.recent_jobs(services, actor, limit=20)
    return active, tuple(job for job in recent if not job.is_active)


def _schedules(services: Services, actor: Actor) -> tuple[tuple[ScheduleView, FreshnessView | None], ...]:
    """The schedules, and how fresh the backups of each are."""
    fresh = {view.schedule_id: view for view in freshness.show_freshness(services, actor)}
    return tuple((view, fresh.get(view.id)) for view in schedules.list_schedules(services, actor))


def _open_alerts(services: Services, actor: Actor) -> tuple[AlertView, ...]:
    return alerts.list_alerts(services, actor, limit=_MOST_ALERTS)


def _good_backups(services: Services, actor: Actor) -> tuple[BackupView, ...]:
    return backups.list_backups(services, actor, BackupQuery(state="complete", per_page=50)).items


def widest_of_late(good: tuple[BackupView, ...], counts: tuple[GroupCount, ...] | None) -> BackupView | None:
    """The latest good backup that holds every group there is; if none does, the latest at all.

    A backup of some groups, a safety backup for instance, protects only those.
    """
    wanted = {count.name for count in counts or ()}
    return next((one for one in good if wanted <= set(one.groups)), good[0] if good else None)


WATCH = Watch()
