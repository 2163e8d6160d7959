"""`/api/v1/schedules`, what became of their runs, what they keep, and the trash."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from rxbackup.api.identity import OpenServices, Who
from rxbackup.api.problems import PROBLEMS
from rxbackup.cadence.rules import rule_from_json
from rxbackup.operations import occurrences, retentions, schedules, trash
from rxbackup.operations.views import (
    BackupView,
    Forecast,
    JobView,
    NewSchedule,
    OccurrenceView,
    RetentionView,
    ScheduleView,
)
from rxbackup.operations.views.trash import EmptiedView
from rxbackup.retention.policy import Policy

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

Name = Annotated[str, Path(max_length=255, description="The name or the id")]
BackupId = Annotated[str, Path(max_length=255, description="The id, the beginning of it, or the exact name")]
_Text = Annotated[str, Field(max_length=255)]
_Count = Annotated[int, Field(ge=0, le=100_000)]


class WantedRule(BaseModel):
    """When. `days` are weekdays from 0, Monday, or days of the month, 0 the last one; `hours`: every so many."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["daily", "weekly", "monthly", "hourly", "cron"]
    at: Annotated[str, Field(max_length=5)] = "00:00"
    days: Annotated[list[Annotated[int, Field(ge=0, le=31)]], Field(max_length=31)] = []
    hours: Annotated[int, Field(ge=0, le=12)] = 0
    expression: _Text = ""


class WantedPolicy(BaseModel):
    """How long: as long as one line says so. None keeps everything; `floor` verified ones stay whatever is said."""

    model_config = ConfigDict(extra="forbid")

    days: _Count | None = None
    last: _Count | None = None
    hourly: _Count | None = None
    daily: _Count | None = None
    weekly: _Count | None = None
    monthly: _Count | None = None
    yearly: _Count | None = None
    floor: Annotated[int, Field(ge=1, le=100_000)] = 1

    def as_policy(self) -> Policy:
        """The same for the operations."""
        return Policy(**self.model_dump())


class WantedSchedule(BaseModel):
    """A schedule; without `groups` it backs up everything."""

    model_config = ConfigDict(extra="forbid")

    name: _Text
    cadence: WantedRule
    zone: Annotated[str, Field(max_length=64)] = "UTC"
    description: Annotated[str, Field(max_length=10_000)] = ""
    groups: Annotated[list[_Text], Field(min_length=1, max_length=1000)] | None = None
    store: Annotated[str, Field(max_length=63)] = "database"
    copies: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=16)] = []
    policy: WantedPolicy = WantedPolicy()
    full_every: Annotated[int, Field(ge=1, le=10_000)] | None = None
    jitter_minutes: Annotated[int, Field(ge=0, le=720)] = 0

    def as_new(self) -> NewSchedule:
        """The same for the operations."""
        return NewSchedule(
            name=self.name,
            rule=rule_from_json(self.cadence.model_dump()),
            zone=self.zone,
            description=self.description,
            groups=None if self.groups is None else tuple(self.groups),
            store=self.store,
            copies=tuple(self.copies),
            policy=self.policy.as_policy(),
            full_every=self.full_every,
            jitter_minutes=self.jitter_minutes,
        )


Wanted = Annotated[WantedSchedule, Body()]


@router.get("/schedules", tags=["schedules"])
def list_schedules(services: OpenServices, actor: Who) -> tuple[ScheduleView, ...]:
    """Every schedule, by name."""
    return schedules.list_schedules(services, actor)


@router.post("/schedules", status_code=201, tags=["schedules"])
def add_schedule(services: OpenServices, actor: Who, wanted: Wanted) -> ScheduleView:
    """Add a schedule."""
    return schedules.add_schedule(services, actor, wanted.as_new())


@router.post("/schedules/forecast", tags=["schedules"])
def foretell_schedule(services: OpenServices, actor: Who, wanted: Wanted) -> Forecast:
    """Say what a schedule would do, and when; nothing is saved."""
    return schedules.foretell_schedule(services, actor, wanted.as_new())


@router.get("/schedules/{name}", tags=["schedules"])
def show_schedule(services: OpenServices, actor: Who, name: Name) -> ScheduleView:
    """One schedule."""
    return schedules.show_schedule(services, actor, name)


@router.put("/schedules/{name}", tags=["schedules"])
def change_schedule(services: OpenServices, actor: Who, name: Name, wanted: Wanted) -> ScheduleView:
    """Give a schedule new values, all of them."""
    return schedules.change_schedule(services, actor, name, wanted.as_new())


@router.delete("/schedules/{name}", tags=["schedules"])
def delete_schedule(services: OpenServices, actor: Who, name: Name) -> ScheduleView:
    """Delete a schedule; its backups stay."""
    return schedules.delete_schedule(services, actor, name)


@router.post("/schedules/{name}/pause", tags=["schedules"])
def pause_schedule(services: OpenServices, actor: Who, name: Name) -> ScheduleView:
    """Let a schedule rest."""
    return schedules.pause_schedule(services, actor, name)


@router.post("/schedules/{name}/resume", tags=["schedules"])
def resume_schedule(services: OpenServices, actor: Who, name: Name) -> ScheduleView:
    """Let a schedule go on."""
    return schedules.resume_schedule(services, actor, name)


@router.post("/schedules/{name}/run", status_code=202, tags=["schedules"])
def run_schedule(services: OpenServices, actor: Who, name: Name, response: Response) -> JobView:
    """Queue a backup of a schedule now. Follow it at the address in `Location`."""
    job = schedules.run_schedule(services, actor, name)
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    return job


@router.get("/schedules/{name}/runs", tags=["schedules"])
def list_runs(
    services: OpenServices, actor: Who, name: Name, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> tuple[OccurrenceView, ...]:
    """What became of the latest due moments, newest first."""
    found = schedules.show_schedule(services, actor, name)
    return occurrences.list_occurrences(services, actor, found.id, limit=limit)


@router.get("/schedules/{name}/retention", tags=["schedules"])
def preview_retention(services: OpenServices, actor: Who, name: Name) -> RetentionView:
    """Which of a schedule's backups stay, why and until when."""
    return retentions.preview_retention(services, actor, name)


@router.post("/schedules/{name}/retention", tags=["schedules"])
def try_retention(
    services: OpenServices,
    actor: Who,
    name: Name,
    policy: Annotated[WantedPolicy, Body()],
    zone: Annotated[str, Query(max_length=64, description="Another time zone than the schedule's own")] = "",
) -> RetentionView:
    """Which would stay by another policy; nothing is changed."""
    return retentions.preview_retention(services, actor, name, policy=policy.as_policy(), zone=zone)


@router.delete("/backups/{backup}", tags=["backups"])
def trash_backup(services: OpenServices, actor: Who, backup: BackupId) -> BackupView:
    """Move a backup to the trash, where it can be had back until `trash_until`."""
    return trash.trash_backup(services, actor, backup)


@router.delete("/trash", tags=["backups"])
def empty_trash(services: OpenServices, actor: Who) -> EmptiedView:
    """Delete for good all that is in the trash; what is in use stays and says why."""
    return trash.empty_trash(services, actor)


@router.post("/backups/{backup}/undelete", tags=["backups"])
def undelete_backup(services: OpenServices, actor: Who, backup: BackupId) -> BackupView:
    """Take a backup out of the trash."""
    return trash.undelete_backup(services, actor, backup)
