"""Refreshing what still shows the rows of before: the materialized views that read from restored tables."""

from __future__ import annotations

import asyncio

import reflex as rx

from rxbackup import wiring
from rxbackup.errors import NotSignedIn, RxbackupError
from rxbackup.operations import jobs, refreshes
from rxbackup.operations.views import JobView
from rxbackup.ui.session import SessionState, actor_of

_LOOK_SECONDS = 0.7


class RefreshState(rx.State):
    """`state` is "" (not asked for here), running, done or failed; `left` are views that could not be refreshed."""

    run_id: str = ""
    state: str = ""
    message: str = ""
    hint: str = ""
    left: list[str] = []  # noqa: RUF012 - Reflex copies defaults for each tab

    @rx.event(background=True)
    async def refresh(self, run_id: str) -> None:
        """Refresh the views that the restore with this run has left behind, and wait for it."""
        async with self:
            if self.state == "running":
                return
            self.reset()  # type: ignore[no-untyped-call]
            self.run_id, self.state = str(run_id), "running"
        try:
            services = wiring.current()
            job = await asyncio.to_thread(refreshes.request_refresh, services, await actor_of(self), str(run_id))
            while job.is_active:
                await asyncio.sleep(_LOOK_SECONDS)
                job = await asyncio.to_thread(jobs.show_job, services, await actor_of(self), job.id)
        except NotSignedIn:
            async with self:
                self.state = ""
                (await self.get_state(SessionState)).ended = True
            return
        except RxbackupError as error:
            async with self:
                self.state, self.message, self.hint = "failed", error.message, error.hint
            return
        async with self:
            self._end(job)

    def _end(self, job: JobView) -> None:
        if job.error:
            self.state, self.message, self.hint = "failed", job.error.message, job.error.hint
            return
        left = job.result.get("left") or {}
        self.state = "done"
        self.message = str(job.result.get("message") or "Refreshed.")
        self.left = [f"{name}: {why}" for name, why in left.items()]
